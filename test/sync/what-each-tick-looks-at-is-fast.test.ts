import { setFlagsFromString } from 'node:v8'
import { expect, test, vi } from 'vitest'
import type { ServerState } from '../../src/systems/server-state.ts'
import { createWorlds, spawn } from '../support/worlds.ts'

// An object that has getters, or lost a property, is a table to V8: each look at it is a search, in each tick, for each client.

let seen: ServerState | undefined
vi.mock(import('../../src/systems/replicate.ts'), async original => {
  const { replicate } = await original()
  return { replicate: state => replicate((seen = state)) }
})

/** What the game is given to look at, now and then. */
const LOOKED_AT_SELDOM = /^(?!state\.store\.stats$).*\.(?:stats|client|clients|handlers|transport|world|schema)$/

setFlagsFromString('--allow-natives-syntax')
const isFast = new Function('each', 'return %HasFastProperties(each)') as (each: object) => boolean

const partsOf = (each: object): [string, unknown][] => {
  if (each instanceof Map || each instanceof Set)
    return [...each.entries()].flatMap(([key, value]) => [
      ['', key],
      ['', value],
    ])
  return Object.entries(Object.getOwnPropertyDescriptors(each)).map(([name, { value }]) => [
    Array.isArray(each) ? '' : `.${name}`,
    value,
  ])
}

/** Where there are slow objects: as a path of names from `root`. */
const slowIn = (root: object): Set<string> => {
  const slow = new Set<string>()
  const known = new Set<unknown>()
  const rest: [unknown, string][] = [[root, 'state']]
  for (let next = rest.pop(); next; next = rest.pop()) {
    const [each, path] = next
    if (typeof each !== 'object' || each === null || ArrayBuffer.isView(each)) continue
    if (known.has(each) || LOOKED_AT_SELDOM.test(path)) continue
    known.add(each)
    if (!isFast(each)) slow.add(path)
    for (const [name, value] of partsOf(each)) rest.push([value, path + name])
  }
  return slow
}

test('a table is found, also where the game looks at it as well', () => {
  const table = {
    get count() {
      return 1
    },
  }
  expect([...slowIn({ quick: { count: 0 }, table, client: table })]).toEqual(['state.table'])
  expect([...slowIn({ store: { stats: table }, stats: {} })]).toEqual(['state.store.stats'])
})

test('a server has none in what its ticks look at', async () => {
  const worlds = createWorlds<any>(
    'dclass Walker { int16/10 x broadcast; int16/10 y broadcast ownsend; string name broadcast; };',
  )
  for (const name of ['first', 'second']) {
    const guest = await worlds.join()
    const eid = spawn(worlds, 'Walker', { name }, 1, worlds.clientOf(guest))
    worlds.game = () => worlds.schema.dclasses.Walker.x[eid]++
    worlds.run(60)
  }
  expect(seen!.sessions.size).toBe(2)
  expect(seen!.store.stats.segments).toBeGreaterThan(20)
  expect([...slowIn(seen!)]).toEqual([])
  await worlds.end()
})
