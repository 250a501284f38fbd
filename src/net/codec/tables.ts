import {
  ageContexts,
  AGES,
  CONTEXT_LEFT,
  CONTEXT_ZONE,
  CONTEXT_ANY_NEW,
  CONTEXT_EIGHTH_NEW,
  CONTEXT_SLOT_NEW,
  CONTEXT_ANY_REST,
  CONTEXT_CHANGE,
  KIND_QUATERNION,
  LEAPS,
  LENGTH,
  MARGINS,
  MOVING_KIND,
  MOVING_OWN,
  MOVING_PARTS,
  MOVING_SIZE,
  PART_CONTEXTS,
  RESIDUALS,
  SMALL_BITS,
  STILL_OWN,
  STILL_IS_SMALL,
  STILL_SIZE,
  WORDS_FROM,
  type Plan,
} from './plan.ts'
import { isDecoded, readNumber, readRaw, readSymbol, startDecoding } from './range-decoder.ts'
import { MOST_TABLE_BYTES, sizeStart, STRIDE, SYMBOLS, TOTAL } from './symbols.ts'

/** The built-in distributions, which both ends work out: of numbers by their scale, two an octave; */
const SCALES = 32
/** of a flag that is 1 once in 2, 4, ... 4096 times; */
const FLAG = SCALES
const FLAGS = 12
/** of small alphabets: see `SMALL`; */
const CHANGE = FLAG + FLAGS
const REST = CHANGE + 1
const MOSTLY = CHANGE + 2
const LEFT = CHANGE + 3
const WAY = CHANGE + 4
/** and of numbers that are 0 or else of a scale of 1, 8 and 64. */
const SPIKE = CHANGE + 7
export const BUILT_IN = SPIKE + 3
/** The most distributions that trained tables may add. */
export const MOST_TRAINED = 128

/** Weights of the first five symbols. */
const SMALL = [
  // What changes of a slot that moved: nothing, what moves, what is still, both, another object.
  [4, 110, 2, 8, 4],
  // The same of one that rested and does change.
  [0, 70, 30, 20, 8],
  // A flag that is mostly 1.
  [1, 15, 0, 0, 0],
  // How an object left.
  [4, 2, 1, 1, 0],
  // Of a map of contexts: another distribution than the one before, the same, or the built-in one; after each of the three.
  [10, 4, 2, 0, 0],
  [4, 10, 2, 0, 0],
  [2, 2, 36, 0, 0],
] as const

/** Distributions and, for each plan, which of them its contexts have. Never changed once made. */
export interface Tables {
  /** 0 for the built-in ones, else a hash of the bytes. */
  readonly version: number
  /** `[distributions x 64]`: what the frequencies before a symbol sum up to; 2^14 after the last one. */
  readonly cumulative: Uint16Array
  /** `[distributions x 128]`: the first symbol that a 128th of the range can mean. */
  readonly lookup: Uint8Array
  /** A distribution by context, for each plan `[plans][contexts]`. */
  readonly maps: readonly Uint8Array[]
}

/** Weights by code, four an octave: 1, 4, 5, 6, 7, 8, 10, 12, 14, ... 28672. */
export const CODES = 53
export const weightOf = (code: number): number => (code === 0 ? 1 : (4 + ((code - 1) & 3)) << ((code - 1) >> 2))

/** Turns weights into frequencies from 1 up that sum up to 2^14, and enters them as distribution `index`. */
const enter = (cumulative: Uint16Array, lookup: Uint8Array, index: number, weights: ArrayLike<number>): void => {
  let sum = 0
  let likeliest = 0
  for (let symbol = 0; symbol < SYMBOLS; symbol++) {
    sum += weights[symbol]!
    if (weights[symbol]! > weights[likeliest]!) likeliest = symbol
  }
  const at = index << STRIDE
  let total = 0
  for (let symbol = 0; symbol < SYMBOLS; symbol++) {
    const frequency = 1 + Math.floor((weights[symbol]! * (TOTAL - SYMBOLS)) / sum)
    cumulative[at + symbol + 1] = frequency
    total += frequency
  }
  cumulative[at + likeliest + 1]! += TOTAL - total
  for (let symbol = 0; symbol < SYMBOLS; symbol++) cumulative[at + symbol + 1]! += cumulative[at + symbol]!
  let symbol = 0
  for (let part = 0; part < 128; part++) {
    while (cumulative[at + symbol + 1]! <= part << 7) symbol++
    lookup[(index << 7) + part] = symbol
  }
}

const weights = new Float64Array(SYMBOLS)

