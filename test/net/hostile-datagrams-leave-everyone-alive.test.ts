import { expect, test } from 'vitest'
import { fuzz } from './fuzz.ts'

test.each([1, 2])(
  'noise, replays, mutations and rubbish in sound packets (seed %i): honest clients play on',
  async seed => {
    const { differences, states, toServer, toClients, victims, violations } = await fuzz(8000, seed)
    expect(states).toEqual(['connected', 'connected'])
    for (const [seen, expected] of differences) expect(seen).toEqual(expected)
    // It was fuzz indeed, and most of it was noticed.
    expect(toServer + toClients).toBeGreaterThanOrEqual(8000)
    expect(victims).toBeGreaterThan(0)
    expect(violations['malformed']).toBeGreaterThan(100)
  },
  60_000,
)
