import type { CodecShape } from './shape.ts'

/**
 * A shape made ready: which words are coded how, and the numbers of their contexts. A context is what is known of a symbol
 * before it is coded; each has a distribution in the tables. Both ends number them alike.
 */
export interface Plan {
  readonly shape: CodecShape
  readonly slots: number
  readonly width: number
  /** Values of each word, `span + 1` `[words]`. */
  readonly moduli: Float64Array
  readonly bits: Uint8Array
  /** The sign bit of a float word, else 0 `[words]`. */
  readonly signs: Uint32Array
  /** The first context of each word: two for new objects, one for lengths, then its own `[words]`. */
  readonly firsts: Uint32Array
  /** Words that jump or stay, and what moves: words, in row order; of a quaternion, only the first. */
  readonly still: Uint16Array
  readonly moving: Uint16Array
  /** A `Movement` of each word `[words]`. */
  readonly movements: Uint8Array
  readonly contexts: number
  /** A number that differs between shapes whose contexts differ. */
  readonly hash: number
}

/** How a word is coded. */
export const Movement = { none: 0, still: 1, wideStill: 2, linear: 3, angle: 4, wideLinear: 5, quaternion: 6 } as const

/** Classes of `ticksBase`: no prediction; 1; 2, 3; 4 to 8; more. */
export const AGES = 5
export const ageOf = (ticks: number): number => (ticks <= 1 ? 1 : ticks <= 3 ? 2 : ticks <= 8 ? 3 : 4)

/** Contexts that belong to no word. */
export const Context = {
  /** 1 when the segment is plain. */
  plain: 0,
  /** Kind of what left a slot: see `Left`. */
  left: 1,
  zone: 2,
  zoneLength: 3,
  id: 4,
  idLength: 5,
  /** Slots that get an object, with a baseline and without: any, which eighths by their size (4), which. */
  anyNew: 6,
  eighthNew: 8,
  slotNew: 16,
  /** Resting slots that change. By age and number of moving slots (6): any. */
  anyRest: 18,
  /** By age, whether something moves in the eighth, and how many rest in it (4): which eighths. */
  eighthRest: 18 + AGES * 6,
  /** By age and whether something moves in the eighth: which. */
  slotRest: 18 + AGES * 14,
  /** Change of a slot, by age and activity (7). */
  change: 18 + AGES * 16,
} as const
/** The first context that belongs to a word. */
export const WORDS_FROM = Context.change + AGES * 7

/** Classes of how far a word should move, and of the residuals that were coded before it. */
export const LEAPS = 5
export const RESIDUALS = 8
const MOVING_CONTEXTS = RESIDUALS + (AGES - 1) * LEAPS * RESIDUALS
export const MARGINS = 8

/** Contexts of a word before its own: of new objects (the first, later ones), and of lengths. */
export const NEW = 0
export const LENGTH = 2
export const OWN = 3

/** Words of up to this many bits have a context for each old value. */
export const SMALL_BITS = 4
/** Wider words are computed in floating point. */
export const NARROW_BITS = 30

/** Bytes of the largest segment: it travels in one datagram, never split. */
export const MOST_BYTES = 1060
/** Bits that a slot takes in a plain segment beside its words: three flags and an id. */
const SLOT_BITS = 3 + 32
/** Bits of a plain segment that belong to no slot: its flag, the end of the range coder and what its rounding loses. */
const PLAIN_BITS = 64

/** Slots that a group can have so that it always fits one segment, for rows of `rowBits`; 0 when not even one does. */
export const mostSlots = (rowBits: number): number =>
  Math.min(64, Math.floor((MOST_BYTES * 8 - PLAIN_BITS) / (rowBits + SLOT_BITS)))

const FNV = 0x01000193

export const planOf = (shape: CodecShape): Plan => {
  const { words, slots } = shape
  if (!(slots >= 1 && slots <= 64)) throw new RangeError(`A group of ${slots} slots: it can have 1 to 64.`)
  const width = words.length
  const movements = new Uint8Array(width)
  const firsts = new Uint32Array(width)
  const still: number[] = []
  const moving: number[] = []
  let next: number = WORDS_FROM
  words.forEach((word, index) => {
    const isWide = word.bits > NARROW_BITS || word.kind === 'float' || word.kind === 'movingFloat'
    firsts[index] = next
    if (word.bits === 0) return
    if (word.kind === 'component') {
      next += OWN + MOVING_CONTEXTS
    } else if (word.kind === 'quaternion') {
      for (let part = 1; part <= 3; part++)
        if (words[index + part]?.kind !== 'component' || words[index + part]?.bits !== words[index + 1]!.bits)
          throw new TypeError(`Word ${index} is a quaternion: three components of one size must follow it.`)
      movements[index] = Movement.quaternion
      moving.push(index)
      next += OWN + AGES * MARGINS
    } else if (word.kind === 'still' || word.kind === 'float') {
      movements[index] = isWide ? Movement.wideStill : Movement.still
      still.push(index)
      next += OWN + (word.bits <= SMALL_BITS ? 1 << SMALL_BITS : 2)
    } else {
      movements[index] = isWide ? Movement.wideLinear : word.kind === 'angle' ? Movement.angle : Movement.linear
      moving.push(index)
      next += OWN + MOVING_CONTEXTS
    }
  })
  const rowBits = words.reduce((sum, word) => sum + word.bits, 0)
  if (slots > mostSlots(rowBits)) throw new RangeError(`${slots} rows of ${rowBits} bits: more than one datagram holds.`)
  let hash = Math.imul(0x811c9dc5 ^ slots, FNV)
  for (let index = 0; index < width; index++) {
    hash = Math.imul(hash ^ movements[index]!, FNV)
    hash = Math.imul(hash ^ words[index]!.bits, FNV)
  }
  return {
    shape,
    slots,
    width,
    moduli: Float64Array.from(words, word => word.span + 1),
    bits: Uint8Array.from(words, word => word.bits),
    signs: Uint32Array.from(words, ({ kind, bits }) => (kind === 'float' || kind === 'movingFloat' ? 2 ** (bits - 1) : 0)),
    firsts,
    still: Uint16Array.from(still),
    moving: Uint16Array.from(moving),
    movements,
    contexts: next,
    hash: hash >>> 0,
  }
}