/** Weights of numbers of a scale, by a curve between Laplace's and Cauchy's; `share` is what they sum up to, about. */
const spread = (scale: number, share: number): void => {
  for (let symbol = 0; symbol < SYMBOLS; symbol++) {
    const size = (symbol + 1) >> 1
    const width = sizeStart(size + 1) - sizeStart(size)
    const x = (sizeStart(size) + (width - 1) / 2) / scale
    weights[symbol] = Math.floor((share * width) / (scale * (1 + x * x * (1 + 0.25 * x)))) + 1
  }
}

const enterBuiltIn = (cumulative: Uint16Array, lookup: Uint8Array): void => {
  let scale = 0.125
  for (let level = 0; level < SCALES; level++) {
    spread(scale, 1 << 24)
    enter(cumulative, lookup, level, weights)
    // Alternately by 3/2 and 4/3: two steps are an octave.
    scale *= level % 2 === 0 ? 1.5 : 4 / 3
  }
  for (let level = 0; level < FLAGS; level++) {
    weights.fill(0)
    weights[0] = (2 << level) - 1
    weights[1] = 1
    enter(cumulative, lookup, FLAG + level, weights)
  }
  SMALL.forEach((small, index) => {
    weights.fill(0)
    weights.set(small)
    enter(cumulative, lookup, CHANGE + index, weights)
  })
  for (let index = 0; index < 3; index++) {
    spread(1 << (3 * index), 1 << 20)
    weights[0] = 1 << 23
    enter(cumulative, lookup, SPIKE + index, weights)
  }
}

/** Scales of residuals by age (0 to 5) and leap (5), where those before were small. */
const RESIDUAL_SCALES = [
  12, 12, 12, 12, 12, 4, 6, 7, 8, 9, 4, 8, 9, 10, 12, 4, 9, 11, 13, 15, 5, 13, 15, 17, 18, 4, 7, 9, 10, 11,
]
/** Of which component of a rotation is left out, by margin less age (1 for age 5), from -4 on: the clearer, the rarer is another. */
const INDEX = [6, 6, 6, 5, 4, 2, 1, 0, FLAG + 9, FLAG + 11, FLAG + 11]

/** The built-in distributions of a plan's contexts: guesses from what they mean, checked against the scenes of the bench. */
const builtInMap = ({ contexts, shape, firsts, still, moving }: Plan): Uint8Array => {
  const map = new Uint8Array(contexts)
  map[CONTEXT_LEFT] = LEFT
  map.fill(10, CONTEXT_ZONE, CONTEXT_ANY_NEW)
  map.fill(FLAG + 1, CONTEXT_ANY_NEW, CONTEXT_CHANGE)
  map[CONTEXT_ANY_NEW + 1] = MOSTLY
  map.fill(MOSTLY, CONTEXT_EIGHTH_NEW + 4, CONTEXT_SLOT_NEW)
  map[CONTEXT_SLOT_NEW + 1] = MOSTLY
  map.fill(CHANGE, CONTEXT_CHANGE, WORDS_FROM)
  for (let age = 0; age < AGES; age++) {
    map[CONTEXT_ANY_REST + age * 6] = MOSTLY
    map[CONTEXT_CHANGE + age * 7] = REST
  }
  shape.words.forEach(({ bits }, word) => {
    if (bits > 0) map.fill(Math.min(SCALES - 1, 2 * bits + 1), firsts[word]!, firsts[word]! + LENGTH)
    if (bits > 0) map[firsts[word]! + LENGTH] = 10
  })
  for (let item = 0; item < still.length; item += STILL_SIZE) {
    const own = still[item + STILL_OWN]!
    const isSmall = still[item + STILL_IS_SMALL] === 1
    map.fill(SPIKE + (isSmall ? 0 : 1), own, own + (isSmall ? 1 << SMALL_BITS : 2))
  }
  const fillMoving = (own: number): void => {
    for (let age = 0; age < AGES; age++)
      for (let leap = 0; leap < (age === 0 ? 1 : LEAPS); leap++)
        for (let residual = 0; residual < RESIDUALS; residual++)
          map[own + ageContexts(age) + leap * RESIDUALS + residual] = Math.max(
            RESIDUAL_SCALES[age * LEAPS + leap]!,
            2 * residual - 1,
          )
  }
  for (let item = 0; item < moving.length; item += MOVING_SIZE) {
    const own = moving[item + MOVING_OWN]!
    if (moving[item + MOVING_KIND] !== KIND_QUATERNION) {
      fillMoving(own)
      continue
    }
    for (let age = 0; age < AGES; age++)
      for (let margin = 0; margin < MARGINS; margin++)
        map[own + age * MARGINS + margin] = margin === MARGINS - 1 ? 0 : INDEX[margin - (age === 5 ? 1 : age) + 4]!
    for (let part = 0; part < 3; part++) fillMoving(moving[item + MOVING_PARTS]! + part * PART_CONTEXTS)
  }
  return map
}

