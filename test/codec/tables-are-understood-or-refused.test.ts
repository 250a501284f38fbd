import { expect, test } from 'vitest'
import { recordAvatars } from '../../bench/scenes/avatars.ts'
import { groupsOf } from '../../bench/scenes/groups.ts'
import { run, train, trained, untrained } from '../../bench/codec-runs.ts'
import { planOf } from '../../src/net/codec/plan.ts'
import { MOST_TABLE_BYTES } from '../../src/net/codec/symbols.ts'
import { builtInTables, parseTables, type Tables } from '../../src/net/codec/tables.ts'
import { trainTables, trainTablesNow } from '../../src/net/codec/train.ts'
import { random } from '../../src/net/random.ts'
import { mutate, randomShape } from './support.ts'

const randomCounts = (contexts: number, chance: () => number, share = 0.1): Uint32Array => {
  const counts = new Uint32Array(contexts * 64)
  for (let context = 0; context < contexts; context++)
    if (chance() < share)
      for (let index = 0; index < 8; index++) counts[context * 64 + Math.floor(chance() * 52)]! += 2 ** (chance() * 20)
  return counts
}

const expectSound = ({ cumulative, lookup, maps }: Tables): void => {
  const distributions = cumulative.length >> 6
  expect(lookup.length).toBe(distributions << 7)
  for (let distribution = 0; distribution < distributions; distribution++) {
    const sums = cumulative.subarray(distribution << 6, (distribution << 6) + 53)
    expect(sums[0]).toBe(0)
    expect(sums[52]).toBe(1 << 14)
    for (let symbol = 0; symbol < 52; symbol++)
      if (sums[symbol]! >= sums[symbol + 1]!) expect.fail('a symbol of no width')
  }
  for (const map of maps) expect(map.every(distribution => distribution < distributions)).toBe(true)
}

test('tables that were trained on one scene make another one of its kind smaller', () => {
  const [one, other] = [1, 2].map(seed => groupsOf(recordAvatars(seed, 150, 100)))
  const age = { base: 2, before: 1 }
  const plan = planOf(other!.shape)
  const bytes = train([one!], [age])
  const before = run(other!, untrained(plan), age).bytes
  expect(run(other!, trained(plan, bytes), age).bytes).toBeLessThan(before * 0.9)
})

test('tables of several plans are read back as they were made, in at most 4,096 bytes', () => {
  const chance = random(3)
  const plans = [1, 2, 3].map(() => planOf(randomShape(chance)))
  const counts = plans.map((plan, index) => (index === 1 ? undefined : randomCounts(plan.contexts, chance, 1)))
  const bytes = trainTablesNow(plans, counts, { distributions: 40 })
  expect(bytes.length).toBeLessThanOrEqual(MOST_TABLE_BYTES)
  const tables = parseTables(bytes, plans)!
  expectSound(tables)
  // The plan of which nothing was counted keeps its built-in distributions.
  expect(tables.maps[1]).toEqual(builtInTables(plans).maps[1])
  expect(tables.maps[0]).not.toEqual(builtInTables(plans).maps[0])
  expect(tables.version).not.toBe(0)
  expect(parseTables(bytes, plans)!.version).toBe(tables.version)
})

test('training in slices and in one go makes the same tables', () => {
  const plan = planOf(randomShape(random(4)))
  const counts = [randomCounts(plan.contexts, random(5))]
  const work = trainTables([plan], counts)
  let slices = 0
  let step = work.next()
  for (; !step.done; step = work.next()) slices++
  expect(slices).toBeGreaterThan(3)
  expect(step.value).toEqual(trainTablesNow([plan], counts))
})

test('bytes that are no tables of these plans are refused, or are sound tables', () => {
  const chance = random(6)
  const plans = [planOf(randomShape(chance)), planOf(randomShape(chance))]
  const bytes = trainTablesNow(
    plans,
    plans.map(plan => randomCounts(plan.contexts, chance)),
    { distributions: 20 },
  )
  expect(parseTables(bytes, [plans[1]!, plans[0]!])).toBeUndefined()
  expect(parseTables(bytes, [plans[0]!])).toBeUndefined()
  expect(parseTables(new Uint8Array(0), plans)).toBeUndefined()
  expect(parseTables(new Uint8Array(MOST_TABLE_BYTES + 1).fill(1), plans)).toBeUndefined()
  let refused = 0
  for (let index = 0; index < 300; index++) {
    const mutated = mutate(bytes, chance)
    // So that more than the header is looked at.
    if (chance() < 0.9) mutated.set(bytes.subarray(0, Math.min(6, mutated.length)))
    const tables = parseTables(mutated, plans)
    if (tables) expectSound(tables)
    else refused++
  }
  expect(refused).toBeGreaterThan(100)
})
