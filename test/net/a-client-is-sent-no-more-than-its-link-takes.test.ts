import { expect, test } from 'vitest'
import { allowance, createBudget, spend } from '../../src/net/budget.ts'
import { createPeer } from '../../src/net/peer.ts'
import { writeRow } from '../../src/net/store.ts'
import { createDuo, isUpToDate, type Duo } from './duo.ts'

const FAT = `dclass Fat { ${Array.from({ length: 100 }, (_, index) => `uint32 f${index} broadcast;`).join(' ')} };`

/** Objects that offer far more than fits: 400 bytes each in every tick. */
const stage = async (most: number, options: Parameters<typeof createDuo>[1] = {}) => {
  const duo = await createDuo(FAT, { rate: 30, most, ...options })
  const places = Array.from({ length: 20 }, (_, index) => duo.add(1, index + 1))
  duo.change = tick => {
    for (const place of places) {
      const row = new Uint32Array(place.group.layout.width)
      for (let word = 2; word < row.length; word++) row[word] = Math.imul(tick * 100 + word, 0x9e3779b1) >>> 0
      writeRow(place, row, 0, tick)
    }
  }
  return duo
}

const bytesSince = (duo: Duo, at: number) => duo.sent.reduce((sum, each) => (each.at > at ? sum + each.bytes : sum), 0)

test.each([2000, 6000, 20_000])('of %d bytes a second next to all are used, and none more', async most => {
  const duo = await stage(most)
  duo.run(60)
  // As what goes over one limit for a while must not be paid back later, each second counts.
  for (let count = 0; count < 3; count++) {
    const at = duo.now
    duo.run(10 * 30)
    const perSecond = bytesSince(duo, at) / (duo.now - at)
    expect(perSecond, 'bytes a second').toBeLessThan(most * 1.05)
    expect(perSecond).toBeGreaterThan(most * 0.85)
  }
  expect(duo.wrong).toEqual([])
  duo.end()
})

test('after a pause no more than a quarter of a second is made up for', () => {
  const budget = createBudget(40_000)
  const peer = createPeer()
  let sent = 0
  for (let now = 0; now < 10; now += 5) {
    for (let bytes = allowance(budget, peer, now); bytes > 0; bytes = allowance(budget, peer, now)) {
      expect(bytes).toBeLessThanOrEqual(1150)
      spend(budget, bytes)
      sent += bytes
    }
  }
  expect(sent).toBeLessThanOrEqual(2 * 10_000)
  expect(sent).toBeGreaterThan(2 * 9000)
})

/** A budget with a link of so many seconds of round trip and so much loss, looked at 20 times a second. */
const live = (most: number, seconds: number, link: { rtt?: number; loss?: number; isHeldUp?: boolean }) => {
  const budget = createBudget(most)
  const peer = createPeer()
  const rates: number[] = []
  let now = 0
  const go = (seconds: number, { rtt = 0.05, loss = 0, isHeldUp = false }) => {
    for (const end = now + seconds; now < end; now += 0.05) {
      Object.assign(peer, { rtt, minRtt: 0.05, loss })
      if (isHeldUp) budget.wasHeldUp = true
      allowance(budget, peer, now)
      rates.push(budget.rate)
    }
    return budget.rate
  }
  go(seconds, link)
  return { budget, rates, go }
}

test.each([
  ['the round trip grows', { rtt: 0.3 }],
  ['sends are held up by missing acknowledgements', { isHeldUp: true }],
  ['half of all packets are lost', { loss: 0.5 }],
])('it is less when %s, step by step, never below the least, and all again when that is over', (_, link) => {
  const { budget, rates, go } = live(100_000, 1, link)
  expect(budget.rate, 'after a second').toBeLessThan(60_000)
  expect(rates.every((rate, index) => index === 0 || rate <= rates[index - 1]!)).toBe(true)
  go(60, link)
  expect(budget.rate, 'the least').toBe(4096)
  go(1, {})
  expect(budget.rate, 'a second after').toBeGreaterThan(4096)
  go(10, {})
  expect(budget.rate).toBe(100_000)
})

test('a little loss, as of radio, costs nothing; with more the link is slow for that reason, and it comes back slowly', () => {
  expect(live(100_000, 5, { loss: 0.05 }).budget.rate).toBe(100_000)
  expect(live(100_000, 5, { loss: 0.2, rtt: 0.3, isHeldUp: true }).budget.rate).toBe(100_000)
  const { budget, go } = live(100_000, 1, { rtt: 0.3 })
  const before = budget.rate
  go(1, { loss: 0.2 })
  expect(budget.rate).toBeGreaterThan(before)
  expect(budget.rate).toBeLessThan(before + 15_000)
})

test('a limit below the least is the limit', () => {
  const { budget, go } = live(1500, 60, { rtt: 1 })
  expect(budget.rate).toBe(1500)
  go(60, { isHeldUp: true })
  expect(budget.rate).toBe(1500)
})

test('over a narrow link with a deep queue the state stays fresh', async () => {
  // 12 KB a second, with room for 3 s of packets in its queue: as a home router.
  const duo = await stage(100_000)
  const delays: number[] = []
  let queued = 0
  let at = duo.now
  duo.fate = () => {
    queued = Math.max(0, queued - (duo.now - at) * 12_000)
    at = duo.now
    if (queued > 36_000) return 'lost'
    queued += duo.sent.at(-1)!.bytes
    delays.push(queued / 12_000)
    return 1 + Math.ceil((queued / 12_000) * 30)
  }
  duo.run(10 * 30)
  delays.length = 0
  duo.run(20 * 30)
  delays.sort((a, b) => a - b)
  expect(delays[Math.floor(delays.length * 0.95)], 'seconds in the queue; naively it would be 3').toBeLessThan(0.6)
  expect(bytesSince(duo, duo.now - 20) / 20, 'and the link is used').toBeGreaterThan(6000)
  duo.change = () => {}
  duo.run(90)
  expect([isUpToDate(duo), duo.wrong]).toEqual([true, []])
  duo.end()
})
