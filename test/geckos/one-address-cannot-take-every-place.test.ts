import { expect, it } from 'vitest'
import { admit, createAdmission, leave, promote } from '../../src/net/geckos/admission.ts'
import { createStats } from '../../src/net/geckos/stats.ts'

const limits = { maxConnections: 6, maxPending: 4, maxPerAddress: 3, handshakeRate: 2 }

it('counts handshakes and open peers per address, and gives places back', () => {
  const admission = createAdmission()
  const stats = createStats()
  const enter = (address: string) => admit(admission, address, limits, stats, 0)
  expect([enter('a'), enter('a'), enter('a'), enter('a')]).toEqual([true, true, true, false])
  expect([enter('b'), enter('b')], 'four handshakes at most').toEqual([true, false])
  promote(admission)
  promote(admission)
  expect([enter('b'), enter('b')], 'two opened, so two more may shake hands').toEqual([true, true])
  promote(admission)
  expect(enter('c'), 'six in all').toBe(false)
  leave(admission, 'a', true)
  expect(enter('a'), 'a place of the address is free again').toBe(true)
  expect(stats).toMatchObject({ addressRefused: 1, pendingRefused: 1, fullRefused: 1 })
})

it('lets an address come and go only so often', () => {
  const admission = createAdmission()
  const stats = createStats()
  const visit = (address: string, now: number) => {
    const isIn = admit(admission, address, limits, stats, now)
    if (isIn) leave(admission, address, false)
    return isIn
  }
  const times = (count: number, now: number) => Array.from({ length: count }, () => visit('a', now)).filter(Boolean)
  expect(times(20, 0).length, 'twice maxPerAddress at once').toBe(6)
  expect(times(20, 1000).length, 'two more a second').toBe(2)
  expect(visit('b', 1000), 'others are not concerned').toBe(true)
  expect(stats.hasteRefused).toBe(32)
})

it('remembers a bounded number of addresses, and whoever is there', () => {
  const admission = createAdmission()
  const stats = createStats()
  expect(admit(admission, 'guest', limits, stats, 0)).toBe(true)
  for (let index = 0; index < 5000; index++) {
    expect(admit(admission, `absent ${index}`, limits, stats, 0)).toBe(true)
    leave(admission, `absent ${index}`, false)
  }
  expect(admission.perAddress.size).toBe(1025)
  expect(admission.perAddress.get('guest')!.count).toBe(1)
})
