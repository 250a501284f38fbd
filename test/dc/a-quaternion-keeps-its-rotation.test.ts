import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeQuaternion, encodeQuaternion } from '../../src/dc/quaternion.ts'

type Quaternion = readonly [number, number, number, number]

/**
 * Three components are off by half a step each, and the fourth, if all are equal, by three halves: together 2 √12 half steps
 * of angle. A hundredth more for what the step does to the angle.
 */
const FORMATS = [
  { name: 'quat32', bits: 10, degrees: 0.28 },
  { name: 'quat48', bits: 15, degrees: 0.0087 },
] as const

/** Uniform rotations (Shoemake), and those whose components tie. */
const share = fc.double({ min: 0, max: 1, noNaN: true })
const anyRotation = fc.oneof(
  fc.tuple(share, share, share).map(([u, v, w]): Quaternion => {
    const [a, b] = [Math.sqrt(1 - u), Math.sqrt(u)]
    const [s, t] = [2 * Math.PI * v, 2 * Math.PI * w]
    return [a * Math.sin(s), a * Math.cos(s), b * Math.sin(t), b * Math.cos(t)]
  }),
  fc
    .tuple(...Array.from({ length: 4 }, () => fc.constantFrom(-1, 0, 1, 1e-9)))
    .filter(parts => parts.some(part => Math.abs(part) === 1))
    .map((parts): Quaternion => {
      const length = Math.hypot(...parts)
      return parts.map(part => part / length) as unknown as Quaternion
    }),
)

const encode = ([x, y, z, w]: Quaternion, bits: number) => {
  const words = [0, 0, 0, 0]
  expect(encodeQuaternion(x, y, z, w, bits, words)).toBe(true)
  return words
}

const decode = (words: number[], bits: number) => {
  const out = [0, 0, 0, 0]
  decodeQuaternion(words, 0, bits, out, 0)
  return out as unknown as Quaternion
}

const dot = (a: Quaternion, b: Quaternion) => a.reduce((sum, part, at) => sum + part * b[at]!, 0)

/** Degrees between two rotations: by the length of their difference, as the arc cosine is blind near 1. */
const angle = (a: Quaternion, b: Quaternion) => {
  const sign = dot(a, b) < 0 ? -1 : 1
  return (4 * Math.asin(Math.min(1, Math.hypot(...a.map((part, at) => part - sign * b[at]!)) / 2)) * 180) / Math.PI
}

for (const { name, bits, degrees } of FORMATS) {
  test(`${name} is off by at most ${degrees} degrees, and of length 1`, () => {
    fc.assert(
      fc.property(anyRotation, rotation => {
        const words = encode(rotation, bits)
        const decoded = decode(words, bits)
        expect(angle(rotation, decoded)).toBeLessThan(degrees)
        expect(Math.abs(Math.hypot(...decoded) - 1)).toBeLessThan(1e-12)
        expect(words[0]).toBeLessThan(4)
        for (const word of words.slice(1)) expect(word >= 0 && word < 2 ** bits && Number.isInteger(word)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  test(`${name} takes q and -q for the same`, () => {
    fc.assert(
      fc.property(anyRotation, rotation => {
        const words = encode(rotation, bits)
        const negative = encode(rotation.map(part => -part) as unknown as Quaternion, bits)
        expect(angle(decode(words, bits), decode(negative, bits))).toBeLessThan(2 * degrees)
        // The part that was left out comes back positive.
        expect(decode(words, bits)[[3, 0, 1, 2][words[0]!]!]).toBeGreaterThan(0)
      }),
    )
  })

  test(`any bits are a rotation for ${name}`, () => {
    const word = fc.integer({ min: 0, max: 2 ** bits - 1 })
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3 }), word, word, word, (...words) => {
        const decoded = decode(words, bits)
        expect(Math.abs(Math.hypot(...decoded) - 1)).toBeLessThan(1e-9)
        // Sent on, it stays where it is: what was rounded is not rounded further and further.
        const again = decode(encode(decoded, bits), bits)
        expect(angle(decode(encode(again, bits), bits), again)).toBeLessThan(degrees)
      }),
    )
  })
}

test('zeros are the identity, and nothing finite is refused', () => {
  expect(decode([0, 0, 0, 0], 10)).toEqual([0, 0, 0, 1])
  expect(encode([0, 0, 0, 1], 10)).toEqual([0, 0, 0, 0])
  expect(encode([0, 0, 0, 0], 15), 'no rotation at all').toEqual([0, 0, 0, 0])
  fc.assert(
    fc.property(
      fc.tuple(fc.double(), fc.double(), fc.double(), fc.double()).map(parts => parts as Quaternion),
      parts => {
        const words = [9, 9, 9, 9]
        const isFinite = parts.every(Number.isFinite)
        expect(encodeQuaternion(...parts, 10, words)).toBe(isFinite)
        if (isFinite) expect(Math.abs(Math.hypot(...decode(words, 10)) - 1)).toBeLessThan(1e-9)
        else expect(words, 'and left as it was').toEqual([9, 9, 9, 9])
      },
    ),
  )
})
