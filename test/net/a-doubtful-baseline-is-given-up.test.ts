import { expect, test } from 'vitest'
import { createDuo, isUpToDate } from './duo.ts'

test('after eight losses in a row a group is sent whole, without its baseline, and then trusted again', async () => {
  const duo = await createDuo('dclass Thing { uint16 a broadcast; };')
  const place = duo.add(1, 7)
  duo.run(20)
  expect(isUpToDate(duo)).toBe(true)
  // The client has lost what it had: packets arrive, and none of their state can be decoded.
  for (const group of duo.session.replica.groups.values()) group.history.frames.length = 0
  const before = duo.sent.length
  let value = 0
  while (duo.sent.length < before + 200 && value < 200) {
    duo.put(place, 2, ++value)
    duo.run(1)
    if (duo.sent.slice(before).some(({ entries }) => entries.some(({ isKeyframe }) => isKeyframe))) break
  }
  const tries = duo.sent.slice(before).flatMap(({ entries }) => entries)
  expect(tries.at(-1)!.isKeyframe, 'it is sent whole').toBe(true)
  expect(tries.length, 'but not before eight were lost').toBeGreaterThan(8)
  expect(tries.slice(0, -1).some(({ isKeyframe }) => isKeyframe)).toBe(false)
  duo.run(30)
  expect(isUpToDate(duo)).toBe(true)
  duo.put(place, 2, 1000)
  duo.run(5)
  const last = duo.sent.filter(({ entries }) => entries.length > 0).at(-1)!
  expect(last.entries[0]!.isKeyframe, 'trusted again').toBe(false)
  duo.end()
})
