import { expect, test } from 'vitest'
import { packField, parseDC, unpackField } from 'bitecs-pipes/dc'
import { createDice, randomValue } from 'bitecs-pipes/testing'
import { MENAGERIE } from '../support/menagerie.ts'

const { file } = parseDC([{ name: 'menagerie.dc', text: MENAGERIE }])

test('random values of every field and message fit their DC types', () => {
  const dice = createDice(5)
  for (const field of file.fields)
    for (let count = 0; count < 200; count++) {
      const packed = packField(field, randomValue(field, dice))
      expect(unpackField(field, packed.slice()).ok, `${field.owner.name}.${field.name}`).toBe(true)
    }
})

test('they reach the edges of their ranges', () => {
  const dice = createDice(6)
  const field = file.classByName('Avatar')!.inherited.find(({ name }) => name === 'health')!
  const values = new Set(Array.from({ length: 400 }, () => randomValue(field, dice)))
  expect(values).toContain(0)
  expect(values).toContain(100)
  expect(values.size).toBeGreaterThan(50)
})

test('dice of one seed fall alike', () => {
  const [a, b] = [createDice(9), createDice(9)]
  for (let count = 0; count < 100; count++) expect(a()).toBe(b())
  const whole = Array.from({ length: 500 }, () => a.whole(3, 5))
  expect([...new Set(whole)].sort()).toEqual([3, 4, 5])
})
