import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSite, type Site } from './support/pages.ts'
import { freePort, startProgram, type Program } from './support/processes.ts'

// The demo as a player has it: its server in a process of its own, its page in a real browser, real WebRTC.

let server: Program
let site: Site
let port: number

beforeAll(async () => {
  port = await freePort()
  server = startProgram('examples/lobby/server.ts', [], { GAME_PORT: String(port) })
  await server.says('ready')
  site = await openSite('examples/lobby')
}, 90_000)

afterAll(async () => {
  await site?.close()
  await server?.stop()
})

interface Spot {
  readonly name: string
  readonly x: number
  readonly y: number
}

/** Opens the page and walks in; resolves when the player stands in the garden. */
const enter = async (name: string, options?: BrowserContextOptions): Promise<Page> => {
  const page = await site.open(`?name=${name}&auto=1&port=${port}`, options)
  await page.waitForFunction(() => (window as any).lobby?.me() !== undefined, undefined, { timeout: 30_000 })
  return page
}

const me = (page: Page): Promise<Spot> => page.evaluate(() => (window as any).lobby.me())

const other = (page: Page, name: string): Promise<Spot | undefined> =>
  page.evaluate(wanted => (window as any).lobby.avatars().find((avatar: Spot) => avatar.name === wanted), name)

const distance = (a: Spot, b: Spot): number => Math.hypot(a.x - b.x, a.y - b.y)

/** When a page first shows a player of that name: milliseconds since 1970, the same clock in every page. */
const seenAt = (page: Page, name: string): Promise<number> =>
  page.evaluate(
    wanted =>
      new Promise<number>(resolve => {
        const look = () => {
          const isHere = (window as any).lobby?.avatars().some((avatar: { name: string }) => avatar.name === wanted)
          if (isHere) resolve(performance.timeOrigin + performance.now())
          else setTimeout(look, 5)
        }
        look()
      }),
    name,
  )

/** When a page's client is let in by the server. */
const joinedAt = (page: Page): Promise<number> =>
  page.evaluate(
    () =>
      new Promise<number>(resolve => {
        const look = () => {
          if ((window as any).lobby?.client?.state === 'connected') resolve(performance.timeOrigin + performance.now())
          else setTimeout(look, 1)
        }
        look()
      }),
  )

test('two players see each other, walk to the same places, talk, and leave', async () => {
  const ada = await enter('Ada')
  // Watched from before Bob is let in until each page shows the other.
  const adaSees = seenAt(ada, 'Bob')
  const bob = await site.open(`?name=Bob&auto=1&port=${port}`)
  const [joined, bobSaw, adaSaw] = await Promise.all([joinedAt(bob), seenAt(bob, 'Ada'), adaSees])
  expect(adaSaw - joined, 'Ada sees Bob within a second of his joining').toBeLessThan(1000)
  expect(bobSaw - joined, 'Bob sees Ada within a second of joining').toBeLessThan(1000)
  await bob.waitForFunction(() => (window as any).lobby.me() !== undefined)

  const start = await me(ada)
  await ada.evaluate(({ x, y }) => (window as any).lobby.walkTo(x + 60, y + 40), start)
  // She stands still again when two looks, a while apart, find her at the same place, away from where she began.
  await ada.waitForFunction(
    ({ x, y }) => {
      const { lobby } = window as any
      const now = lobby.me()
      const isResting = lobby.last !== undefined && Math.hypot(now.x - lobby.last.x, now.y - lobby.last.y) < 0.01
      lobby.last = { x: now.x, y: now.y }
      return isResting && Math.hypot(now.x - x, now.y - y) > 30
    },
    start,
    { timeout: 20_000, polling: 300 },
  )
  const target = await me(ada)
  // Tolerance: positions are sent in tenths of a unit; an avatar is about 40 units tall.
  await bob.waitForFunction(
    ({ x, y }) => {
      const avatar = (window as any).lobby.avatars().find((each: Spot) => each.name === 'Ada')
      return avatar && Math.hypot(avatar.x - x, avatar.y - y) < 0.2
    },
    target,
    { timeout: 5_000 },
  )
  expect(distance((await other(bob, 'Ada'))!, target), 'Bob sees Ada where she is').toBeLessThan(0.2)
  expect(distance(start, target), 'and she did walk').toBeGreaterThan(30)

  // As many as the demo's server lets one say in a row.
  const lines = ['one', 'two', 'three']
  for (const line of lines) {
    await ada.evaluate(text => (window as any).lobby.say(text), `hello ${line}`)
    await ada.waitForFunction(
      text => (window as any).lobby.log.some((each: string) => each.includes(text)),
      `hello ${line}`,
    )
  }
  // A line of his own goes the same way, behind whatever might come twice.
  await bob.evaluate(() => (window as any).lobby.say('and that was all'))
  await bob.waitForFunction(() => (window as any).lobby.log.some((line: string) => line.includes('that was all')))
  const heard: string[] = await bob.evaluate(() =>
    (window as any).lobby.log.filter((line: string) => line.includes('hello')),
  )
  expect(
    heard.map(line => /hello (\w+)/.exec(line)![1]),
    'Bob reads each line once, in order',
  ).toEqual(lines)

  await site.leave(ada)
  await bob.waitForFunction(
    () => !(window as any).lobby.avatars().some((avatar: Spot) => avatar.name === 'Ada'),
    undefined,
    {
      timeout: 2_000,
    },
  )
  await site.leave(bob)
  expect(site.errors, 'no page reported an error').toEqual([])
}, 90_000)

