/** The most bytes of a segment: it travels in one datagram, never split. */
export const MOST_BYTES = 1060
/** Bits that a slot takes beside its words, where the zone that its last object went to is left out: three flags, a doId. */
const SLOT_BITS = 3 + 32
/** Bits before the rows, at most, and of padding behind them. */
const RAW_BITS = 64

/** Slots that a group can have so that it always fits one segment, for rows of `rowBits`, at most 64; 0 when not even one does. */
export const mostSlots = (rowBits: number): number =>
  Math.min(64, Math.floor((MOST_BYTES * 8 - RAW_BITS) / (rowBits + SLOT_BITS)))