/** Tables without training. */
export const builtInTables = (plans: readonly Plan[]): Tables => {
  const cumulative = new Uint16Array(BUILT_IN << STRIDE)
  const lookup = new Uint8Array(BUILT_IN << 7)
  enterBuiltIn(cumulative, lookup)
  return { version: 0, cumulative, lookup, maps: plans.map(builtInMap) }
}

/** A plan with tables: what segments are encoded and decoded with. Never changed once made. */
export interface SegmentCodec {
  readonly plan: Plan
  readonly tables: Tables
  readonly map: Uint8Array
}

/** The codec of plan number `index` of those that the tables were made for. */
export const codecOf = (plan: Plan, tables: Tables, index: number): SegmentCodec => {
  const map = tables.maps[index]
  if (map?.length !== plan.contexts) throw new RangeError(`The tables are of other plans than number ${index}.`)
  return { plan, tables, map }
}

export const FORMAT = 2
/** Bytes before what is range coded: the format, a hash of the plans, the number of distributions. */
export const TABLE_HEADER = 6
/** Built-in distributions that code tables: steps between codes, between distributions, and which way a context goes (3). */
export const TABLE_CODE = 4
export const TABLE_INDEX = 8
export const TABLE_WAY = WAY
/** Ways of a context: another distribution than the context before it, the same, or the built-in one. */
export const WAY_OTHER = 0
export const WAY_SAME = 1
export const WAY_BUILT_IN = 2

/** A number that differs when the tables of one list of plans do not fit another. */
export const hashOfPlans = (plans: readonly Plan[]): number =>
  plans.reduce((hash, plan) => Math.imul(hash ^ plan.hash, 0x01000193), 0x811c9dc5) >>> 0

const hashOfBytes = (bytes: Uint8Array): number => {
  let hash = 0x811c9dc5
  for (let index = 0; index < bytes.length; index++) hash = Math.imul(hash ^ bytes[index]!, 0x01000193)
  return hash === 0 ? 1 : hash >>> 0
}

/** The map by which tables are coded themselves: a context is a built-in distribution. */
export const identity = Uint8Array.from({ length: BUILT_IN }, (_, index) => index)

/**
 * Reads trained tables. Total: bytes of another format, of other plans, or of nothing give `undefined`.
 * @param plans all plans that share the tables, in the order in which they were trained
 */
export const parseTables = (bytes: Uint8Array, plans: readonly Plan[]): Tables | undefined => {
  if (bytes.length <= TABLE_HEADER || bytes.length > MOST_TABLE_BYTES || bytes[0] !== FORMAT) return undefined
  const hash = (bytes[1]! | (bytes[2]! << 8) | (bytes[3]! << 16) | (bytes[4]! << 24)) >>> 0
  const trained = bytes[5]!
  if (hash !== hashOfPlans(plans) || trained > MOST_TRAINED) return undefined
  const builtIn = builtInTables(plans)
  const count = BUILT_IN + trained
  const cumulative = new Uint16Array(count << STRIDE)
  const lookup = new Uint8Array(count << 7)
  cumulative.set(builtIn.cumulative)
  lookup.set(builtIn.lookup)
  startDecoding(builtIn, identity, bytes, TABLE_HEADER, bytes.length)
  const codes = new Uint8Array(SYMBOLS)
  for (let index = BUILT_IN; index < count; index++) {
    codes.fill(0)
    const last = readRaw(6)
    if (last >= SYMBOLS) return undefined
    for (let symbol = 0; symbol <= last; symbol++) {
      const code = (symbol === 0 ? 0 : codes[symbol < 3 ? symbol - 1 : symbol - 2]!) + readNumber(TABLE_CODE, 0)
      if (!(code >= 0 && code < CODES)) return undefined
      codes[symbol] = code
    }
    for (let symbol = 0; symbol < SYMBOLS; symbol++) weights[symbol] = weightOf(codes[symbol]!)
    enter(cumulative, lookup, index, weights)
  }
  for (const map of builtIn.maps) {
    if (readRaw(1) === 0) continue
    let distribution = BUILT_IN
    let way: number = WAY_OTHER
    for (let context = 0; context < map.length; context++) {
      way = readSymbol(TABLE_WAY + way)
      if (way > WAY_BUILT_IN) return undefined
      if (way === WAY_BUILT_IN) continue
      if (way === WAY_OTHER) distribution += readNumber(TABLE_INDEX, 0)
      if (!(distribution >= 0 && distribution < count)) return undefined
      map[context] = distribution
    }
  }
  return isDecoded() ? { version: hashOfBytes(bytes), cumulative, lookup, maps: builtIn.maps } : undefined
}
