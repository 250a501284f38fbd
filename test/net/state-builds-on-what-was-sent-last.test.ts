import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CODECS } from '../../src/net/codec.ts'
import { chainDepth } from '../../src/net/downlink.ts'
import { random } from '../../src/net/random.ts'
import { ACKED, sentStateOf } from '../../src/net/peer.ts'
import { createDuo, isUpToDate, type Duo } from './duo.ts'

const DC = 'dclass Thing { uint16 a broadcast; uint16 b broadcast; };'

/** A world in which one object changes in every tick, with a client on the other end. */
const stage = async (options: Parameters<typeof createDuo>[1] = {}) => {
  const duo = await createDuo(DC, { rate: 60, ...options })
  const place = duo.add(1, 7)
  duo.change = tick => duo.put(place, 2, tick & 0xffff)
  return duo
}

/** Spans of the group's segments in these sends; 0 for a keyframe. */
const spans = (duo: Duo, from: number) => duo.sent.slice(from).flatMap(({ entries }) => entries.map(({ span }) => span))

test('while nothing is lost, three segments in four or more build on the send before, not on an old acknowledgement', async () => {
  const duo = await stage({ lag: 6, upLag: 6 })
  duo.run(60)
  const before = duo.sent.length
  duo.run(240)
  const found = spans(duo, before)
  expect(found.length, 'segments: one a send').toBe(240)
  const chained = found.filter(span => span === 1).length
  expect(chained / found.length, 'share that builds on the send before').toBeGreaterThan(0.8)
  // The others are as old as a round trip: an acknowledged frame.
  expect(found.filter(span => span !== 1).every(span => span >= 6)).toBe(true)
  expect(duo.session.replica.undecodable).toBe(0)
  expect(duo.wrong).toEqual([])
  duo.end()
})

test('while answers come back within as many sends as a chain may have, nothing but chains is sent', async () => {
  const duo = await stage({ lag: 3, upLag: 3 })
  duo.run(60)
  const before = duo.sent.length
  duo.run(120)
  expect(spans(duo, before)).toEqual(Array.from({ length: 120 }, () => 1))
  expect([duo.downlink.depth, duo.session.replica.undecodable, duo.wrong]).toEqual([8, 0, []])
  duo.end()
})

test('with a codec that foretells, too, a lost packet takes along only those up to the next anchor', async () => {
  for (let missed = 0; missed < 8; missed++) {
    // Answers come too late to tell of it in time.
    const duo = await stage({ lag: 6, upLag: 6, codec: 'range' })
    duo.run(90)
    const lost = duo.downlink.peer.nextSequence + missed
    duo.fate = (_, sequence) => (sequence === lost ? 'lost' : 6)
    duo.run(missed + 10)
    const anchors = duo.sent.filter(({ sequence, entries }) => sequence > lost && entries[0]!.span > 1)
    duo.run(40)
    expect(anchors.length, `after packet ${lost}`).toBeGreaterThan(0)
    expect(duo.session.replica.undecodable).toBe(anchors[0]!.sequence - lost - 1)
    expect(duo.wrong).toEqual([])
    duo.end()
  }
})

test('the more is lost, and the fewer sends there are, the shorter the chains', () => {
  expect([0, 0.002, 0.004, 0.014, 0.016, 0.029, 0.031, 0.2, 1].map(loss => chainDepth(loss, 60))).toEqual([
    8, 8, 4, 4, 2, 2, 1, 1, 1,
  ])
  for (const loss of [0, 0.005, 0.02, 0.5]) {
    const depths = Array.from({ length: 255 }, (_, index) => chainDepth(loss, index + 1))
    expect(Math.min(...depths)).toBe(1)
    expect(depths.every((depth, index) => index === 0 || depth >= depths[index - 1]!)).toBe(true)
    // Nothing stands still for longer than 0.15 s for one lost packet.
    expect(depths.every((depth, index) => depth === 1 || depth / (index + 1) <= 0.15)).toBe(true)
  }
})

test('at 20 % loss every segment builds on what was acknowledged', async () => {
  const duo = await stage({ lag: 2, upLag: 2 })
  const chance = random(4)
  duo.fate = () => (chance() < 0.2 ? 'lost' : 2)
  duo.run(300)
  const before = duo.sent.length
  const { undecodable } = duo.session.replica
  duo.run(300)
  expect(duo.downlink.depth).toBe(1)
  expect(spans(duo, before).every(span => span >= 4)).toBe(true)
  expect(duo.session.replica.undecodable, 'nothing waits for anything').toBe(undecodable)
  expect(duo.wrong).toEqual([])
  duo.end()
})

