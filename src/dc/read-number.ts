import type { DCNumberType } from './model.ts'

/** Reads a scaled number, little endian. */
export function getScaled(view: DataView, at: number, type: DCNumberType): number | bigint {
  switch (type.base) {
    case 'int8':
      return view.getInt8(at)
    case 'int16':
      return view.getInt16(at, true)
    case 'uint16':
      return view.getUint16(at, true)
    case 'int32':
      return view.getInt32(at, true)
    case 'uint32':
      return view.getUint32(at, true)
    case 'int64':
      return view.getBigInt64(at, true)
    case 'uint64':
      return view.getBigUint64(at, true)
    case 'float64':
      return view.getFloat64(at, true)
    default:
      return view.getUint8(at)
  }
}
