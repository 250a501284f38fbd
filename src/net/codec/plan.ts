import { mostSlots } from '../segment-size.ts'
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
  readonly spans: Float64Array
  readonly bits: Uint8Array
  /** The sign bit of a float word, else 0 `[words]`. */
  readonly signs: Uint32Array
  /** The first context of each word: two for new objects, one for lengths, then its own `[words]`. */
  readonly firsts: Uint32Array
  /** What jumps or stays, in row order, three numbers each: see `STILL_WORD`. */
  readonly still: Int32Array
  /** What moves, in row order, eight numbers each: see `MOVING_WORD`. A quaternion is one. */
  readonly moving: Int32Array
  /** All words of what moves. */
  readonly movingWords: Uint16Array
  readonly contexts: number
  /** A number that differs between shapes whose contexts differ. */
  readonly hash: number
}

// Each of these numbers is a constant of its own, and no object's field: minifiers put those in place.

/** Numbers of a still word. */
export const STILL_WORD = 0
export const STILL_OWN = 1
export const STILL_IS_SMALL = 2
export const STILL_SIZE = 3
/**
 * Numbers of what moves: its own contexts begin with `OWN`, the one before it is that of lengths. Of a quaternion `PARTS` is the same of
 * the first component, `SHIFT` 32 less the bits of one, and `STEPS` their largest value.
 */
export const MOVING_WORD = 0
export const MOVING_KIND = 1
export const MOVING_OWN = 2
export const MOVING_MODULUS = 3
export const MOVING_PARTS = 4
export const MOVING_SHIFT = 5
export const MOVING_STEPS = 6
export const MOVING_SIZE = 8

/** How a word is coded. */
export const KIND_STILL = 0
export const KIND_WIDE_STILL = 1
export const KIND_LINEAR = 2
export const KIND_ANGLE = 3
export const KIND_WIDE_LINEAR = 4
export const KIND_QUATERNION = 5

/**
 * Classes of the ticks from the first baseline to the segment: 0, no prediction; 1; 2, 3; 4 to 8; more. The last: up to 3, foretold from
 * a way of more than twice as long, as behind an anchor.
 */
export const AGES = 6
export const ageOf = (ticks: number, ticksBefore: number): number =>
  ticks <= 3 && ticksBefore > 2 * ticks ? 5 : ticks <= 1 ? 1 : ticks <= 3 ? 2 : ticks <= 8 ? 3 : 4

/** Contexts that belong to no word: how an object left its slot: bit 0, another one comes; bit 1, it went to a zone; */
export const CONTEXT_LEFT = 0
export const CONTEXT_ZONE = 1
export const CONTEXT_ZONE_LENGTH = 2
export const CONTEXT_ID = 3
export const CONTEXT_ID_LENGTH = 4
/** slots that get an object, with a baseline and without: any, which eighths by their size (4), which; */
export const CONTEXT_ANY_NEW = 5
export const CONTEXT_EIGHTH_NEW = 7
export const CONTEXT_SLOT_NEW = 15
/** resting slots that change, all by age: any, by the number of moving slots (6); */
export const CONTEXT_ANY_REST = 17
/** which eighths, by whether something moves in it, and how many rest in it (4); */
export const CONTEXT_EIGHTH_REST = CONTEXT_ANY_REST + AGES * 6
/** which, by whether something moves in the eighth; */
export const CONTEXT_SLOT_REST = CONTEXT_EIGHTH_REST + AGES * 8
/** and the change of a slot, by age and activity (7). */
export const CONTEXT_CHANGE = CONTEXT_SLOT_REST + AGES * 2
/** The first context that belongs to a word. */
export const WORDS_FROM = CONTEXT_CHANGE + AGES * 7

