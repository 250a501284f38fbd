/** Rows that a history keeps; a ring. Seconds of it: 32 / update rate, without the time that nothing changed. */
export const ROWS = 32

/** How one field is interpolated; may be changed at any time. */
export interface SmoothOptions {
  /** `hermite`: a cubic through the samples; `linear`: straight lines; `none`: the newest value at or before the time. */
  method: 'hermite' | 'linear' | 'none'
  /**
   * Seconds that it goes on when there is no newer sample, 0 for not at all: at full speed for a tenth of them, then ever
   * slower until it stands still. Default 0.7. At most 0.15 for an object that was moved elsewhere in the last 10 s: it may be
   * again.
   */
  extrapolate: number
  /** Seconds on top of the playout delay; below 0: fresher, at the price of extrapolation. */
  delay: number
}

/** A field of the rows: `size` numbers from word `at` on. */
export interface SmoothField {
  readonly at: number
  readonly size: number
  /** `quaternion`: x, y, z, w as in gl-matrix, normalised; `integer`: rounded; `number`: neither. */
  readonly kind: 'number' | 'integer' | 'quaternion'
  /** Of numbers that go round, such as 360 for degrees or 1 for a cycle; 0 for those that do not. */
  period: number
  /** The first word of the field that transmits its derivative, per second; -1 for none. */
  velocity: number
  options: SmoothOptions
}

/**
 * Weights of some rows; what is left of 1 is the weight of row `base`. A row `ROWS` or above stands for the velocities in
 * row - ROWS, and its weight is in seconds.
 */
export interface Mix {
  base: number
  count: number
  readonly rows: Uint8Array
  readonly weights: Float64Array
}

/** The weights of one kind of options. */
export interface Weights {
  options: SmoothOptions
  isDriven: boolean
  /** The same for those that were moved elsewhere lately, and may be again: they are foretold for less long. */
  wary: Weights | undefined
  /** Seconds of extrapolation, at most `options.extrapolate`. */
  most: number
  /** Server time of the curve; not an argument of `weigh`, which would be allocated. */
  time: number
  /** What is shown. */
  readonly shown: Mix
  /** By how much that differs from the curve: a difference that decays. Its weights sum up to 0, `base` has no part. */
  readonly blend: Mix
  /** Server time of the oldest row that is shown. */
  oldest: number
}

/** Half of the memory where all numbers are single precision: with many objects, a frame takes as long as reading it. */
export type Numbers = Float32Array | Float64Array

export interface History {
  readonly fields: readonly SmoothField[]
  /** Numbers a row and slot. */
  readonly width: number
  /** Objects that there is room for. */
  slots: number
  /** `[ROWS x width x slots]`. */
  values: Numbers
  /** Server time of each row, and until when the state is known to have stayed so; seconds `[ROWS]`. */
  readonly times: Float64Array
  readonly untils: Float64Array
  /** Rows by time, oldest first `[count]`. */
  readonly order: Uint8Array
  count: number
  /** How often each slot had been moved elsewhere by then, modulo 256 `[ROWS x slots]`. */
  generations: Uint8Array
  /** Server time of a slot's oldest row: before it, it stands as it does there; Infinity: it is empty `[slots]`. */
  births: Float64Array
  /** Server time from which on a slot is where it was moved to last; -Infinity: it never was `[slots]`. */
  cuts: Float64Array
  /** Seconds by which a slot is shown later than the others `[slots]`. */
  delays: Float64Array
  /** Server time that was sampled last; NaN before. */
  time: number
  /** @internal Those of each field `[fields]`, and each of them once. */
  readonly fieldWeights: Weights[]
  weights: Weights[]
  /** @internal The latest cut and birth, and whether any slot has a delay: most histories have nothing of it. */
  latestCut: number
  latestBirth: number
  hasDelays: boolean
}

/** The options of a DC keyword. */
export const smoothOptions = (options: Partial<SmoothOptions> = {}): SmoothOptions => ({
  method: 'hermite',
  extrapolate: 0.7,
  delay: 0,
  ...options,
})

const widthOf = (fields: readonly SmoothField[]): number =>
  fields.reduce((width, field) => Math.max(width, field.at + field.size), 0)

/** `isSingle`: every number that will be written is a float32. */
export const createHistory = (fields: readonly SmoothField[], slots: number, isSingle = false): History => ({
  fields,
  width: widthOf(fields),
  times: new Float64Array(ROWS),
  untils: new Float64Array(ROWS),
  order: new Uint8Array(ROWS),
  count: 0,
  time: NaN,
  latestCut: -Infinity,
  latestBirth: -Infinity,
  hasDelays: false,
  fieldWeights: [],
  weights: [],
  ...createSlots(fields, slots, isSingle),
})

const createSlots = (fields: readonly SmoothField[], slots: number, isSingle: boolean) => ({
  slots,
  values: new (isSingle ? Float32Array : Float64Array)(ROWS * widthOf(fields) * slots),
  generations: new Uint8Array(ROWS * slots),
  births: new Float64Array(slots).fill(Infinity),
  cuts: new Float64Array(slots).fill(-Infinity),
  delays: new Float64Array(slots),
})

/** Makes room for more objects. */
export const growHistory = (h: History, slots: number): void => {
  const { values, generations, births, cuts, delays, slots: before } = h
  if (slots <= before) return
  Object.assign(h, createSlots(h.fields, slots, values instanceof Float32Array))
  for (let line = 0; line < ROWS * h.width; line++)
    h.values.set(values.subarray(line * before, (line + 1) * before), line * slots)
  for (let row = 0; row < ROWS; row++)
    h.generations.set(generations.subarray(row * before, (row + 1) * before), row * slots)
  h.births.set(births)
  h.cuts.set(cuts)
  h.delays.set(delays)
}
