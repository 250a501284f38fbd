import type { quat, vec2, vec3 } from 'gl-matrix'
import type { NumberColumn } from './columns.ts'

/** Columns that hold numbers: what `x[eid]` reads and writes. */
type Numbers = Exclude<NumberColumn, BigInt64Array | BigUint64Array>

/** The columns of a struct with `x` and `y`, such as `Avatar.position`. */
export interface Vec2Columns {
  readonly x: Numbers
  readonly y: Numbers
}

export interface Vec3Columns extends Vec2Columns {
  readonly z: Numbers
}

/** The columns of a `quat32` or `quat48` field, or of a struct with these four. */
export interface QuatColumns extends Vec3Columns {
  readonly w: Numbers
}

/** Reads a vector of an entity into one of gl-matrix. Returns `out`. */
export const getVec2 = <Out extends vec2>(out: Out, { x, y }: Vec2Columns, eid: number): Out => {
  out[0] = x[eid]!
  out[1] = y[eid]!
  return out
}

export const getVec3 = <Out extends vec3>(out: Out, { x, y, z }: Vec3Columns, eid: number): Out => {
  out[0] = x[eid]!
  out[1] = y[eid]!
  out[2] = z[eid]!
  return out
}

/** Reads a rotation of an entity into a quaternion of gl-matrix: x, y, z, w. Returns `out`. */
export const getQuat = <Out extends quat>(out: Out, { x, y, z, w }: QuatColumns, eid: number): Out => {
  out[0] = x[eid]!
  out[1] = y[eid]!
  out[2] = z[eid]!
  out[3] = w[eid]!
  return out
}

/** Writes a vector of an entity: as if its columns were assigned. */
export const setVec2 = ({ x, y }: Vec2Columns, eid: number, value: Readonly<vec2>): void => {
  x[eid] = value[0]
  y[eid] = value[1]
}

export const setVec3 = ({ x, y, z }: Vec3Columns, eid: number, value: Readonly<vec3>): void => {
  x[eid] = value[0]
  y[eid] = value[1]
  z[eid] = value[2]
}

/** Writes a rotation of an entity, in gl-matrix' order x, y, z, w. */
export const setQuat = ({ x, y, z, w }: QuatColumns, eid: number, value: Readonly<quat>): void => {
  x[eid] = value[0]
  y[eid] = value[1]
  z[eid] = value[2]
  w[eid] = value[3]
}
