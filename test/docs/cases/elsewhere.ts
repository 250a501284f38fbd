import { expect, test } from 'vitest'
import { closeStage, openStage } from '../support/stage.ts'

// What the pages for newcomers, of deployment and of looking inside promise.

test('coming from Colyseus: the same game', async () => {
  const { load, run, until } = openStage('coming-from/colyseus')
  await load('one', 'server.ts')
  const [ada, bob] = [await load('ada', 'client.ts'), await load('bob', 'client.ts')]
  await run(0.5)
  ada.move(30)
  const places = () => {
    const at: Record<string, number> = {}
    bob.draw((name: string, x: number) => (at[name] = x))
    return at
  }
  await until('the other one sees it', () => places().Ada === 30 && places().Bob === 0)
  ada.client.disconnect()
  await until('and sees it leave', () => !('Ada' in places()))
})

test('coming from geckos.io: the same game', async () => {
  const { load, run } = openStage('coming-from/geckos')
  await load('one', 'server.ts')
  const { draw } = await load('ada', 'client.ts')
  await run(1)
  const seen: number[][] = []
  draw((...place: number[]) => seen.push(place))
  await run(1)
  draw((...place: number[]) => seen.push(place))
  expect(seen[1]![0]! - seen[0]![0]!, '30 ticks').toBeCloseTo(30, -1)
  expect(seen[1]![1]! - seen[0]![1]!).toBeCloseTo(60, -1)
})

test('coming from Panda3D: its file as it is', async () => {
  const { load, run, lines } = openStage('coming-from/panda3d')
  const { setHealth } = await load('one', 'server.ts')
  const { say } = await load('ada', 'client.ts')
  await run(0.5)
  expect(lines).toEqual(['health 100', 'announceGenerate: Flippy'])
  say('hi')
  setHealth(1, 50)
  await run(0.5)
  expect(lines.slice(2).sort()).toEqual(['Flippy: hi', 'health 50'])
})

test('coming from Panda3D: views have components and handlers of their own', async () => {
  const { load, run, lines } = openStage('coming-from/panda3d')
  await load('one', 'server.ts')
  await load('bob', 'client-views.ts')
  const { cameras, sprites, sayTo } = await load('ada', 'client-views.ts')
  await run(0.5)
  expect([cameras(), sprites()]).toEqual([1, 2])
  sayTo('hi')
  await run(0.5)
  expect(lines).toEqual(['I hear myself say hi'])
})

test('deployment: each way to run it serves players', async () => {
  for (const [server, client] of [
    ['server.ts', 'client.ts'],
    ['server-http.ts', 'client-turn.ts'],
    ['server-login.ts', 'client.ts'],
  ] as const) {
    const { load, network } = openStage('deployment')
    const { server: running, http, stop, Avatar } = await load('one', server)
    const page = await load('ada', client)
    expect(page.client.state, server).toBe('connected')
    expect(running.clients.size).toBe(1)
    if (server === 'server-login.ts') expect(Avatar.name[1]).toBe('Ada')
    http?.close()
    if (stop) {
      process.off('SIGTERM', stop)
      process.off('SIGINT', stop)
    }
    expect(network.stats.up.lost).toBe(0)
    closeStage()
  }
})

test('what is shown of other libraries runs as well', async () => {
  const colyseus = await openStage('coming-from/colyseus').load('one', 'theirs.js')
  expect(new colyseus.State().players.size).toBe(0)
  closeStage()
  const { shown } = await openStage('coming-from/geckos').load('one', 'theirs.js')
  expect(shown?.state ?? []).toBeDefined()
})

test('looking inside: numbers of both ends', async () => {
  const { load, run } = openStage('looking-inside')
  const { http, server } = await load('one', 'server.ts')
  const { costs, ducks, makeItWorse, client, monitor } = await load('ada', 'client.ts')
  const { register } = await import('prom-client')
  await run(2)
  expect(costs()).toEqual(expect.arrayContaining([expect.stringMatching(/^Duck: \d+ bytes$/)]))
  expect(ducks()).toEqual([{ doId: 1, zone: 1, isOwned: false }])
  expect(await register.metrics()).toMatch(/^pipes_clients 1$/m)
  expect(server.stats.objects).toBe(1)
  makeItWorse()
  await run(3)
  expect(client.stats.rtt).toBeGreaterThan(0.2)
  monitor.stop()
  register.clear()
  http.close()
})