test('the interest of a player follows it: creatures appear ahead and vanish behind', async () => {
  const page = await enter('Eve')
  await page.waitForFunction(() => (window as any).lobby.client.stats.objects > 10)
  const before: number[] = await page.evaluate(() => [...(window as any).lobby.client.interest.zones])
  const start = await me(page)
  const far = { x: start.x > 800 ? 200 : 1400, y: start.y }
  await page.evaluate(({ x, y }) => (window as any).lobby.walkTo(x, y), far)
  await page.waitForFunction(
    zones => {
      const now: ReadonlySet<number> = (window as any).lobby.client.interest.zones
      return zones.some((zone: number) => !now.has(zone)) && [...now].some(zone => !zones.includes(zone))
    },
    before,
    { timeout: 25_000 },
  )
  // Zones are known as soon as they are heard of, objects go with the next frame: so it holds again within one.
  await page.waitForFunction(() => {
    const { client, schema } = (window as any).lobby
    const { doId, zone } = schema.DistributedObject
    // Of those out of sight, the page keeps where they were.
    const here = [...doId.keys()].filter(eid => doId[eid] !== 0 && client.entityOf(doId[eid]) === eid)
    return here.length > 10 && here.every(eid => client.interest.zones.has(zone[eid]))
  })
  await page.waitForFunction(() => (window as any).lobby.client.stats.disabled > 0)
  await site.leave(page)
}, 60_000)

test('on a phone, a finger walks, and the panel has its numbers', async () => {
  const name = '<s>Pip</s>'
  const page = await enter(name, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true })
  await page.waitForFunction(() => (window as any).lobby.client.stats.objects > 10)
  await page.waitForFunction(text => document.body.textContent!.includes(text), name)
  expect(await page.locator('s').count(), 'what a player is called is text, whatever it looks like').toBe(0)
  const start = await me(page)
  await page.touchscreen.tap(195, 260)
  await page.waitForFunction(({ x, y }) => {
    const now = (window as any).lobby.me()
    return Math.hypot(now.x - x, now.y - y) > 20
  }, start)
  const isOverflowing = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)
  expect(isOverflowing, 'nothing is wider than the screen').toBe(false)
  await page.tap('#wire-toggle')
  await page.waitForFunction(() => {
    const stat = (name: string) => document.querySelector(`[data-stat="${name}"]`)?.textContent ?? ''
    const names = ['rtt', 'loss', 'snapshots', 'playout', 'objects']
    return names.every(name => /\d/.test(stat(name))) && Number.parseInt(stat('objects')) > 10
  })
  await site.leave(page)
  expect(site.errors, 'no page reported an error').toEqual([])
}, 60_000)

test('a connection that falls silent is told, and the same player comes back over another one', async () => {
  const page = await site.open(`?name=Fay&port=${port}`)
  await page.evaluate(() => {
    const Native = RTCPeerConnection
    window.RTCPeerConnection = class extends Native {
      constructor(configuration?: RTCConfiguration) {
        super(configuration)
        this.addEventListener('datachannel', ({ channel }) => {
          // Before anybody else: what comes and goes over it can be held back.
          channel.addEventListener('message', event => {
            if (channel === (window as any).cut) event.stopImmediatePropagation()
          })
          const send = channel.send.bind(channel) as (data: any) => void
          channel.send = (data: any) => channel !== (window as any).cut && send(data)
          Object.assign(window, { channel })
        })
      }
    }
  })
  await page.click('#enter')
  await page.waitForFunction(() => (window as any).lobby.me() !== undefined, undefined, { timeout: 30_000 })
  const before = await me(page)
  const id = await page.evaluate(() => (window as any).lobby.client.clientId)
  // It may be back so soon that who looks every half second never sees that it was away.
  await page.evaluate(() => {
    const away = document.querySelector<HTMLElement>('#away')!
    const note = () => !away.hidden && Object.assign(window, { wasAway: true })
    new MutationObserver(note).observe(away, { attributes: true })
    Object.assign(window, { cut: (window as any).channel })
  })
  await page.waitForFunction(() => (window as any).wasAway === true, undefined, { timeout: 30_000 })
  await page.waitForSelector('#away', { state: 'hidden', timeout: 20_000 })
  const after = await page.evaluate(() => ({
    ...(window as any).lobby.me(),
    id: (window as any).lobby.client.clientId,
  }))
  expect(after.id, 'it is the same session').toBe(id)
  expect(distance(after, before), 'at the same place').toBeLessThan(1)
  await site.leave(page)
  expect(site.errors, 'no page reported an error').toEqual([])
}, 90_000)

