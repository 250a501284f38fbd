import { afterAll, beforeAll, expect, it } from 'vitest'
import { geckos as geckosClient } from '../../src/geckos-client.ts'
import { geckos as geckosServer } from '../../src/geckos-server.ts'
import type { Connection } from '../../src/net/transport.ts'
import { until } from './support/until.ts'

const errors: string[] = []
const peers: Connection[] = []
const answers: Record<string, unknown> = {
  ada: { name: 'Ada', secret: 42 },
  no: false,
  banned: 451,
  none: undefined,
  true: true,
}
const transport = geckosServer({
  port: 0,
  authorization: async header => {
    if (header === 'throw') throw new Error('the database is gone')
    return answers[header ?? 'no']
  },
  onError: (_error, where) => void errors.push(where),
})
beforeAll(() => transport.listen(connection => void peers.push(connection)))
afterAll(() => transport.close())

const connect = (authorization = '') =>
  geckosClient({ port: transport.port, authorization: () => authorization }).connect()

it('hands what authorization returned to the session, and only to it', async () => {
  const client = await connect('ada')
  await until('the peer', () => peers.length > 0)
  expect(peers[0]!.authorization).toEqual({ name: 'Ada', secret: 42 })
  expect(client.authorization).toBeUndefined()
  client.close()
})

it('refuses with the status that authorization chose', async () => {
  await expect(connect('no')).rejects.toThrow(/authorization \(401\)/)
  await expect(connect()).rejects.toThrow(/authorization \(401\)/)
  await expect(connect('banned')).rejects.toThrow(/status 451/)
})

it('refuses when authorization throws or forgets to answer, and reports it', async () => {
  await expect(connect('throw')).rejects.toThrow(/status 500/)
  await expect(connect('none')).rejects.toThrow(/status 500/)
  expect(errors).toEqual(['authorization', 'authorization'])
  expect(transport.stats.unauthorized).toBe(5)
})
