import { addComponent, addEntity, hasComponent, observe, onAdd, query, type World } from 'bitecs'
import { Alive, Owned, writeField } from 'bitecs-pipes'
import { converge, PERFECT_LINK, play, prepareGame, type Game, type Scenario } from 'bitecs-pipes/testing'
import { expect, test } from 'vitest'

const DC = `
keyword unreliable;
dclass Dial {
  uint8(0-99) level broadcast ram ownsend;
  string(0-24) label broadcast ram ownsend;
  uint8(0-99) knob broadcast ram clsend;
  string(0-24) mark broadcast ram clsend;
  uint16 count broadcast;
  told(uint32 number) required broadcast ram;
  word(uint32 number) broadcast ram;
  secret(uint32 number) ownrecv ram;
  gust(uint32 number) broadcast ram unreliable;
};
dclass Box { uint8 size broadcast ownsend; blob(0-400) content broadcast; };
`
const SEEDS = Number(process.env.SEEDS ?? 12)

/** Refuses what is 80 or more, and makes the rest even. */
const even = (value: number) => (value >= 80 ? undefined : value & ~1)
const isEven = (value: number) => even(value) === value
const loud = (value: string) => (value.length > 16 ? undefined : value.toUpperCase())
const isLoud = (value: string) => loud(value) === value

const createCounts = () => ({ written: 0, refused: 0, told: 0, word: 0, gust: 0, secret: 0 })

const createGame = (counts = createCounts()): Game => {
  const watched = new WeakSet<World>()
  let number = 0
  return {
    schema: DC,
    client: { disabledTime: 1 },
    start: ({ schema, server }) => {
      const { Dial } = schema.dclasses
      for (const [field, check] of Object.entries({ level: even, label: loud, knob: even, mark: loud }))
        server.validate(Dial[field], (_, value) => {
          const answer = check(value as never)
          if (answer === undefined) counts.refused++
          return answer
        })
      server.provide(Dial.told, () => ({ number: ++number }))
    },
    joined: ({ world, schema, client }) => {
      if (watched.has(world)) return
      watched.add(world)
      const { Dial } = schema.dclasses
      const heard = new Map<string, number>()
      const whole = new Set<number>()
      for (const name of ['told', 'word', 'secret', 'gust'] as const)
        client.on<{ number: number }>(Dial[name], (eid, args) => {
          counts[name]++
          const key = `${name} ${schema.DistributedObject.doId[eid]}`
          if (name === 'told') whole.add(eid)
          // Those that are sent once may overtake each other.
          else if (name !== 'gust' && args.number < (heard.get(key) ?? 0))
            throw new Error(`${key}: ${args.number} after ${heard.get(key)}`)
          heard.set(key, args.number)
        })
      observe(world, onAdd(Dial, Alive), eid => {
        if (!whole.delete(eid)) throw new Error(`Dial ${eid} is alive before it is told what is required.`)
      })
    },
    spawn: {
      Dial: ({ world, schema }) => {
        const eid = addEntity(world)
        addComponent(world, eid, schema.dclasses.Dial)
        return eid
      },
      Box: ({ world, schema }) => {
        const eid = addEntity(world)
        addComponent(world, eid, schema.dclasses.Box)
        return eid
      },
    },
    rules: {
      say: ({ world, schema, server }, dice) => {
        const { Dial } = schema.dclasses
        const dials = [...query(world, [Dial])]
        if (dials.length === 0) return
        const eid = dice.pick(dials)
        const clients = [...server.clients.values()]
        const to = dice.chance(0.6) || clients.length === 0 ? undefined : { except: dice.pick(clients) }
        server.sendUpdate(eid, Dial[dice.pick(['word', 'secret', 'gust'])], { number: ++number }, to)
        for (const each of dials)
          if (![Dial.level, Dial.knob].every(column => isEven(column[each])) || !isLoud(Dial.label[each]))
            throw new Error(`the server has ${Dial.level[each]} ${Dial.knob[each]} ${Dial.label[each]}`)
      },
      withdraw: ({ world, schema, server }, dice) => {
        const dials = [...query(world, [schema.dclasses.Dial])]
        if (dials.length > 0) server.withdraw(dice.pick(dials))
      },
    },
    bots: {
      turn: ({ world, schema, client }, dice) => {
        const { Dial } = schema.dclasses
        const dials = [...query(world, [Dial, Alive])]
        for (const each of dials)
          if (
            ![Dial.knob[each], hasComponent(world, each, Owned) ? 0 : Dial.level[each]].every(isEven) ||
            !isLoud(Dial.mark[each])
          )
            throw new Error(`a client is shown ${Dial.level[each]} ${Dial.knob[each]} ${Dial.mark[each]}`)
        if (dials.length === 0) return
        const eid = dice.pick(dials)
        counts.written++
        if (dice.chance(0.7)) writeField(client, eid, Dial.knob, dice.whole(0, 99))
        else writeField(client, eid, Dial.mark, 'quite loud words'.slice(dice.whole(0, 15)))
      },
    },
    isWritten: (field, by) => by === 'owner' || field === 'Dial.count' || field.startsWith('Box.'),
    isSent: () => false,
  }
}

test(
  `with checks, writes of all, kept and required messages, worlds converge and show nothing that was refused (${SEEDS} seeds)`,
  async () => {
    const counts = createCounts()
    await converge(createGame(counts), { first: Number(process.env.SEED ?? 1), seeds: SEEDS })
    if (SEEDS >= 12) expect(Math.min(...Object.values(counts)), JSON.stringify(counts)).toBeGreaterThan(0)
  },
  Math.max(120_000, SEEDS * 1000),
)

/** Its owner hears late that it is to see the zones that the object goes through: for it, and for nobody else, the object was gone. */
const GONE_FOR_ONE: Scenario = {
  seed: 700119,
  ticks: 47,
  framesPerTick: 1,
  firstTick: 0,
  idle: 0,
  linkSeed: 700119,
  server: { maxBytesPerSecond: 6137 },
  clients: [
    { join: 0, zones: [], up: PERFECT_LINK, down: PERFECT_LINK },
    {
      join: 0,
      zones: [0xffffffff],
      updateRate: 10,
      commandRate: 20,
      up: { ...PERFECT_LINK, lag: 0.17094788399990646 },
      down: { ...PERFECT_LINK, lag: 0.17094788399990646, loss: 0.1741141265258193 },
    },
    { join: 0, zones: [], up: PERFECT_LINK, down: PERFECT_LINK },
  ],
  events: [
    { tick: 0, kind: 'spawn', object: 0, name: 'Dial', zone: 0xffffffff, owner: 2, seed: 1175608772 },
    { tick: 17, kind: 'rates', client: 1, byServer: true, updateRate: 30, commandRate: 60 },
    { tick: 38, kind: 'own', object: 0, owner: 1 },
    { tick: 41, kind: 'move', object: 0, zone: 3 },
    { tick: 45, kind: 'show', object: 0, visibility: 'always', client: 2 },
    { tick: 46, kind: 'move', object: 0, zone: 70000 },
  ],
}

test('an object that is back for one client, and was never gone for the server, is told what is required again', async () => {
  const { failure } = await play(prepareGame(createGame()), GONE_FOR_ONE)
  expect(failure).toBeUndefined()
})
