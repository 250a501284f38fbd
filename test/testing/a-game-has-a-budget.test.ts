import { readFileSync } from 'node:fs'
import { query } from 'bitecs'
import * as testing from 'bitecs-pipes/testing'
import { describeCosts, expectBudget, type Game } from 'bitecs-pipes/testing'
import { expect, test } from 'vitest'
import { Owned } from 'bitecs-pipes/client'

const schema = `
dclass Avatar {
  int16/10 x broadcast ram ownsend;
  string(0-24) name broadcast;
  said(string(1-100) text) broadcast;
};
dclass Rock { uint8 size broadcast; };
`
/** Players that walk, and a server that says something now and then. */
const game: Game = {
  schema,
  bots: {
    walk({ world, schema: { dclasses } }, dice) {
      const { Avatar } = dclasses
      for (const eid of query(world, [Avatar, Owned])) Avatar.x[eid] = dice.below(1000)
    },
  },
  rules: {
    talk({ world, server, schema: { dclasses } }, dice) {
      const { Avatar } = dclasses
      for (const eid of query(world, [Avatar]))
        if (dice.chance(0.1)) server.sendUpdate(eid, Avatar.said, { text: 'x'.repeat(60) })
    },
  },
}
const options = { clients: 3, seconds: 2, warmUp: 1, objects: 8 }

test('within its budget it passes; what it costs is told by class and field, and adds up', async () => {
  const budget = { bytesDown: 1e6, tickP99: 1e4, settled: 30, down: { Rock: 1e6 } }
  const costs = await expectBudget(game, budget, options)
  expect(costs.bytesDown).toBeGreaterThan(100)
  for (const [bytes, classes] of [
    [costs.bytesDown, costs.down],
    [costs.bytesUp, costs.up],
  ] as const) {
    expect(classes.reduce((sum, each) => sum + each.bytes, 0)).toBeCloseTo(bytes, 3)
    for (const each of classes)
      expect(each.fields.reduce((sum, { bytes }) => sum + bytes, 0)).toBeCloseTo(each.bytes, 3)
  }
  const avatar = costs.down.find(({ dclass }) => dclass === 'Avatar')!
  const said = avatar.fields.find(({ field }) => field === 'said')!
  expect(said.bytes, 'some 70 bytes for each line').toBeGreaterThan(70)
  expect(costs.up.find(({ dclass }) => dclass === 'Avatar')!.fields.map(({ field }) => field)).toContain('x')
  expect(describeCosts(costs)).toMatch(/down +[\d,]+ B +100 %/)
})

test('over it, the error tells what, by how much, and where the bytes go', async () => {
  const error: Error = await expectBudget(
    game,
    { bytesDown: 1e6, bytesUp: 10, tickP50: 1e4, down: { 'Avatar.said': 20, Rock: 1e6 } },
    options,
  ).then(
    () => expect.unreachable(),
    (thrown: Error) => thrown,
  )
  expect(error.message).toMatch(/over its budget \(3 clients, 2 s, seed 1\)/)
  expect(error.message).toMatch(/bytesUp +[\d.,]+ B\/s, [\d,]+ % over 10/)
  expect(error.message).toMatch(/Avatar\.said \(down\) +[\d.,]+ B\/s, \d+ % over 20/)
  expect(error.message).toMatch(/\n {4}Avatar +[\d.,]+ B +\d+ %\n {6}said/)
  expect(error.message, 'only what is over').not.toMatch(/bytesDown|tickP50|Rock \(/)
  if (process.env.SHOW) console.log(error.message)
})

test('a field that there is not is no budget', async () => {
  await expect(expectBudget(game, { down: { 'Avatar.y': 5 } }, options)).rejects.toThrow('has no "Avatar.y"')
})

test('the code of "Testing your game" in the README runs', async () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const block = /```ts\n([\s\S]*?)```/.exec(readme.slice(readme.indexOf('## Testing your game')))![1]!
  const imported = [...block.matchAll(/import \{ (.*?) \} from 'bitecs-pipes\/testing'/g)].flatMap(([, list]) =>
    list!.split(', '),
  )
  const run: { name: string; body: () => unknown }[] = []
  const given: Record<string, unknown> = {
    expect,
    schema: readme.match(/```dc\n([\s\S]*?)```/)![1],
    bots: {},
    rules: {},
    test: (name: string, body: () => unknown) => run.push({ name, body }),
  }
  for (const name of imported) given[name] = (testing as Record<string, unknown>)[name]
  // A game of some size is played for as long as that takes; here the code is what counts.
  const code = block
    .replace(/^import .*$/gm, '')
    .replace(/seeds: \d+/, 'seeds: 1')
    .replace(/clients: \d+/, 'clients: 2, seconds: 1, warmUp: 1')
  new Function(...Object.keys(given), code)(...Object.values(given))
  expect(run.map(({ name }) => name)).toHaveLength(2)
  for (const { body } of run) await body()
})
