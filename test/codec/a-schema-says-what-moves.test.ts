import { expect, test } from 'vitest'
import { parseSchema } from '../../src/dc/index.ts'
import { planOf } from '../../src/net/codec/plan.ts'
import { shapeOf, type CodecWordKind } from '../../src/net/codec/shape.ts'
import { layoutsOf } from '../../src/net/layout.ts'

const kindsOf = (fields: string): CodecWordKind[] => {
  const { file, errors } = parseSchema(`struct Vec2 { int16/10 x; int16/10 y; };\ndclass Thing {\n${fields}\n};`)
  expect(errors).toEqual([])
  const shape = shapeOf(layoutsOf(file.classes.find(({ name }) => name === 'Thing')!).interested)
  // All that a schema can say can be planned.
  expect(planOf(shape).contexts).toBeGreaterThan(0)
  expect(shape.words.slice(0, 2).map(({ kind }) => kind)).toEqual(['still', 'still'])
  return shape.words.slice(2).map(({ kind }) => kind)
}

test('fields that are smoothed move, and so do fixed-point ones; angles go round', () => {
  expect(kindsOf('Vec2 position broadcast interp_linear;')).toEqual(['linear', 'linear'])
  expect(kindsOf('Vec2 position broadcast;')).toEqual(['linear', 'linear'])
  expect(kindsOf('int16/10%360 heading broadcast interp_angle;')).toEqual(['angle'])
  expect(kindsOf('uint16 progress broadcast interp_linear;')).toEqual(['linear'])
})

test('other fields are still', () => {
  expect(kindsOf('uint8(0-100) health broadcast;')).toEqual(['still'])
  expect(kindsOf('int16/10 price broadcast interp_none;')).toEqual(['still'])
  expect(kindsOf('uint64 account broadcast;')).toEqual(['still', 'still'])
  expect(kindsOf('DoId target broadcast;')).toEqual(['still'])
})

test('of floats the words are compared in the order of the numbers', () => {
  expect(kindsOf('float32 heat broadcast;')).toEqual(['float'])
  expect(kindsOf('float32 height broadcast interp_linear;')).toEqual(['movingFloat'])
  expect(kindsOf('float16 glow broadcast;')).toEqual(['float'])
  expect(kindsOf('float64 depth broadcast interp_hermite;')).toEqual(['still', 'movingFloat'])
})

test('rotations are four words', () => {
  expect(kindsOf('quat32 turn broadcast;')).toEqual(['quaternion', 'component', 'component', 'component'])
  expect(kindsOf('quat48 turn broadcast interp_quat;')).toEqual(['quaternion', 'component', 'component', 'component'])
})
