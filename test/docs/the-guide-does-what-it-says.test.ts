import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { readmeBlock } from '../readme/support.ts'
import { blocksOf, readPages } from './support/blocks.ts'
import { programs, writePrograms } from './support/program.ts'
import { closeStage, openStage, played } from './support/stage.ts'

// Each page's code is put together as its reader would, and run: servers and clients in this process, geckos.io replaced by links in
// memory, on virtual time. The page of the first five minutes runs in test/readme, over WebRTC in browsers.

vi.mock('bitecs-pipes/geckos/server', async () => (await import('./support/stage.ts')).serverTransport)
vi.mock('bitecs-pipes/geckos/client', async () => (await import('./support/stage.ts')).clientTransport)

let programsOf: Map<string, string[]>

beforeAll(() => {
  programsOf = writePrograms()
})

afterEach(closeStage)

test('all code type-checks against the real types', async () => {
  const { stdout } = await promisify(execFile)('npx', ['tsc', '--noEmit', '-p', programs]).catch(
    (error: { stdout: string }) => error,
  )
  // Of the sources themselves `npm run types` tells.
  expect(stdout.split('\n').filter(line => line.includes('docs/program'))).toEqual([])
}, 60_000)

test('chat: a line reaches everybody, once it is tidy', async () => {
  const { load, run, lines, until } = openStage('recipes/chat')
  const { server, whisper } = await load('one', 'server.ts')
  const [ada, bob] = [await load('ada', 'client.ts'), await load('bob', 'client.ts')]
  await run(0.5)
  ada.say('  hello\nthere ')
  await until('both hear it', () => lines.length === 2)
  expect(lines).toEqual(['Ada: hello there', 'Ada: hello there'])
  const [adaThere, bobThere] = [...server.clients.values()]
  expect(bobThere.data).toEqual({ name: 'Bob' })
  whisper(1, adaThere, 'psst')
  await run(0.5)
  expect(lines.length, 'one hears what is said to one').toBe(3)
  bob.client.disconnect()
})

test('chat: what is beyond the allowance is dropped', async () => {
  const { load, run } = openStage('recipes/chat')
  const { server, Avatar } = await load('one', 'server-limits.ts')
  const said = vi.fn<(...args: any[]) => void>()
  server.on(Avatar.say, (_: number, { text }: { text: string }) => said(text))
  const ada = await load('ada', 'client.ts')
  await run(0.5)
  for (let line = 0; line < 6; line++) ada.say(`line ${line}`)
  await run(1)
  expect(said.mock.calls.flat()).toEqual(['line 0', 'line 1', 'line 2', 'line 3'])
  expect(server.violations.flooded).toBe(2)
  expect(ada.client.state).toBe('connected')
})

test('health bars: they run after the column, and a creature at 0 is gone', async () => {
  const { load, run, until } = openStage('recipes/health-bars')
  const { spawn, strike, server, Creature } = await load('one', 'server.ts')
  const early = spawn()
  strike(early, 40)
  const { bars } = await load('ada', 'client.ts')
  await run(0.4)
  const draw = vi.fn<(...args: any[]) => void>()
  bars(0, draw)
  expect(draw.mock.calls[0]![1], 'it is not healed first').toBeCloseTo(0.6)
  strike(early, 30)
  await run(0.4)
  bars(0.01, draw)
  const [, part, flash] = draw.mock.calls[1]!
  expect(part).toBeLessThan(0.6)
  expect(part, 'it does not jump').toBeGreaterThan(0.3)
  expect(flash).toBeCloseTo(0.3, 1)
  strike(early, 99)
  expect(Creature.health[early]).toBe(0)
  await until('it is gone', () => (draw.mockClear(), bars(0.01, draw), draw.mock.calls.length === 0))
  expect(server.clients.size).toBe(1)
})

