import { expect, test } from 'vitest'
import { openStage } from '../support/stage.ts'

// What the pages of concepts promise.

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
