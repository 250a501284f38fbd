import { expect, test } from 'vitest'
import { random } from '../../src/net/random.ts'
import { createDuo, type Duo } from './duo.ts'

// SCTP lets about 1,200 unanswered bytes out after a loss: of large packets that is one, with small ones behind it by which
// SCTP learns of a loss.

const DC = 'dclass Thing { uint32 a broadcast; uint32 b broadcast; uint32 c broadcast; };'
/** Bytes of a probe: what is larger counts. */
const PROBE = 96
const LAG = 3

/** 30 objects that all change in each tick: about 500 bytes. */
const stage = async (loss: number): Promise<Duo> => {
  const chance = random(7)
  const duo = await createDuo(DC, { rate: 60, lag: LAG, codec: 'plain' })
  const places = Array.from({ length: 30 }, (_, index) => duo.add(1, index + 1))
  duo.change = () => {
    for (const place of places) for (const word of [2, 3, 4]) duo.put(place, word, Math.floor(chance() * 2 ** 32))
  }
  duo.fate = () => (chance() < loss ? 'lost' : LAG)
  duo.run(300)
  duo.sent.length = 0
  duo.run(300)
  return duo
}

test('every packet is large while nothing is lost', async () => {
  const duo = await stage(0)
  expect(duo.sent.filter(({ bytes }) => bytes > PROBE).length).toBe(duo.sent.length)
  duo.end()
})

test('above a loss of 5 %, one is, and small ones follow until it or a later one is answered', async () => {
  const duo = await stage(0.2)
  const large = duo.sent.filter(({ bytes }) => bytes > PROBE)
  const gaps = large.slice(1).map(({ sequence }, index) => sequence - large[index]!.sequence)
  expect(Math.min(...gaps), 'packets from one to the next').toBeGreaterThanOrEqual(LAG)
  expect(large.length, 'in 300 ticks').toBeGreaterThan(300 / 12)
  expect(duo.sent.length, 'of all sizes').toBeGreaterThan(250)
  expect(duo.wrong).toEqual([])
  duo.end()
})
