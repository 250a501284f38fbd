import { expect, test } from 'vitest'
import { byteWriter, writeBytes, writeU16, writeU8, writeVarint } from '../../src/net/bytes.ts'
import { queueReliable, queueUnreliable } from '../../src/net/outgoing.ts'
import { encodeReliableMessage, encodeUnreliableMessage } from '../../src/net/message.ts'
import { Chunk, Kind } from '../../src/net/packet.ts'
import { random } from '../../src/net/random.ts'
import { ACKED, DECODED, sentStateOf } from '../../src/net/peer.ts'
import { createDuo, heldAt, isUpToDate, type Duo } from './duo.ts'

const DC = `
keyword unreliable;
dclass Thing { uint16 a broadcast; said(uint8 number) broadcast; blinked(uint8 number) broadcast unreliable; };
`

/** An object that changes in every tick, 60 times a second, and a chain of segments under way. */
const stage = async () => {
  const duo = await createDuo(DC, { rate: 60 })
  const place = duo.add(1, 7)
  duo.change = tick => duo.put(place, 2, tick & 0xffff)
  duo.run(60)
  // The next two sends build on each other.
  for (let tries = 0; tries < 20; tries++) {
    const [last] = duo.sent.slice(-1)
    if (duo.beat % 8 === 1 && last!.entries[0]!.span > 1) break
    duo.step()
  }
  return { duo, group: place.group.id, field: (name: string) => duo.schema.dclasses.Thing[name].field.number }
}

/** Whether the client has acknowledged a packet. */
const isAcked = ({ downlink }: Duo, sequence: number): boolean => {
  return sentStateOf(downlink.peer, sequence) === ACKED
}

test('a packet that overtook the one it builds on is decoded when that comes, and acknowledged only then', async () => {
  const { duo, group } = await stage()
  const first = duo.downlink.peer.nextSequence
  duo.fate = (_, sequence) => (sequence === first ? 3 : 1)
  duo.run(3)
  const [late, early] = duo.sent.slice(-3)
  expect(early!.entries[0]!.span, 'it builds on the send before').toBe(1)
  expect(duo.session.held.length, 'it waits').toBeGreaterThan(0)
  expect(heldAt(duo, group, early!.tick)).toBeUndefined()
  expect([isAcked(duo, late!.sequence), isAcked(duo, early!.sequence)]).toEqual([false, false])
  duo.run(1)
  expect(duo.session.held.length).toBe(0)
  expect(heldAt(duo, group, late!.tick) && heldAt(duo, group, early!.tick), 'both are decoded').toBeDefined()
  duo.run(2)
  expect([isAcked(duo, late!.sequence), isAcked(duo, early!.sequence)]).toEqual([true, true])
  expect([duo.session.replica.undecodable, duo.wrong]).toEqual([0, []])
  duo.end()
})

test('messages in a packet that waits do not run ahead of its state', async () => {
  const { duo, group, field } = await stage()
  const first = duo.downlink.peer.nextSequence
  duo.fate = (_, sequence) => (sequence === first ? 4 : 1)
  duo.step()
  const message = (name: string) => ({ doId: 7, field: field(name), packed: Uint8Array.of(1) })
  queueReliable(duo.downlink, encodeReliableMessage(message('said')))
  queueUnreliable(duo.downlink, encodeUnreliableMessage(message('blinked')))
  const heard: [string, boolean][] = []
  const { Thing } = duo.schema.dclasses
  let tick = 0
  for (const name of ['said', 'blinked'])
    duo.client.on(Thing[name], () => heard.push([name, heldAt(duo, group, tick) !== undefined]))
  duo.step()
  ;({ tick } = duo)
  expect([duo.sent.at(-1)!.fragments, duo.sent.at(-1)!.messages, duo.sent.at(-1)!.entries[0]!.span]).toEqual([1, 1, 1])
  duo.run(2)
  expect(heard, 'nothing yet').toEqual([])
  duo.run(20)
  expect(heard.sort(), 'each once, with its state').toEqual([
    ['blinked', true],
    ['said', true],
  ])
  duo.end()
})

test('one that waits in vain is given up when newer state came, and its messages are heard with that', async () => {
  const { duo, group, field } = await stage()
  const first = duo.downlink.peer.nextSequence
  duo.fate = (_, sequence) => (sequence === first ? 'lost' : 1)
  duo.step()
  const heard: number[] = []
  const { blinked } = duo.schema.dclasses.Thing
  const newest = () => duo.session.replica.groups.get(group)!.history.frames.at(-1)!.tick
  duo.client.on(blinked, () => heard.push(newest()))
  queueUnreliable(duo.downlink, encodeUnreliableMessage({ doId: 7, field: field('blinked'), packed: Uint8Array.of(9) }))
  duo.step()
  const { sequence, tick } = duo.sent.at(-1)!
  duo.step()
  expect([duo.session.held.length, heard]).toEqual([1, []])
  duo.run(10)
  expect(heard.length).toBe(1)
  expect(heard[0]).toBeGreaterThan(tick)
  expect(duo.session.replica.undecodable).toBeGreaterThan(0)
  expect(isAcked(duo, sequence), 'it was never decoded').toBe(false)
  expect(duo.session.held.length).toBe(0)
  duo.change = () => {}
  duo.run(20)
  expect([isUpToDate(duo), duo.wrong]).toEqual([true, []])
  duo.end()
})

