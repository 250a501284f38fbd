/**
 * Ticks are uint32 and wrap; two of them are compared by the sign of their 32-bit difference,
 * right while they are less than 2^31 ticks apart (a year at 66 Hz).
 */
export const ticksSince = (later: number, earlier: number): number => (later - earlier) | 0

/** Whether tick `a` is after tick `b`. */
export const isAfter = (a: number, b: number): boolean => ticksSince(a, b) > 0

/** The tick after `tick`. */
export const nextTick = (tick: number): number => (tick + 1) >>> 0

/** Ticks travel as 16 bits: who heard nothing for half of these would take one for another. */
export const MAX_SILENT_TICKS = 32_768
