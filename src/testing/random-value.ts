import {
  dequantise,
  isBig,
  LIMITS,
  memberKeys,
  membersOf,
  quantise,
  unpackField,
  type DCBytesType,
  type DCField,
  type DCNumberType,
  type DCPackable,
  type DCRange,
  type DCSwitchType,
  type Member,
} from '../dc/index.ts'
import { createDice, type Dice } from './dice.ts'

/** Bytes and elements beyond the least legal number that a value usually has, and rarely. */
const FEW = 12
const MANY = 900
const MANY_SHARE = 0.03
/** Tries to find a number that fits its type, before the least legal one is taken. */
const TRIES = 8
const LARGEST_SAFE = Number.MAX_SAFE_INTEGER
const FLOATS = [0, -0, 1, -1, 0.1, Math.PI, 1e-300, -1e300, Number.MIN_VALUE, Number.MAX_VALUE, 2 ** 53 + 2]
const encoder = new TextEncoder()
const CHARACTERS = ['é', '世', '👋', '\u0000']

/**
 * A random value that a DC type allows, as the packer takes it: edges of the ranges often, everything between them
 * sometimes. Of a field with parameters: its arguments by name. Throws a `TypeError` for a type that has no values.
 */
export const randomValue = (packable: DCPackable, dice: Dice): unknown => {
  switch (packable.kind) {
    case 'number':
      return randomNumber(packable, dice)
    case 'string':
      return randomText(randomSize(packable.sizes, dice), dice)
    case 'blob':
    case 'blob32':
      return randomBytes(packable, dice)
    case 'array':
      return Array.from({ length: randomSize(packable.sizes, dice, FEW) }, () => randomValue(packable.element, dice))
    case 'parameter':
      return randomValue(packable.type, dice)
    case 'switch':
      return randomCase(packable, dice)
    case 'invalid':
      throw new TypeError(`the type ${packable.typedefName} is not declared, so it has no values`)
    default:
      return randomMembers(membersOf(packable)!, dice)
  }
}

const fits = (type: DCNumberType, value: number | bigint): boolean => {
  try {
    quantise(type, value)
    return true
  } catch {
    return false
  }
}

const rangesOf = (type: DCNumberType): readonly DCRange[] =>
  type.ranges.length > 0 ? type.ranges : [{ min: LIMITS[type.base][0], max: LIMITS[type.base][1] }]

const randomBig = ({ min, max }: DCRange, dice: Dice): bigint => {
  const least = BigInt(min)
  const span = BigInt(max) - least + 1n
  const bits = (BigInt(dice.below(2 ** 32)) << 32n) | BigInt(dice.below(2 ** 32))
  return least + (dice.chance(0.5) ? bits % span : bits % (span < 1000n ? span : 1000n))
}

const randomFloat = (type: DCNumberType, dice: Dice): number => {
  if (type.ranges.length > 0) {
    const { min, max } = dice.pick(type.ranges)
    return dice.between(Math.max(Number(min), -1e6), Math.min(Number(max), 1e6)) / type.divisor
  }
  return dice.chance(0.3) ? dice.pick(FLOATS) : dice.between(-1000, 1000)
}

const randomInteger = (type: DCNumberType, dice: Dice): number => {
  // A turn and more in both directions.
  if (type.modulus !== undefined) return dice.between(-2, 2) * type.modulus
  const range = dice.pick(rangesOf(type))
  const least = Math.max(Number(range.min), -LARGEST_SAFE / 2)
  const most = Math.min(Number(range.max), LARGEST_SAFE / 2)
  const luck = dice()
  if (luck < 0.1) return least / type.divisor
  if (luck < 0.2) return most / type.divisor
  const nearZero = Math.min(Math.max(dice.whole(-100, 100), least), most)
  const scaled = luck < 0.5 ? nearZero : Math.round(dice.between(least, most))
  // Game code writes what lies between two steps, too.
  const rest = type.divisor === 1 || scaled <= least || scaled >= most ? 0 : dice.between(-0.45, 0.45)
  return (scaled + rest) / type.divisor
}

const randomNumber = (type: DCNumberType, dice: Dice): number | bigint => {
  for (let tries = 0; tries < TRIES; tries++) {
    const value = isBig(type)
      ? randomBig(dice.pick(rangesOf(type)), dice)
      : type.base === 'float64'
        ? randomFloat(type, dice)
        : randomInteger(type, dice)
    if (fits(type, value)) return value
  }
  return dequantise(type, rangesOf(type)[0]!.min)
}

const randomSize = (sizes: readonly DCRange<number>[], dice: Dice, many = MANY): number => {
  const { min, max } = sizes.length > 0 ? dice.pick(sizes) : { min: 0, max: 0xffff }
  return dice.whole(min, Math.min(max, min + (dice.chance(MANY_SHARE) ? many : FEW)))
}

/** Text of exactly so many UTF-8 bytes. */
const randomText = (bytes: number, dice: Dice): string => {
  let text = ''
  for (let left = bytes; left > 0;) {
    const character = dice.chance(0.1) ? dice.pick(CHARACTERS) : String.fromCharCode(dice.whole(97, 122))
    const size = encoder.encode(character).length
    if (size > left) continue
    text += character
    left -= size
  }
  return text
}

const randomBytes = (type: DCBytesType, dice: Dice): Uint8Array =>
  Uint8Array.from({ length: randomSize(type.sizes, dice) }, () => dice.below(256))

const randomMembers = (members: readonly Member[], dice: Dice): Record<string, unknown> => {
  const keys = memberKeys(members)
  return Object.fromEntries(members.map((member, index) => [keys[index]!, randomValue(member, dice)]))
}

const randomCase = (type: DCSwitchType, dice: Dice): Record<string, unknown> => {
  const branch = type.cases.length > 0 ? dice.pick(type.cases) : undefined
  if (!branch) throw new TypeError(`switch ${type.name} has no cases to choose from`)
  const keys = memberKeys([type.key, ...branch.fields])
  const values = branch.fields.map((field, index) => [keys[index + 1]!, randomValue(field, dice)])
  return { [keys[0]!]: unpackField(type.key, branch.value!).value, ...Object.fromEntries(values) }
}

/** Whether there are values of the field to choose from. */
export const hasValues = (field: DCField): boolean => {
  try {
    randomValue(field, createDice(1))
    return true
  } catch {
    return false
  }
}
