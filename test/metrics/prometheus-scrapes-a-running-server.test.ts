import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { addComponent, addEntity } from 'bitecs'
import { Registry } from 'prom-client'
import { afterEach, expect, test } from 'vitest'
import { collectMetrics } from 'bitecs-pipes/metrics'
import { createWorlds, spawn, type Worlds } from '../support/worlds.ts'

const dc = 'dclass Rock { uint8 size broadcast; };'
let worlds: Worlds
let close = () => {}
afterEach(async () => {
  close()
  await worlds.end()
})

/** Serves a register over HTTP; returns how to scrape it, as Prometheus does. */
const serve = async (register: Registry) => {
  const http = createHttpServer(async (_request, response) => {
    response.setHeader('Content-Type', register.contentType)
    response.end(await register.metrics())
  })
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
  close = () => {
    http.closeAllConnections()
    http.close()
  }
  const { port } = http.address() as AddressInfo
  return async () => {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`)
    const text = await response.text()
    const values = new Map<string, number>()
    for (const line of text.split('\n'))
      if (line && !line.startsWith('#')) {
        const at = line.lastIndexOf(' ')
        values.set(line.slice(0, at), Number(line.slice(at + 1)))
      }
    return { text, values, type: response.headers.get('content-type') }
  }
}

test('what the server counts is there, by the documented names, and grows', async () => {
  worlds = createWorlds(dc)
  const register = new Registry()
  const stop = collectMetrics(worlds.server, register)
  const scrape = await serve(register)
  const guests = [await worlds.join(), await worlds.join()]
  for (let count = 0; count < 3; count++) spawn(worlds, 'Rock', { size: count }, 1)
  for (const guest of guests) await worlds.settle(guest.client.interest.set([1]))
  worlds.run(120)
  const first = await scrape()
  expect(first.type).toContain('text/plain')
  expect(first.text).toContain('# TYPE pipes_ticks_total counter')
  expect(first.values.get('pipes_clients')).toBe(2)
  expect(first.values.get('pipes_objects')).toBe(3)
  expect(first.values.get('pipes_joins_total')).toBe(2)
  expect(first.values.get('pipes_ticks_total')).toBe(worlds.server.tick)
  const down = worlds.network.stats.down.bytes
  expect(first.values.get('pipes_sent_bytes_total')).toBeGreaterThan(down / 2)
  expect(first.values.get('pipes_sent_bytes_total')).toBeLessThanOrEqual(down)
  expect(first.values.get('pipes_segments_sent_total')).toBeGreaterThanOrEqual(
    first.values.get('pipes_segments_encoded_total')!,
  )
  expect(first.values.get('pipes_tick_duration_seconds{quantile="0.99"}')).toBeGreaterThan(0)
  expect(first.values.get('pipes_client_sent_bytes_per_second{quantile="1"}')).toBeGreaterThan(0)
  expect(first.values.get('pipes_violations_total{kind="forbidden"}')).toBe(0)

  const eid = addEntity(worlds.world)
  addComponent(worlds.world, eid, worlds.schema.dclasses.Rock)
  worlds.server.place(eid, 1)
  guests[0]!.client.disconnect()
  worlds.run(30)
  const second = await scrape()
  expect(second.values.get('pipes_clients')).toBe(1)
  expect(second.values.get('pipes_leaves_total{reason="closed"}')).toBe(1)
  expect(second.values.get('pipes_objects')).toBe(4)
  for (const [name, value] of first.values)
    if (name.includes('_total'))
      expect(second.values.get(name), `${name} does not shrink when a client leaves`).toBeGreaterThanOrEqual(value)

  stop()
  expect((await scrape()).values.size).toBe(0)
})

test('each client has series of its own when asked for, and loses them when it leaves', async () => {
  worlds = createWorlds(dc)
  const register = new Registry()
  collectMetrics(worlds.server, register, { prefix: 'game_', perClient: true })
  const scrape = await serve(register)
  const guest = await worlds.join()
  worlds.run(60)
  const { clientId } = guest.client
  const of = `game_client_received_bytes_per_second{client="${clientId}"}`
  expect((await scrape()).values.get(of)).toBeGreaterThan(0)
  guest.client.disconnect()
  worlds.run(30)
  expect((await scrape()).values.has(of)).toBe(false)
})
