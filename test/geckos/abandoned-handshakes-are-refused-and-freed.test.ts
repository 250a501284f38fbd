import { afterAll, beforeAll, expect, it } from 'vitest'
import { echoOnce } from './support/honest-client.ts'
import { startServer, type ServerProcess } from './support/server-process.ts'
import { until } from './support/until.ts'

const MAX_PENDING = 32

let server: ServerProcess
beforeAll(async () => {
  server = await startServer({ maxPending: MAX_PENDING, maxPerAddress: 64, openTimeout: 1500 })
})
afterAll(() => server.dispose())

it('answers 503 above the cap and frees the places after the open timeout', async () => {
  const url = `http://127.0.0.1:${server.port}/.wrtc/v2/connections`
  const statuses = await Promise.all(
    Array.from({ length: 300 }, async () => {
      const response = await fetch(url, { method: 'POST' })
      await response.text()
      return response.status
    }),
  )
  const accepted = statuses.filter(status => status === 200).length
  expect(accepted, 'accepted').toBeGreaterThan(0)
  expect(statuses.filter(status => status === 503).length, 'the others are refused').toBe(300 - accepted)
  await until('all places to be free', async () => {
    const { openTimeouts, pendingRefused, hasteRefused } = (await server.status()).stats
    return openTimeouts >= accepted && openTimeouts + pendingRefused + hasteRefused >= 300
  })
  await echoOnce(server.port)
  expect(await server.close(), `${server.stderr()}`).toEqual({ code: 0, signal: null })
})