test('it waits for one segment although another will never be decoded', async () => {
  const duo = await createDuo(DC, { rate: 60, zones: [1, 2] })
  const places = [duo.add(1, 7), duo.add(2, 8)]
  duo.change = tick => {
    for (const place of places) duo.put(place, 2, tick & 0xffff)
  }
  duo.run(60)
  const heard: number[] = []
  duo.client.on<{ number: number }>(duo.schema.dclasses.Thing.blinked, (_, { number }) => heard.push(number))
  const [first, second] = places.map(({ group }) => group.id).sort((a, b) => a - b)
  const writer = byteWriter()
  writeU8(writer, Kind.data)
  writeU16(writer, (duo.downlink.peer.nextSequence + 10) & 0xffff)
  writeU16(writer, (duo.tick + 5) & 0xffff)
  writeU8(writer, Chunk.state)
  writeU8(writer, 16)
  // Of the one group a frame that is older than what the client has, from a baseline that it never had.
  for (const field of [4, first! * 4 + 1, 20, 1000, 0]) writeVarint(writer, field)
  // Of the other one that builds on the tick before, which is to come.
  for (const field of [4, (second! - first!) * 4, 0, 0, 0]) writeVarint(writer, field)
  writeU8(writer, Chunk.message)
  const { number } = duo.schema.dclasses.Thing.blinked.field
  writeBytes(writer, encodeUnreliableMessage({ doId: 7, field: number, packed: Uint8Array.of(3) }))
  duo.deliver(writer.bytes.slice(0, writer.length))
  expect([duo.session.held.length, duo.client.stats.malformed]).toEqual([1, 0])
  duo.client.receive(duo.world)
  expect(heard).toEqual([])
  duo.run(12)
  expect([heard, duo.session.held.length]).toEqual([[3], 0])
  duo.end()
})

test('no message runs ahead of the state that it was sent with, whatever is lost or overtaken', async () => {
  let heard = 0
  let ahead = 0
  for (const [seed, loss, reorder] of [
    [1, 0, 0.4],
    [2, 0.05, 0],
    [3, 0.1, 0.4],
    [4, 0.3, 0.2],
    [5, 0.3, 0],
  ] as const) {
    const chance = random(seed)
    const duo = await createDuo(
      'dclass Counter { uint32 count broadcast; counted(uint32 count) broadcast; }; dclass Other { uint32 a broadcast; };',
      { rate: 30 },
    )
    const place = duo.add(1, 7)
    const others = Array.from({ length: 60 }, (_, index) => duo.add(1, 100 + index, 1))
    duo.run(30)
    const { Counter } = duo.schema.dclasses
    const { number } = Counter.counted.field
    duo.client.on(Counter.counted, (eid, { count }: { count: number }) => {
      heard++
      if (Counter.count[eid] < count) ahead++
    })
    duo.change = tick => {
      for (const other of others) if (chance() < 0.2) duo.put(other, 2, tick)
      if (chance() > 0.3) return
      duo.put(place, 2, tick)
      const packed = Uint8Array.of(tick & 255, tick >> 8, 0, 0)
      queueReliable(duo.downlink, encodeReliableMessage({ doId: 7, field: number, packed }))
    }
    const fate = () => (chance() < loss ? 'lost' : 1 + (chance() < reorder ? Math.floor(chance() * 6) : 0))
    duo.fate = fate
    duo.upFate = fate
    duo.run(300)
    expect(duo.wrong).toEqual([])
    duo.end()
  }
  expect(heard).toBeGreaterThan(300)
  expect(ahead, `of ${heard} messages`).toBe(0)
})

/** A packet of a tick that is to come, whose segment builds on the tick before it. */
const early = (sequence: number, tick: number, group: number): Uint8Array => {
  const writer = byteWriter()
  writeU8(writer, Kind.data)
  writeU16(writer, sequence & 0xffff)
  writeU16(writer, tick & 0xffff)
  writeU8(writer, Chunk.state)
  writeU8(writer, 16)
  writeVarint(writer, 4)
  writeVarint(writer, group * 4)
  writeU8(writer, 1)
  return writer.bytes.slice(0, writer.length)
}

test('at most 32 packets wait, whatever a server sends, and none for longer than 16 ticks', async () => {
  const { duo, group } = await stage()
  const { session, downlink, tick } = duo
  const { nextSequence } = downlink.peer
  for (let count = 0; count < 100; count++) {
    duo.deliver(early(nextSequence + count, tick + 5, group))
    expect(session.held.length).toBe(Math.min(32, count + 1))
  }
  expect(duo.client.stats.malformed, 'they are sound').toBe(0)
  expect(session.peer.bits[DECODED], 'none is acknowledged').toBe(0)
  // Packets of other groups go on: at each of them the client looks again.
  const empty = (at: number) => {
    const writer = byteWriter()
    writeU8(writer, Kind.data)
    writeU16(writer, (nextSequence + 100 + at) & 0xffff)
    writeU16(writer, (tick + 5 + at) & 0xffff)
    duo.deliver(writer.bytes.slice(0, writer.length))
  }
  empty(15)
  expect(session.held.length).toBe(32)
  empty(16)
  expect(session.held.length).toBe(0)
  duo.end()
})