test('the tools over the page show what comes, make the link worse, record, and replay with scrubbing', async () => {
  const page = await enter('Cleo', { viewport: { width: 800, height: 600 } })
  const stat = (name: string): Promise<number> => page.evaluate(of => (window as any).lobby.client.stats[of], name)
  await page.keyboard.press('i')
  await page.waitForSelector('.panel')
  const rates = await page.textContent('.rates')
  await page.waitForFunction(
    ({ before }) => {
      const root = document.querySelector('[data-bitecs-pipes]')!.shadowRoot!
      const hasAge = /^[1-9]\d* ms$/.test(root.querySelector('[data-stat="baseline-age"]')!.textContent!)
      const isDrawn = root.querySelector<HTMLCanvasElement>('#traffic')!.width > 100
      return hasAge && isDrawn && root.querySelector('.rates')!.textContent !== before
    },
    { before: rates },
  )
  await page.waitForSelector('.row:has-text("Npc")')

  await page.click('#tab-objects')
  await page.fill('#search', 'mine')
  await page.click('.object')
  expect(await page.textContent('[data-field="name"] .value')).toBe('"Cleo"')
  expect(await page.textContent('[data-field="position"] .tag')).toBe('you write')

  await page.click('#tab-link')
  const before = await stat('rtt')
  for (const way of ['down', 'up']) await page.fill(`input[name="${way}-lag"]`, '0.3')
  await page.waitForFunction(rtt => (window as any).lobby.client.stats.rtt > rtt + 0.2, before)
  await page.click('button:has-text("As it is")')

  await page.click('#tab-record')
  await page.click('[data-do="record"]')
  const start = await me(page)
  const far = { x: start.x > 800 ? start.x - 250 : start.x + 250, y: start.y }
  await page.evaluate(({ x, y }) => (window as any).lobby.walkTo(x, y), far)
  const hasWalked = ({ x, y }: Spot) => {
    const cleo = (window as any).lobby.avatars().find((each: Spot) => each.name === 'Cleo')
    return cleo && Math.hypot(cleo.x - x, cleo.y - y) > 60
  }
  await page.waitForFunction(hasWalked, start)
  // The server has it too, and has told of it.
  await page.waitForFunction(bytes => (window as any).lobby.client.stats.bytesIn > bytes + 4_000, await stat('bytesIn'))
  await page.click('[data-do="stop"]')
  await page.click('[data-do="replay"]')
  await page.click('[data-do="play"]')
  const scrub = async (time: number) => page.fill('input[name="time"]', String(time))
  const end = Number(await page.getAttribute('input[name="time"]', 'max'))
  await scrub(0.1)
  await page.waitForFunction(({ x, y }) => {
    const cleo = (window as any).lobby.avatars().find((each: Spot) => each.name === 'Cleo')
    return cleo && !cleo.owned && Math.hypot(cleo.x - x, cleo.y - y) < 30
  }, start)
  expect(await page.evaluate(() => (window as any).lobby.npcs()), 'the garden is there too').toBeGreaterThan(5)
  await scrub(end)
  await page.waitForFunction(hasWalked, start)
  await scrub(0.1)
  await page.waitForFunction(({ x, y }) => {
    const cleo = (window as any).lobby.avatars().find((each: Spot) => each.name === 'Cleo')
    return cleo && Math.hypot(cleo.x - x, cleo.y - y) < 30
  }, start)
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('[data-do="save"]')])
  const file = await download.path()
  await page.click('[data-do="live"]')
  await page.waitForFunction(() => (window as any).lobby.me()?.name === 'Cleo')
  await page.setInputFiles('#file', file)
  await page.waitForSelector('.player')
  await page.click('[data-do="live"]')
  await page.waitForFunction(() => (window as any).lobby.me()?.name === 'Cleo')

  // By its header it goes where it is dragged, and stays there when it was closed.
  const header = (await page.locator('.panel header').boundingBox())!
  await page.mouse.move(header.x + 60, header.y + 20)
  await page.mouse.down()
  await page.mouse.move(header.x - 240, header.y + 20, { steps: 4 })
  await page.mouse.up()
  await page.keyboard.press('Alt+n')
  await page.waitForFunction(() => !document.querySelector('[data-bitecs-pipes]')!.shadowRoot!.querySelector('.panel'))
  await page.keyboard.press('i')
  await page.waitForSelector('.panel')
  const dragged = (await page.locator('.panel header').boundingBox())!
  expect(header.x - dragged.x, 'it was dragged to the left').toBeGreaterThan(200)
  await site.leave(page)
  expect(site.errors, 'no page reported an error').toEqual([])
}, 180_000)

test('the garden has its creatures', () => {
  expect(Number(/(\d+) creatures/.exec(server.output())![1])).toBeGreaterThanOrEqual(200)
})
