import { expect, test, vi } from 'vitest'
import { openStage } from '../support/stage.ts'

// What the recipes promise.

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
