import { expect, test } from 'vitest'
import { createScenario, play, playSeed, prepareGame, WEIGHTS } from 'bitecs-pipes/testing'
import { MENAGERIE } from '../support/menagerie.ts'

test('a seed gives the same run, whatever was played before it', async () => {
  const prepared = prepareGame({ schema: MENAGERIE })
  const once = []
  for (const seed of [3, 4, 12]) once.push((await playSeed(prepared, seed, { isLogged: true })).outcome)
  for (const [index, seed] of [12, 4, 3].entries()) {
    const { outcome } = await playSeed(prepared, seed, { isLogged: true })
    expect(outcome, `seed ${seed}`).toEqual(once[2 - index])
  }
  const fresh = await playSeed(prepareGame({ schema: MENAGERIE }), 12, { isLogged: true })
  expect(fresh.outcome).toEqual(once[2])
  expect(once[2]!.log.length).toBeGreaterThan(10)
})

test('a scenario survives JSON', async () => {
  const prepared = prepareGame({ schema: MENAGERIE })
  const scenario = createScenario(12, prepared.cast)
  const copy = JSON.parse(JSON.stringify(scenario))
  expect(await play(prepared, copy)).toEqual(await play(prepared, scenario))
})

test('scenarios differ from seed to seed, and see to it that ticks and packet sequences wrap', async () => {
  const { cast } = prepareGame({ schema: MENAGERIE })
  const scenarios = Array.from({ length: 300 }, (_, index) => createScenario(index + 1, cast))
  expect(new Set(scenarios.map(scenario => JSON.stringify(scenario.events))).size).toBeGreaterThan(290)
  const wraps = scenarios.filter(({ firstTick, idle, ticks }) => firstTick + idle + ticks > 0xffffffff)
  expect(wraps.length).toBeGreaterThan(40)
  expect(scenarios.some(({ idle }) => idle > 0xffff - 100)).toBe(true)
  const links = scenarios.flatMap(({ clients }) => clients.map(({ down }) => down))
  expect(Math.max(...links.map(({ loss }) => loss))).toBeGreaterThan(0.35)
  const kinds = new Set(scenarios.flatMap(({ events }) => events.map(({ kind }) => kind)))
  const others = Object.keys(WEIGHTS).filter(kind => kind !== 'rule' && kind !== 'bot')
  expect([...kinds].sort()).toEqual(others.sort())
})
