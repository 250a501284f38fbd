import { expect, test } from 'vitest'
import { converge } from 'bitecs-pipes/testing'
import { MENAGERIE } from '../support/menagerie.ts'

const SEEDS = Number(process.env.SEEDS ?? 1000)
const FIRST = Number(process.env.SEED ?? 1)

test(
  `after quiet, what each client sees equals the server's world (${SEEDS} seeds)`,
  async () => {
    const report = await converge(
      { schema: MENAGERIE },
      { first: FIRST, seeds: SEEDS, command: seed => `npm run converge -- --seed ${seed}` },
    )
    expect(report.seeds).toBe(SEEDS)
    expect(report.objects, 'there was something to see').toBeGreaterThan(0)
  },
  Math.max(600_000, SEEDS * 1000),
)