test('projectiles: all draw the arrow, and the server says what it hits', async () => {
  const { load, run, until } = openStage('recipes/projectiles')
  const { server, Avatar } = await load('one', 'server.ts')
  const [ada, bob] = [await load('ada', 'client.ts'), await load('bob', 'client.ts')]
  await until('both are there', () => server.clients.size === 2)
  await run(0.5)
  const owned = [...server.clients.keys()].map(id => [1, 2].find(eid => Avatar.health[eid] === 100 && id)!)
  expect(owned.length).toBe(2)
  Avatar.position.x[2] = 20
  await run(0.4)
  ada.shoot(0)
  const drawn: number[] = []
  await until('the other one sees it fly', () => (bob.drawArrows(0.1, (x: number) => drawn.push(x)), drawn.length > 0))
  await until('it hits', () => Avatar.health[2] === 75, 2)
  expect(Avatar.health[1]).toBe(100)
})

test('moving platform: the crate stands still on the lift in every frame', async () => {
  const { load, run } = openStage('recipes/moving-platform')
  const { teleport, crate } = await load('one', 'server.ts')
  const { heights } = await load('ada', 'client.ts')
  await run(1)
  const seen = new Set<number>()
  for (let frame = 0; frame < 100; frame++) {
    await run(1 / 60)
    const { lifts, crates } = heights()
    expect(crates[0] - lifts[0]).toBeCloseTo(1, 1)
    seen.add(Math.round(lifts[0] * 10))
  }
  expect(seen.size, 'it moves').toBeGreaterThan(10)
  teleport(crate, 40)
  await run(0.4)
})

test('doors: anyone switches a lamp, and only a key opens a door', async () => {
  const { load, run, lines } = openStage('recipes/doors')
  const { Lamp, Door, lamp, door } = await load('one', 'server.ts')
  const ada = await load('ada', 'client.ts')
  await run(0.4)
  ada.toggleLamps()
  await run(0.4)
  expect(Lamp.isLit[lamp]).toBe(1)
  ada.use(1)
  await run(0.4)
  expect(Door.isOpen[door]).toBe(0)
  expect(lines[0]).toMatch(/client 1 has no key/)
  ada.use(4711)
  await run(0.4)
  expect(Door.isOpen[door]).toBe(1)
  expect(
    Array.from(ada.Door.key as Uint16Array).every(key => key === 0),
    'no page knows the key',
  ).toBe(true)
})

test('secrets: each sees what it may', async () => {
  const { load, run, lines } = openStage('recipes/secrets')
  const { layMine, explode } = await load('one', 'server.ts')
  const [ada, bob] = [await load('ada', 'client.ts'), await load('bob', 'client.ts')]
  await run(0.5)
  const mine = layMine(1, 1)
  await run(0.5)
  expect(lines).toEqual(['You are of team 1.', 'You are of team 0.'])
  const [ofAda, ofBob] = [ada.inSight(), bob.inSight()]
  expect(ofAda.spies.map(({ gold }: any) => gold).sort()).toEqual([0, 100])
  expect(ofBob.spies.map(({ gold }: any) => gold).sort()).toEqual([0, 200])
  expect([...ofAda.spies, ...ofBob.spies].every(({ seed }: any) => seed === 0)).toBe(true)
  expect([ofAda.mines, ofBob.mines]).toEqual([1, 0])
  explode(mine)
  await run(0.5)
  expect([ada.inSight().mines, bob.inSight().mines]).toEqual([1, 1])
})

test('carrying: a field names an entity on each side', async () => {
  const { load, run } = openStage('recipes/carrying')
  const { Item, Node, item } = await load('one', 'server.ts')
  const ada = await load('ada', 'client.ts')
  await run(0.5)
  const [there] = [...ada.items()]
  expect(ada.places()).toEqual([{ x: 3, y: 0 }])
  ada.pickUp(there)
  await run(0.5)
  expect(Item.carrier[item]).toBeGreaterThan(0)
  ada.walkTo(20)
  await run(1)
  expect(Node.position.x[item]).toBe(20)
  expect(ada.places()[0].x).toBeCloseTo(20)
})