test('a lost packet breaks the chain: the first answer that tells of it is answered with an anchor', async () => {
  const duo = await stage()
  duo.run(120)
  // Right behind an anchor, so that the next one is not due for long.
  while (duo.beat % 8 !== 0) duo.step()
  const lost = duo.downlink.peer.nextSequence
  duo.fate = (_, sequence) => (sequence === lost ? 'lost' : 1)
  duo.run(8)
  const [first, ...after] = duo.sent.slice(-8)
  expect([first!.sequence, first!.entries[0]!.span]).toEqual([lost, 1])
  const found = after.map(({ entries, sequence }) => ({ span: entries[0]!.span, sequence }))
  // One send later a packet arrives that builds on it, two later the server knows, three later it sends an anchor.
  expect(found.slice(0, 2).map(({ span }) => span)).toEqual([1, 1])
  expect(found[2]!.span, 'ticks from what was acknowledged before').toBeGreaterThan(2)
  duo.run(4)
  const states = found.slice(0, 3).map(({ sequence }) => sentStateOf(duo.downlink.peer, sequence))
  expect(states[2]).toBe(ACKED)
  expect(states.slice(0, 2), 'what builds on the lost one is never acknowledged').not.toContain(ACKED)
  expect(duo.wrong).toEqual([])
  duo.change = () => {}
  duo.run(20)
  expect(isUpToDate(duo)).toBe(true)
  duo.end()
})

test('so is one that tells of a packet that came and could not be decoded, though nothing is lost', async () => {
  const duo = await stage()
  duo.run(120)
  while (duo.beat % 8 !== 1) duo.step()
  // The client has just decoded the newest frame, acknowledged it, and forgets it: what builds on it fails.
  duo.step()
  const [group] = duo.session.replica.groups.values()
  group!.history.frames.pop()
  duo.run(4)
  const found = duo.sent.slice(-4).map(({ entries }) => entries[0]!.span)
  // Undecodable, but on its way before the server knows; an anchor.
  expect([found[0], found[1]! > 1], `spans ${found}`).toEqual([1, true])
  expect(duo.downlink.peer.loss).toBe(0)
  duo.change = () => {}
  duo.run(30)
  expect([isUpToDate(duo), duo.wrong]).toEqual([true, []])
  duo.end()
})

test('nothing builds on a packet that is known to be lost, though no other has told of it', async () => {
  const duo = await createDuo(DC, { rate: 60, lag: 4, upLag: 4 })
  const place = duo.add(1, 7)
  duo.run(120)
  while (duo.beat % 8 !== 7) duo.step()
  // The packet with the change is lost, three without one arrive, and in the moment that tells so it changes again.
  const lost = duo.downlink.peer.nextSequence
  const tick = duo.tick + 1
  duo.change = now => {
    if (now === tick || now === tick + 11) duo.put(place, 2, now & 0xffff)
  }
  duo.fate = (_, sequence) => (sequence === lost ? 'lost' : 4)
  duo.run(12)
  const sends = duo.sent.slice(-12).map(({ entries }) => entries.map(({ span }) => span))
  expect(duo.downlink.depth, 'chains are in use').toBeGreaterThan(1)
  expect(sends.slice(1, 11).flat(), 'silence between the two').toEqual([])
  expect(sends[11]![0], 'not 11: that frame never arrived').toBeGreaterThan(100)
  duo.run(12)
  expect([isUpToDate(duo), duo.session.replica.undecodable, duo.wrong]).toEqual([true, 0, []])
  duo.end()
})

test('whichever packet a client misses, it has everything again a few sends later', async () => {
  for (let missed = 0; missed < 16; missed++) {
    const duo = await stage({ lag: 2, upLag: 2 })
    duo.run(60)
    const first = duo.downlink.peer.nextSequence + missed
    duo.fate = (_, sequence) => (sequence === first ? 'lost' : 2)
    duo.run(missed + 1)
    const tick = duo.tick
    duo.run(14)
    const [group] = duo.session.replica.groups.values()
    expect(group!.history.frames.at(-1)!.tick, `after packet ${first} was lost`).toBeGreaterThan(tick + 6)
    expect(duo.wrong).toEqual([])
    duo.end()
  }
})

test('whatever is lost, doubled or overtaken, no frame of the client is ever wrong, and all is there when it is quiet', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.constantFrom(0, 0.005, 0.02, 0.1, 0.4),
      fc.constantFrom(0, 0.1, 0.5),
      fc.constantFrom(1000, 0xffffffff - 40),
      fc.constantFrom(...CODECS),
      async (seed, loss, reorder, firstTick, codec) => {
        const chance = random(seed)
        const duo = await createDuo(DC, { rate: 60, firstTick, lag: 2, codec })
        const places = Array.from({ length: 100 }, (_, index) => duo.add(1, index + 1))
        duo.change = tick => {
          for (const place of places) if (chance() < 0.1) duo.put(place, 2 + (tick & 1), Math.floor(chance() * 0x10000))
        }
        const delay = () => 1 + (chance() < reorder ? Math.floor(chance() * 12) : 1)
        const fate = () => (chance() < loss ? 'lost' : chance() < 0.1 ? [delay(), delay()] : delay())
        duo.fate = fate
        duo.upFate = fate
        duo.run(200)
        duo.change = () => {}
        duo.fate = () => 1
        duo.upFate = () => 1
        duo.run(60)
        const { replica } = duo.session
        duo.end()
        expect([duo.wrong, isUpToDate(duo), replica.desyncs, duo.client.stats.malformed]).toEqual([[], true, 0, 0])
      },
    ),
    { numRuns: 16 },
  )
})
