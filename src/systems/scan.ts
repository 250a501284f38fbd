import type { NumberColumn } from '../components/index.ts'
import type { ServerClass } from './server-state.ts'

/**
 * Finds the objects whose columns changed since the last tick by comparing each column with a copy: a tight loop a
 * column, so that only what changed is quantised. `touched` has a mark for each object of the class.
 */
export const scanClass = (serverClass: ServerClass): void => {
  const { objects, watched, texts } = serverClass
  const count = objects.length
  const { eids, touched } = serverClass
  for (const { column, shadow } of watched) scanColumn(column, shadow, eids, touched, count)
  for (const { column, index, isOwners } of texts)
    for (let at = 0; at < count; at++) {
      const object = objects[at]!
      const value = column[object.eid]
      // Lists and blobs can change in place: they are packed each time.
      if (typeof value !== 'string' || (isOwners ? object.ownerPackedFrom : object.packedFrom)[index] !== value)
        touched[at] = 1
    }
}

/** A copy of a column, to compare with. */
export const shadowOf = (column: NumberColumn): NumberColumn => column.slice()

type Scan<Column> = (column: Column, shadow: Column, eids: Uint32Array, touched: Uint8Array, count: number) => void

// One function a kind of array, so that each stays monomorphic: a shared one would be an order slower.
const scanInt8: Scan<Int8Array> = (column, shadow, eids, touched, count) => {
  for (let at = 0; at < count; at++) {
    const eid = eids[at]!
    if (column[eid] === shadow[eid]) continue
    shadow[eid] = column[eid]!
    touched[at] = 1
  }
}
const scanUint8: Scan<Uint8Array> = (column, shadow, eids, touched, count) => {
  for (let at = 0; at < count; at++) {
    const eid = eids[at]!
    if (column[eid] === shadow[eid]) continue
    shadow[eid] = column[eid]!
    touched[at] = 1
  }
}
const scanInt16: Scan<Int16Array> = (column, shadow, eids, touched, count) => {
  for (let at = 0; at < count; at++) {
    const eid = eids[at]!
    if (column[eid] === shadow[eid]) continue
    shadow[eid] = column[eid]!
    touched[at] = 1
  }
}
const scanUint16: Scan<Uint16Array> = (column, shadow, eids, touched, count) => {
  for (let at = 0; at < count; at++) {
    const eid = eids[at]!
    if (column[eid] === shadow[eid]) continue
    shadow[eid] = column[eid]!
    touched[at] = 1
  }
}
const scanInt32: Scan<Int32Array> = (column, shadow, eids, touched, count) => {
  for (let at = 0; at < count; at++) {
    const eid = eids[at]!
    if (column[eid] === shadow[eid]) continue
    shadow[eid] = column[eid]!
    touched[at] = 1
  }
}
const scanUint32: Scan<Uint32Array> = (column, shadow, eids, touched, count) => {
  for (let at = 0; at < count; at++) {
    const eid = eids[at]!
    if (column[eid] === shadow[eid]) continue
    shadow[eid] = column[eid]!
    touched[at] = 1
  }
}
// Zero has a sign that === does not see, and that a float64 field sends.
const scanFloat32: Scan<Float32Array> = (column, shadow, eids, touched, count) => {
  for (let at = 0; at < count; at++) {
    const eid = eids[at]!
    const value = column[eid]!
    const before = shadow[eid]!
    if (value === before && (value !== 0 || 1 / value === 1 / before)) continue
    shadow[eid] = value
    touched[at] = 1
  }
}
const scanFloat64: Scan<Float64Array> = (column, shadow, eids, touched, count) => {
  for (let at = 0; at < count; at++) {
    const eid = eids[at]!
    const value = column[eid]!
    const before = shadow[eid]!
    if (value === before && (value !== 0 || 1 / value === 1 / before)) continue
    shadow[eid] = value
    touched[at] = 1
  }
}
const scanBigInt64: Scan<BigInt64Array> = (column, shadow, eids, touched, count) => {
  for (let at = 0; at < count; at++) {
    const eid = eids[at]!
    if (column[eid] === shadow[eid]) continue
    shadow[eid] = column[eid]!
    touched[at] = 1
  }
}
const scanBigUint64: Scan<BigUint64Array> = (column, shadow, eids, touched, count) => {
  for (let at = 0; at < count; at++) {
    const eid = eids[at]!
    if (column[eid] === shadow[eid]) continue
    shadow[eid] = column[eid]!
    touched[at] = 1
  }
}

const SCANS = new Map<unknown, Scan<any>>([
  [Int8Array, scanInt8],
  [Uint8Array, scanUint8],
  [Int16Array, scanInt16],
  [Uint16Array, scanUint16],
  [Int32Array, scanInt32],
  [Uint32Array, scanUint32],
  [Float32Array, scanFloat32],
  [Float64Array, scanFloat64],
  [BigInt64Array, scanBigInt64],
  [BigUint64Array, scanBigUint64],
])

const scanColumn: Scan<NumberColumn> = (column, shadow, eids, touched, count) =>
  SCANS.get(column.constructor)!(column, shadow, eids, touched, count)