test('rooms: who enters sees the room and no other', async () => {
  const { load, run } = openStage('recipes/rooms')
  const { openRoom } = await load('one', 'server.ts')
  const [ada, bob] = [await load('ada', 'client.ts'), await load('bob', 'client.ts')]
  await run(0.5)
  expect(ada.companions().sort()).toEqual(['Ada', 'Bob'])
  const [caves, towers] = ada.rooms()
  expect([caves.title, towers.title]).toEqual(['Caves', 'Towers'])
  ada.enter(caves.eid)
  await run(0.5)
  expect(ada.companions()).toEqual(['Ada'])
  expect(bob.companions()).toEqual(['Bob'])
  expect(bob.rooms()[0].players, 'the lobby shows it').toBe(1)
  bob.enter(bob.rooms()[0].eid)
  await run(0.5)
  expect(bob.companions().sort()).toEqual(['Ada', 'Bob'])
  ada.leave()
  await run(0.5)
  expect(bob.companions()).toEqual(['Bob'])
  openRoom('Hills')
  await run(0.5)
  expect(bob.rooms().length).toBe(3)
})

test('large world: a player sees what is around it, wherever it goes', async () => {
  const { load, run } = openStage('recipes/large-world')
  await load('one', 'server.ts')
  const { walk, trees } = await load('ada', 'client.ts')
  await run(0.5)
  const far = () => Math.max(...trees().map(([x]: number[]) => x))
  expect(trees().length).toBeGreaterThan(30)
  expect(trees().length, 'not the whole map').toBeLessThan(200)
  expect(far()).toBeLessThan(500)
  for (let step = 0; step < 100; step++) {
    walk(10, 0)
    await run(1 / 30)
  }
  await run(3)
  expect(far()).toBeGreaterThan(1200)
  expect(Math.min(...trees().map(([x]: number[]) => x)), 'and what is behind is gone').toBeGreaterThan(300)
})

test('checked movement: walking is free, leaping is undone', async () => {
  const { load, run } = openStage('recipes/checked-movement')
  const { Avatar } = await load('one', 'server.ts')
  const { walk, me } = await load('ada', 'client.ts')
  await run(0.5)
  for (let frame = 0; frame < 60; frame++) {
    walk(10 / 60, 0)
    await run(1 / 60)
  }
  await run(0.5)
  expect(Avatar.position.x[1]).toBeCloseTo(10, 0)
  walk(50, 0)
  await run(0.5)
  expect(Avatar.position.x[1]).toBeCloseTo(10, 0)
  expect(me()[0], 'its own page is set back').toBeCloseTo(10, 0)
})

test('input: the server moves who steers', async () => {
  const { load, run } = openStage('recipes/input')
  const { Avatar } = await load('one', 'server.ts')
  const { steer, me } = await load('ada', 'client.ts')
  await run(0.5)
  steer(1, 0)
  await run(1)
  steer(0, 0)
  await run(0.5)
  expect(Avatar.position.x[1]).toBeGreaterThan(9)
  expect(me()).toBeCloseTo(Avatar.position.x[1], 1)
})

test('priority: what matters less is sent more rarely', async () => {
  const { load, run } = openStage('recipes/priority')
  await load('one', 'server.ts')
  const { world, client, Debris, Ship } = await load('ada', 'client.ts')
  await run(1)
  const counts = new Map<any, number>()
  const { query } = await import('bitecs')
  const newest = () =>
    [...query(world, [Debris]), ...query(world, [Ship])].map(eid => [eid, Debris.x[eid] || Ship.x[eid]])
  let before = new Map(newest() as [number, number][])
  for (let tick = 0; tick < 200; tick++) {
    await run(1 / 60)
    const now = new Map(newest() as [number, number][])
    for (const [eid, x] of now) if (before.get(eid) !== x) counts.set(eid, (counts.get(eid) ?? 0) + 1)
    before = now
  }
  const [few, some, many] = [...counts.values()].sort((a, b) => a - b)
  expect(few! * 2, `${few}, ${some}, ${many}`).toBeLessThan(some!)
  expect(some! * 1.5).toBeLessThan(many!)
  expect(client.state).toBe('connected')
})

