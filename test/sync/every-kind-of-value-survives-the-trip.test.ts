import { expect, test } from 'vitest'
import { clientOf, createWorlds, seenBy, spawn } from '../support/worlds.ts'

const DC = `
struct Inner { int64 low; uint64 high; float64 real; };
struct Outer { Inner inner; char letter; int8 small; };
struct Item { string label; uint16 count; };
dclass Thing {
  int64 signed broadcast ram ownsend;
  uint64 unsigned broadcast ram ownsend;
  float64 real broadcast ram ownsend;
  char letter broadcast ram ownsend;
  int32 whole broadcast ram ownsend;
  Outer outer broadcast ram ownsend;
  uint16 list[] broadcast ram ownsend;
  int64 wide[] broadcast ram ownsend;
  Item items[] broadcast ram ownsend;
  blob bytes broadcast ram ownsend;
  string text broadcast ram ownsend;
};
`

const samples = [
  {
    signed: -(2n ** 63n),
    unsigned: 2n ** 64n - 1n,
    real: Number.MIN_VALUE,
    letter: 255,
    whole: -(2 ** 31),
    outer: { inner: { low: -1n, high: 2n ** 63n, real: -0 }, letter: 65, small: -128 },
    list: [0, 65535, 1],
    wide: [2n ** 63n - 1n, -1n, 0n],
    items: [
      { label: 'rope', count: 3 },
      { label: '', count: 0 },
    ],
    bytes: Uint8Array.of(0, 255, 0, 128),
    text: 'Grüße, 世界 👋\u0000 end',
  },
  {
    signed: 2n ** 63n - 1n,
    unsigned: 1n,
    real: Infinity,
    letter: 0,
    whole: 2 ** 31 - 1,
    outer: { inner: { low: 2n ** 32n, high: 0n, real: Number.MAX_VALUE }, letter: 1, small: 127 },
    list: [],
    wide: [],
    items: [],
    bytes: new Uint8Array(0),
    text: '',
  },
  {
    signed: 0x1234_5678_9abc_def0n,
    unsigned: 2n ** 32n,
    real: Math.PI,
    letter: 10,
    whole: 0,
    outer: { inner: { low: 0n, high: 1n, real: 1e-300 }, letter: 7, small: 0 },
    list: Array.from({ length: 500 }, (_, index) => index * 131),
    wide: [1n],
    items: [{ label: 'x'.repeat(300), count: 9 }],
    bytes: Uint8Array.from({ length: 3000 }, (_, index) => index),
    text: 'plain',
  },
]
type Sample = (typeof samples)[number]

const read = (Thing: any, eid: number): Sample => ({
  signed: Thing.signed[eid],
  unsigned: Thing.unsigned[eid],
  real: Thing.real[eid],
  letter: Thing.letter[eid],
  whole: Thing.whole[eid],
  outer: {
    inner: { low: Thing.outer.inner.low[eid], high: Thing.outer.inner.high[eid], real: Thing.outer.inner.real[eid] },
    letter: Thing.outer.letter[eid],
    small: Thing.outer.small[eid],
  },
  list: Thing.list[eid],
  wide: Thing.wide[eid],
  items: Thing.items[eid],
  bytes: Thing.bytes[eid],
  text: Thing.text[eid],
})

const write = (Thing: any, eid: number, sample: Sample) => {
  for (const name of [
    'signed',
    'unsigned',
    'real',
    'letter',
    'whole',
    'list',
    'wide',
    'items',
    'bytes',
    'text',
  ] as const)
    Thing[name][eid] = sample[name]
  Object.assign(Thing.outer.letter, { [eid]: sample.outer.letter })
  Object.assign(Thing.outer.small, { [eid]: sample.outer.small })
  for (const name of ['low', 'high', 'real'] as const) Thing.outer.inner[name][eid] = sample.outer.inner[name]
}

test('from the server to a client, at first sight and on change', async () => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.05, loss: 0.1, reorder: 0.1 } })
  const { Thing } = worlds.schema.dclasses
  const eids = samples.map(sample => spawn(worlds, 'Thing', sample, 1))
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1]))
  const seen = () => eids.map(eid => read(guest.schema.dclasses.Thing, seenBy(worlds, guest, eid)))
  expect(seen(), 'at first sight').toStrictEqual(samples)
  const turned = [samples[1]!, samples[2]!, samples[0]!]
  for (const [index, eid] of eids.entries()) write(Thing, eid, turned[index]!)
  worlds.run(120)
  expect(seen(), 'after a change of everything').toStrictEqual(turned)
  await worlds.end()
})

test('a negative zero and a NaN keep their bits', async () => {
  const worlds = createWorlds(DC)
  const { Thing } = worlds.schema.dclasses
  const eid = spawn(worlds, 'Thing', { real: -0 }, 1)
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1]))
  const seen = () => guest.schema.dclasses.Thing.real[seenBy(worlds, guest, eid)]
  expect(Object.is(seen(), -0), 'a negative zero').toBe(true)
  Thing.real[eid] = NaN
  worlds.run(10)
  expect(seen(), 'a NaN').toBeNaN()
  await worlds.end()
})

test('from an owner to the server and on to another client', async () => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.05, loss: 0.1, reorder: 0.1 } })
  const [owner, other] = [await worlds.join(), await worlds.join()]
  await worlds.settle(other.client.interest.set([1]))
  // Infinity is for the server to say: it takes none from a client.
  const finite = samples.map(sample => (Number.isFinite(sample.real) ? sample : { ...sample, real: 1e300 }))
  const eids = finite.map(() => spawn(worlds, 'Thing', {}, 1, clientOf(worlds, owner)))
  worlds.run(60)
  for (const [index, eid] of eids.entries())
    write(owner.schema.dclasses.Thing, seenBy(worlds, owner, eid), finite[index]!)
  worlds.run(180)
  expect(
    eids.map(eid => read(worlds.schema.dclasses.Thing, eid)),
    'the server has it',
  ).toStrictEqual(finite)
  expect(
    eids.map(eid => read(other.schema.dclasses.Thing, seenBy(worlds, other, eid))),
    'the other client has it',
  ).toStrictEqual(finite)
  expect(worlds.server.violations).toEqual({ malformed: 0, forbidden: 0, outOfRange: 0, flooded: 0, refused: 0 })
  await worlds.end()
})
