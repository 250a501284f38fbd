import { expect, test } from 'vitest'
import { createDuo, isUpToDate } from './duo.ts'

test('after eight losses in a row a group is sent whole, without its baseline, until something of it arrives', async () => {
  const duo = await createDuo('dclass Thing { uint16 a broadcast; };')
  const place = duo.add(1, 7)
  duo.run(20)
  expect(isUpToDate(duo)).toBe(true)
  // Whatever has state in it is lost, the rest arrives and tells so: as when a client cannot decode a group.
  const before = duo.sent.length
  let isLosing = true
  duo.fate = ({ entries }) => (isLosing && entries.length > 0 ? 'lost' : 1)
  duo.put(place, 2, 1)
  duo.run(120)
  const tries = duo.sent.slice(before).flatMap(({ entries }) => entries)
  expect(tries.length, 'it is tried again and again').toBeGreaterThan(10)
  const doubted = tries.findIndex(({ isKeyframe }) => isKeyframe)
  expect(doubted, 'at first with the baseline, and until the eighth loss is known').toBeGreaterThanOrEqual(8)
  expect(doubted).toBeLessThan(12)
  expect(
    tries.slice(doubted).every(({ isKeyframe }) => isKeyframe),
    'then it stays in doubt',
  ).toBe(true)
  isLosing = false
  duo.run(20)
  expect(isUpToDate(duo)).toBe(true)
  duo.put(place, 2, 2)
  duo.run(5)
  expect(duo.sent.filter(({ entries }) => entries.length > 0).at(-1)!.entries[0]!.isKeyframe, 'trusted again').toBe(
    false,
  )
  duo.end()
})