test('reconnect: a gap is bridged, an end is followed by a new session, and leaving is the last word', async () => {
  const { load, run, until, network, lines } = openStage('recipes/reconnect')
  const { server } = await load('one', 'server.ts')
  const { names, texts, leave, client } = await load('ada', 'client.ts')
  const cut = (loss: number) => void (network.conditions.up.loss = network.conditions.down.loss = loss)
  await until('it is there', () => names().includes('Ada'))
  cut(1)
  await run(12)
  expect(texts.at(-1)).toBe('connection lost (timeout), trying to come back')
  expect(names()).toEqual(['Ada'])
  cut(0)
  await until('it is back', () => texts.at(-1) === 'back again', 20)
  expect(lines.slice(0, 2)).toEqual(['client 1 is away', expect.stringMatching(/client 1 is back after \d+ s/)])
  expect(client.clientId).toBe(1)
  cut(1)
  await until('its session is over', () => server.clients.size === 0, 60)
  cut(0)
  await until('there is a new one', () => texts.at(-1) === 'connected' && texts.length > 4, 60)
  await until('and it sees itself', () => names().join() === 'Ada')
  leave()
  await run(20)
  expect(texts.at(-1)).toBe('disconnected: closed')
  expect(server.clients.size).toBe(0)
})

test('listen server: both ends in one process, and a bot', async () => {
  const { load, run } = openStage('recipes/listen-server')
  const { stages, loop } = await load('one', 'both.ts')
  await run(0.5)
  expect(stages()).toEqual([3])
  loop.stop()
  await load('one', 'server.ts')
  const bot = await load('ada', 'client-bot.ts')
  await run(0.5)
  expect(bot.seen()).toBe(1)
  bot.leave()
})

test('tests and budgets: the game passes', async () => {
  const { load } = openStage('recipes/ci')
  const { tests } = await load('one', 'game-test.ts')
  vi.useRealTimers()
  expect(tests.map(({ name }: { name: string }) => name)).toEqual([
    'every client converges',
    'eight players stay within the budget',
    'clients can do what the schema allows',
  ])
  for (const { run } of tests) await run()
}, 60_000)

test('objects: the page is told of them by tags', async () => {
  const { load, run, lines } = openStage('concepts/objects')
  const { end } = await load('one', 'server.ts')
  expect(lines.shift()).toBe('2 100 true')
  const { followed } = await load('ada', 'client.ts')
  await run(0.5)
  expect(lines).toEqual(['Leo is here', 'Lea is here'])
  expect(followed()).toEqual(['Leo'])
  end()
  await run(0.5)
  expect(lines.at(-1)).toBe('Leo is gone')
})

test('schemas: a twin in TypeScript is the same', async () => {
  const { load, run } = openStage('concepts/schema')
  const { isSame } = await load('ada', 'twin.ts')
  expect(isSame).toBe(true)
  await load('one', 'server.ts')
  await run(0.1)
})

test('zones: what is asked for is granted or refused', async () => {
  const { load, run, lines } = openStage('concepts/zones')
  const { moveHouse } = await load('one', 'server.ts')
  const { numbers } = await load('ada', 'client.ts')
  expect(lines).toEqual(['1,2 granted, 100 refused'])
  await run(0.4)
  expect(numbers()).toEqual([1, 2])
  moveHouse(3)
  await run(0.5)
  expect(numbers()).toEqual([2])
})

