import { expect, it } from 'vitest'
import { admit, createAdmission, leave, promote } from '../../src/net/geckos/admission.ts'
import { createStats } from '../../src/net/geckos/stats.ts'

const limits = { maxConnections: 6, maxPending: 4, maxPerAddress: 3 }

it('counts handshakes and open peers per address, and gives places back', () => {
  const admission = createAdmission()
  const stats = createStats()
  const enter = (address: string) => admit(admission, address, limits, stats)
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
  for (const address of ['a', 'a', 'a', 'b', 'b', 'b']) leave(admission, address, true)
  expect(admission.perAddress.size, 'addresses are forgotten').toBe(0)
})