/** Classes of how far a word should move, and of the residuals that were coded before it. */
export const LEAPS = 5
export const RESIDUALS = 8
const MOVING_CONTEXTS = RESIDUALS + (AGES - 1) * LEAPS * RESIDUALS
/** The first context of an age among those of what moves; without a prediction there is but one class of leaps. */
export const ageContexts = (age: number): number => (age === 0 ? 0 : RESIDUALS + (age - 1) * LEAPS * RESIDUALS)
/** Classes of how clear it is which component of a rotation is left out; the last is that of one that does not turn. */
export const MARGINS = 8

/** Contexts of a word before its own: of new objects (the first, later ones), and of lengths. */
export const NEW = 0
export const LENGTH = 2
export const OWN = 3
/** Contexts of a component. */
export const PART_CONTEXTS = OWN + MOVING_CONTEXTS

/** Words of up to this many bits have a context for each old value. */
export const SMALL_BITS = 4
/** Wider words are computed in floating point. */
export const NARROW_BITS = 30

const FNV = 0x01000193

export const planOf = (shape: CodecShape): Plan => {
  const { words, slots } = shape
  if (!(slots >= 1 && slots <= 64)) throw new RangeError(`A group of ${slots} slots: it can have 1 to 64.`)
  const width = words.length
  const firsts = new Uint32Array(width)
  const kinds = new Uint8Array(width)
  const still: number[] = []
  const moving: number[] = []
  const movingWords: number[] = []
  let next: number = WORDS_FROM
  words.forEach(({ kind, bits, span }, word) => {
    const isWide = bits > NARROW_BITS || kind === 'float' || kind === 'movingFloat'
    const own = next + OWN
    firsts[word] = next
    if (bits === 0) return
    if (kind === 'component') {
      movingWords.push(word)
      next += PART_CONTEXTS
    } else if (kind === 'quaternion') {
      const size = words[word + 1]?.bits ?? 0
      for (const part of [word + 1, word + 2, word + 3])
        if (words[part]?.kind !== 'component' || words[part]?.bits !== size || size < 2 || size > NARROW_BITS)
          throw new TypeError(`Word ${word} is a quaternion: three components of one size must follow it.`)
      kinds[word] = KIND_QUATERNION
      next += OWN + AGES * MARGINS
      moving.push(word, KIND_QUATERNION, own, 4, next + OWN, 32 - size, (1 << (size - 1)) - 1, 0)
      movingWords.push(word)
    } else if (kind === 'still' || kind === 'float' || bits <= SMALL_BITS) {
      const isSmall = bits <= SMALL_BITS && !isWide
      kinds[word] = isWide ? KIND_WIDE_STILL : KIND_STILL
      still.push(word, own, isSmall ? 1 : 0)
      next += OWN + (isSmall ? 1 << SMALL_BITS : 2)
    } else {
      kinds[word] = isWide ? KIND_WIDE_LINEAR : kind === 'angle' ? KIND_ANGLE : KIND_LINEAR
      moving.push(word, kinds[word]!, own, isWide ? 0 : span + 1, 0, 0, 0, 0)
      movingWords.push(word)
      next += PART_CONTEXTS
    }
  })
  const rowBits = words.reduce((sum, word) => sum + word.bits, 0)
  if (slots > mostSlots(rowBits))
    throw new RangeError(`${slots} rows of ${rowBits} bits: more than one datagram holds.`)
  let hash = Math.imul(0x811c9dc5 ^ slots, FNV)
  for (let index = 0; index < width; index++) {
    hash = Math.imul(hash ^ kinds[index]!, FNV)
    hash = Math.imul(hash ^ words[index]!.bits, FNV)
  }
  return {
    shape,
    slots,
    width,
    moduli: Float64Array.from(words, word => word.span + 1),
    spans: Float64Array.from(words, word => word.span),
    bits: Uint8Array.from(words, word => word.bits),
    signs: Uint32Array.from(words, ({ kind, bits }) =>
      kind === 'float' || kind === 'movingFloat' ? (1 << (bits - 1)) >>> 0 : 0,
    ),
    firsts,
    still: Int32Array.from(still),
    moving: Int32Array.from(moving),
    movingWords: Uint16Array.from(movingWords),
    contexts: next,
    hash: hash >>> 0,
  }
}