test('time: what is shown is a little in the past, and ticks run with the server', async () => {
  const { load, run } = openStage('concepts/time')
  const server = await load('one', 'server.ts')
  const page = await load('ada', 'client.ts')
  const { newest, shown, delay, clock } = page
  await run(3)
  expect(delay()).toBeGreaterThan(0.02)
  const degrees = ([x, y]: number[]) => (Math.atan2(y!, x!) * 180) / Math.PI
  const lags: number[] = []
  for (let frame = 0; frame < 30; frame++) {
    await run(1 / 60)
    lags.push(((degrees(newest()) - degrees(shown()) + 540) % 360) - 180)
  }
  const lag = lags.reduce((sum, each) => sum + each) / lags.length
  expect(lag, 'at 90 degrees a second').toBeGreaterThan(1)
  expect(lag).toBeLessThan(20)
  expect(Math.abs(clock.tick - server.server.tick), 'the clock leads by 50 ms').toBeLessThanOrEqual(3)
  expect(page.steps, '30 a second').toBeGreaterThan(60)
})

test('authority: what is too much is refused and told', async () => {
  const { load, run, lines } = openStage('concepts/authority')
  const { counts } = await load('one', 'server.ts')
  await load('bob', 'client.ts')
  const { cheerForOthers } = await load('ada', 'client.ts')
  await run(0.5)
  for (let time = 0; time < 7; time++) cheerForOthers('go!')
  await run(0.5)
  expect(lines).toEqual(Array.from({ length: 5 }, () => '2 cheers for 1: go!'))
  expect(counts).toEqual(Array.from({ length: 2 }, () => 'client 2: flooded field-rate Player.cheer'))
})

test('messages: keywords say whom they reach', async () => {
  const { load, run, lines } = openStage('concepts/messages')
  const { heard } = await load('one', 'server.ts')
  const ada = await load('ada', 'client.ts')
  await run(0.5)
  expect(lines.sort(), 'who comes later is told').toEqual(['it says Vivos voco', 'it sounds 60'])
  await load('bob', 'client.ts')
  await run(0.5)
  lines.length = 0
  ada.ring(3)
  await run(0.5)
  expect(heard).toEqual(['client 1'])
  expect(lines.filter(line => line.endsWith('rang 3 times')).length, 'not who rang').toBe(1)
  expect(lines.filter(line => line === 'Somebody rang your bell.').length, 'the last to join owns it').toBe(1)
  lines.length = 0
  ada.swing(5)
  ada.swing(200)
  await run(0.5)
  expect(lines).toEqual(['it swings by 5'])
})

test('bandwidth: what is marked is sent, and what rests is free', async () => {
  const { load, run } = openStage('concepts/bandwidth')
  const { paint } = await load('one', 'server.ts')
  const { painted, rate } = await load('ada', 'client.ts')
  await run(0.5)
  paint(7, 3)
  await run(0.5)
  expect(painted()).toBe(1)
  await run(5)
  expect(rate(), 'an idle world').toBeLessThan(300)
})

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
    if (server === 'server-login.ts') expect(Avatar.name[1]).toBe('Guest')
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

test('the first five minutes are those of the README', async () => {
  const whole = (text: string) => text.replace(/\n+/g, '\n').trim()
  const blocks = blocksOf('start', readPages().get('start')!)
  const words = { 'lobby.dc': 'Declare what is shared', 'server.ts': 'The server, `', 'client.ts': 'The page, `' }
  for (const [name, place] of Object.entries({ ...words, 'vite.config.ts': '`vite.config.ts` makes' })) {
    const parts = blocks.filter(block => block.name === name).map(({ text }) => text)
    expect(whole(parts.join('')), name).toBe(whole(await readmeBlock(place)))
  }
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

test('no program was left out', () => {
  const all = [...programsOf].flatMap(([page, files]) => files.map(file => `${page}/${file}`))
  expect(all.filter(name => !played.has(name) && !name.startsWith('start/'))).toEqual([])
})
