import { afterAll, beforeAll, expect, it } from 'vitest'
import { createPeer } from '../../src/net/peer.ts'
import { infiltrate, type Cheat } from './support/cheat.ts'
import type { GameStatus } from './support/game.ts'
import { startGame, type ServerProcess } from './support/server-process.ts'
import { until } from './support/until.ts'

// A sample: `npm run flood` has a hundred attackers, and says what it does to the ticks.

const ATTACKERS = 6
/** Datagrams a second that one of them is allowed; it sends as many as it can. */
const ALLOWED = 20

let server: ServerProcess<GameStatus>
beforeAll(async () => {
  server = await startGame({ transport: { packetRate: ALLOWED } })
})
afterAll(() => server?.dispose())

it('takes what is allowed, drops the rest, and sends those away who go on; others are served meanwhile', async () => {
  const honest = await infiltrate(server.port)
  const cheats = await Promise.all(Array.from({ length: ATTACKERS }, () => infiltrate(server.port)))
  const before = await server.status()
  const start = performance.now()
  const body = new Uint8Array(40)
  const flood = async (cheat: Cheat): Promise<void> => {
    while (!cheat.isClosed) {
      for (let count = 0; count < 20; count++) cheat.packet(createPeer(), body)
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }
  const timer = setInterval(() => honest.packet(createPeer()), 200)
  const floods = cheats.map(flood)
  await until('all attackers to be sent away', () => cheats.every(({ isClosed }) => isClosed), 20_000)
  await Promise.all(floods)
  const heard = honest.received
  await until('state for the honest one', () => honest.received > heard)
  clearInterval(timer)

  const after = await server.status()
  const seconds = (performance.now() - start) / 1000
  const taken = after.stats.packets - before.stats.packets
  expect(after.stats.kicked).toBe(ATTACKERS)
  expect(taken, `datagrams taken in ${seconds.toFixed(1)} s`).toBeLessThan(ATTACKERS * ALLOWED * (seconds + 2) * 1.2)
  expect(after.stats.rateLimited, 'ten seconds of the allowance each').toBeGreaterThan(ATTACKERS * ALLOWED * 9)
  expect(after.errors).toEqual([])
  expect(server.alive(), server.stderr()).toBe(true)
}, 40_000)
