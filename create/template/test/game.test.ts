import { query } from 'bitecs'
import { Owned } from 'bitecs-pipes/client'
import { checkPermissions, converge, measure, type Game } from 'bitecs-pipes/testing'
import { expect, test } from 'vitest'
import schema, { Firefly, Player } from '../src/game.dc'
import { SIZE } from '../src/meadow.ts'
import { startGame } from '../src/rules.ts'

/** The game as the tests play it: chance and time are theirs, so that each run is the same. */
const game = (): Game<any> => {
  let move: (() => void) | undefined
  return {
    schema,
    spawn: {},
    hello: index => ({ name: `bot ${index}` }),
    start: ({ world, server }) => {
      let state = 1
      move = startGame(world, server, () => (state = (state * 48271) % 2147483647) / 2147483647)
    },
    tick: () => move?.(),
    bots: {
      run: ({ world }, dice) => {
        for (const eid of query(world, [Player, Owned])) {
          Player.position.x[eid] = dice.below(SIZE)
          Player.position.y[eid] = dice.below(SIZE)
        }
      },
    },
  }
}

test('clients can do what game.dc allows, and nothing else', () => checkPermissions({ schema }), 60_000)

test('every player sees the same, whatever the network does', async () => {
  await converge(game(), { seeds: 5 })
}, 60_000)

test('eight players cost less than this', async () => {
  const costs = await measure(game(), { clients: 8, objects: 0 })
  expect(costs.bytesDown, 'bytes a second to each player').toBeLessThan(4000)
}, 60_000)

test('who touches a firefly has caught it', async () => {
  let best = 0
  const { tick, ...rest } = game()
  const watched: Game<any> = {
    ...rest,
    tick: side => {
      tick!(side)
      for (const eid of query(side.world, [Player])) best = Math.max(best, Player.score[eid]!)
      expect(query(side.world, [Firefly]).length).toBe(24)
    },
  }
  await measure(watched, { clients: 4, seconds: 5, objects: 0 })
  expect(best).toBeGreaterThan(0)
}, 60_000)
