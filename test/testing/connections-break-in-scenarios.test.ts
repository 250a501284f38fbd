import { expect, test } from 'vitest'
import { playSeed, prepareGame } from 'bitecs-pipes/testing'
import { MENAGERIE } from '../support/menagerie.ts'

const weights = { cut: 40 }
const broken = (log: readonly string[]) => log.filter(line => line.includes('the connection breaks')).length

test('the sessions go on, and every client shows what it should', async () => {
  const prepared = prepareGame({ schema: MENAGERIE })
  let cuts = 0
  for (const seed of [1, 3, 4, 7]) {
    const { outcome } = await playSeed(prepared, seed, { weights, isLogged: true })
    expect(outcome.failure, `seed ${seed}`).toBeUndefined()
    cuts += broken(outcome.log)
  }
  expect(cuts).toBeGreaterThan(8)
})

test('a game whose sessions do not go on is told so', async () => {
  const prepared = prepareGame({ schema: MENAGERIE, client: { resumeTime: 0 } })
  const { outcome } = await playSeed(prepared, 1, { weights })
  expect(outcome.failure).toMatchObject({ kind: 'session', lines: [expect.stringContaining('is closed: closed')] })
})
