import { floatBits, floatValue, halfBits, halfValue } from './half.ts'
import type { DCBytesType, DCNumberType, DCType } from './model.ts'
import { decodeQuaternion, encodeQuaternion } from './quaternion.ts'

/**
 * The types of the prelude, `dc/pipes.dc`: DC has none of them, and Panda3D sees the blobs and integers that they are made of.
 * A typedef is one of them by its name and its shape.
 */
export type Extension = 'float16' | 'float32' | 'quat32' | 'quat48' | 'bool' | 'DoId'

/** Those that are held as float32 numbers: one, or the four of a quaternion. */
export type FloatExtension = Exclude<Extension, 'bool' | 'DoId'>

/** Bytes of each that Panda3D takes for a blob. */
const BLOBS = { float16: 2, float32: 4, quat32: 4, quat48: 6 } as const satisfies Record<FloatExtension, number>

/** Bits of each component of a quaternion. */
export const QUATERNION_BITS = { quat32: 10, quat48: 15 } as const

/** Whether the extension is a quaternion. */
export const isQuaternion = (extension: Extension): extension is 'quat32' | 'quat48' => extension in QUATERNION_BITS

/** The extension that a typedef of this name and type is, if any. */
export const extensionOf = (name: string, type: DCType): Extension | undefined => {
  if (type.kind === 'blob' && Object.hasOwn(BLOBS, name)) {
    const [size, ...more] = type.sizes
    const bytes = BLOBS[name as FloatExtension]
    return size?.min === bytes && size.max === bytes && more.length === 0 ? (name as FloatExtension) : undefined
  }
  if (type.kind !== 'number' || type.divisor !== 1 || type.modulus !== undefined) return undefined
  if (name === 'DoId') return type.base === 'uint32' && type.ranges.length === 0 ? name : undefined
  const [range, ...more] = type.ranges
  const isBit = type.base === 'uint8' && range?.min === 0 && range.max === 1 && more.length === 0
  return name === 'bool' && isBit ? name : undefined
}

/** The type with its extension noted, if a typedef of this name makes it one. */
export const extended = (name: string, type: DCType): DCType => {
  const extension = extensionOf(name, type)
  return extension ? ({ ...type, extension } as DCNumberType | DCBytesType) : type
}

const words = [0, 0, 0, 0]

/** Writes the bytes of a caller's value. Answers what is wrong with it, or nothing. */
export const setExtension = (view: DataView, at: number, extension: FloatExtension, value: unknown): string => {
  if (isQuaternion(extension)) return setQuaternion(view, at, extension, value)
  if (typeof value !== 'number') return 'a number'
  if (extension === 'float16') {
    const bits = halfBits(value)
    // Infinity may be meant; what only becomes infinite is not.
    if ((bits & 0x7fff) === 0x7c00 && Number.isFinite(value)) return 'a number from -65504 to 65504'
    view.setUint16(at, bits, true)
  } else {
    if (!Number.isFinite(Math.fround(value)) && Number.isFinite(value)) return 'a number that a float32 can hold'
    view.setUint32(at, floatBits(value), true)
  }
  return ''
}

const setQuaternion = (view: DataView, at: number, extension: 'quat32' | 'quat48', value: unknown): string => {
  const expected = 'a quaternion [x, y, z, w] of finite numbers'
  if (typeof value !== 'object' || value === null || (value as ArrayLike<number>).length !== 4) return expected
  const [x, y, z, w] = Array.from(value as ArrayLike<unknown>, each => (typeof each === 'number' ? each : NaN))
  if (!encodeQuaternion(x!, y!, z!, w!, QUATERNION_BITS[extension], words)) return expected
  const [left, a, b, c] = words as [number, number, number, number]
  if (extension === 'quat32') view.setUint32(at, (a | (b << 10) | (c << 20) | (left << 30)) >>> 0, true)
  else {
    view.setUint32(at, (a | (b << 15) | (c << 30)) >>> 0, true)
    view.setUint16(at + 4, (c >>> 2) | (left << 13), true)
  }
  return ''
}

/** Reads the value of bytes: a number, or a quaternion `[x, y, z, w]`. Undefined when no value has these bytes. */
export const getExtension = (view: DataView, at: number, extension: FloatExtension): number | number[] | undefined => {
  switch (extension) {
    case 'float16':
      return halfValue(view.getUint16(at, true))
    case 'float32':
      return floatValue(view.getUint32(at, true))
    default: {
      const low = view.getUint32(at, true)
      if (extension === 'quat32') {
        for (let word = 1; word < 4; word++) words[word] = (low >>> (10 * word - 10)) & 0x3ff
        words[0] = low >>> 30
      } else {
        const high = view.getUint16(at + 4, true)
        if (high & 0x8000) return undefined
        words[1] = low & 0x7fff
        words[2] = (low >>> 15) & 0x7fff
        words[3] = (low >>> 30) | ((high & 0x1fff) << 2)
        words[0] = high >>> 13
      }
      const value = [0, 0, 0, 0]
      decodeQuaternion(words, 0, QUATERNION_BITS[extension], value, 0)
      for (let part = 0; part < 4; part++) value[part] = Math.fround(value[part]!)
      return value
    }
  }
}
