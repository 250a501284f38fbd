import {
  advanceHistory,
  commitRow,
  createHistory,
  insertRow,
  mixField,
  sealSlot,
  smoothOptions,
  writeValue,
  type History,
  type SmoothField,
  type SmoothOptions,
} from '../../src/net/history.ts'

export interface Sample {
  readonly time: number
  readonly values: readonly number[]
  readonly generation?: number
}

export interface Kind extends Partial<SmoothOptions> {
  readonly kind?: SmoothField['kind']
  readonly period?: number
}

/** A history of one field. */
export const historyOf = (size: number, { kind = 'number', period = 0, ...options }: Kind = {}, slots = 1): History =>
  createHistory([{ at: 0, size, kind, period, velocity: -1, options: smoothOptions(options) }], slots)

export const push = (history: History, { time, values, generation = 0 }: Sample, slot = 0): void => {
  const at = insertRow(history, time, time)
  if (at < 0) return
  values.forEach((value, word) => writeValue(history, at, slot, word, value))
  sealSlot(history, at, slot, generation)
  commitRow(history, at)
}

/** What the first field of a slot shows at a time. */
export const show = (history: History, time: number, elapsed = 1 / 60, slot = 0): number[] => {
  advanceHistory(history, time, elapsed)
  const field = history.fields[0]!
  const mixed = mixField(history, field)
  return Array.from({ length: field.size }, (_, part) => mixed[part * history.slots + slot]!)
}

/** The curve through samples at some times, when all of them are there before the first frame. */
export const curve = (
  samples: readonly Sample[],
  times: readonly number[],
  size: number,
  kind: Kind = {},
): number[][] => {
  const history = historyOf(size, kind)
  for (const sample of samples) push(history, sample)
  return times.map(time => show(history, time))
}
