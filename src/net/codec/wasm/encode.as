// The hot half of `encode.ts`, `model.ts` and `range-encoder.ts` in AssemblyScript, statement for statement: the same bytes, in about two thirds of the time.
// `npm run wasm` compiles it into `bytes.ts`; a test sees to it that both are of one source, and another that both encoders agree.
// It has no heap: whoever calls it fills the regions below, which `encoder.ts` names alike.

// ---- Regions ----

const ACTIVITIES: usize = 0
const CHANGES: usize = 64
const EXPECTED: usize = 128
const WHOLE: usize = 160
const OTHER: usize = 192
const PART_STEPS: usize = 224
const PART_LEAPS: usize = 240
const FORWARD: usize = 256
const BACKWARD: usize = 352
const LEAP_CLASSES: usize = 448
const SIZES: usize = 512
const OUT: usize = 12288
const DIGITS: usize = 16384
const NEXT_IDS: usize = 81920
const BASE_IDS: usize = 82176
const BEFORE_IDS: usize = 82432
const NEXT_ROWS: usize = 86016
const BASE_ROWS: usize = 151552
const BEFORE_ROWS: usize = 217088
const ENTRIES: usize = 282624

const MOST_DIGITS: i32 = 16384

// ---- Numbers of `plan.ts` and `symbols.ts` ----

const KIND_ANGLE: i32 = 3
const KIND_WIDE_LINEAR: i32 = 4
const KIND_QUATERNION: i32 = 5
const AGES: i32 = 6
const LEAPS: i32 = 5
const RESIDUALS: i32 = 8
const MARGINS: i32 = 8
const CONTEXT_LEFT: i32 = 0
const CONTEXT_ZONE: i32 = 1
const CONTEXT_ZONE_LENGTH: i32 = 2
const CONTEXT_ID: i32 = 3
const CONTEXT_ID_LENGTH: i32 = 4
const CONTEXT_ANY_NEW: i32 = 5
const CONTEXT_EIGHTH_NEW: i32 = 7
const CONTEXT_SLOT_NEW: i32 = 15
const CONTEXT_ANY_REST: i32 = 17
const CONTEXT_EIGHTH_REST: i32 = CONTEXT_ANY_REST + AGES * 6
const CONTEXT_SLOT_REST: i32 = CONTEXT_EIGHTH_REST + AGES * 8
const CONTEXT_CHANGE: i32 = CONTEXT_SLOT_REST + AGES * 2
const OWN: i32 = 3
const MOVING_CONTEXTS: i32 = RESIDUALS + (AGES - 1) * LEAPS * RESIDUALS
const PART_CONTEXTS: i32 = OWN + MOVING_CONTEXTS
const ESCAPE: i32 = 51
const ESCAPE_FROM: i32 = 4096
const LENGTH_FROM: i32 = 12
const STRIDE: i32 = 6
const TOTAL_BITS: i32 = 14
const DIRECT: i32 = 1 << 30
const FRESH: i32 = 6
const TURN: i32 = 16
const TERMS: i32 = 12

// ---- The plan and tables at hand: see `encoder.ts` ----

let slots: i32 = 0
let width: i32 = 0
let still: usize = 0
let stillEnd: usize = 0
let moving: usize = 0
let movingEnd: usize = 0
let movingWords: usize = 0
let movingWordsEnd: usize = 0
let moduli: usize = 0
let bits: usize = 0
let signs: usize = 0
let firsts: usize = 0
let defaults: usize = 0
let cumulative: usize = 0
let map: usize = 0

/** Where the object that left a slot went: its zone, or -1 when it was deleted. */
@external("env", "movedTo")
declare function movedTo(slot: i32, doId: u32): f64

// ---- Small things of `model.ts` ----

@inline function lowestBit(set: i32): i32 { return ctz(set) }
@inline function bitsOf(magnitude: i32): i32 { return 32 - clz(magnitude) }
@inline function leapClass(size: i32): i32 { return load<u8>(LEAP_CLASSES + bitsOf(size)) }
@inline function residualClass(size: i32): i32 {
  const count = bitsOf(size)
  return count > RESIDUALS - 1 ? RESIDUALS - 1 : count
}
@inline function magnitudeOf(number: i32): i32 {
  const sign = number >> 31
  return (number ^ sign) - sign
}
@inline function largerOf(a: i32, b: i32): i32 { return select(a, b, a > b) }
@inline function towards(residual: i32, leap: i32): i32 {
  const sign = leap >> 31
  return (residual ^ sign) - sign
}
@inline function ordered(value: u32, sign: u32): f64 {
  if (sign == 0) return <f64>value
  return value >= sign ? <f64>sign * 2 - 1 - <f64>value : <f64>value + <f64>sign
}
@inline function shortWay(difference: f64, modulus: f64): f64 {
  const half = modulus * 0.5
  return difference > half ? difference - modulus : difference < -half ? difference + modulus : difference
}
@inline function shortStep(difference: i32, modulus: i32): i32 {
  const half = modulus >> 1
  return difference > half ? difference - modulus : difference < -half ? difference + modulus : difference
}
@inline function leapOf(base: i32, before: i32, modulus: i32, ratio: f64): i32 {
  if (base == before) return 0
  const leap = floor<f64>(<f64>shortStep(base - before, modulus) * ratio + 0.5)
  const limit = <f64>(modulus >> 2)
  return leap > limit || leap < -limit ? 0 : <i32>leap
}
@inline function landing(base: i32, leap: i32, modulus: i32, isAngle: bool): i32 {
  const value = base + leap
  if (value < 0) return isAngle ? value + modulus : 0
  if (value >= modulus) return isAngle ? value - modulus : modulus - 1
  return value
}
function wideLeapOf(base: f64, before: f64, modulus: f64, ratio: f64): f64 {
  const leap = floor<f64>(shortWay(base - before, modulus) * ratio + 0.5)
  const limit = modulus * 0.25
  return leap > limit || leap < -limit ? 0 : leap
}
@inline function wideLanding(base: f64, leap: f64, modulus: f64): f64 {
  const value = base + leap
  return value < 0 ? 0 : value > modulus - 1 ? modulus - 1 : value
}
@inline function ageOf(ticks: i32, ticksBefore: i32): i32 {
  return ticks <= 3 && ticksBefore > 2 * ticks ? 5 : ticks <= 1 ? 1 : ticks <= 3 ? 2 : ticks <= 8 ? 3 : 4
}
@inline function ageContexts(age: i32): i32 { return age == 0 ? 0 : RESIDUALS + (age - 1) * LEAPS * RESIDUALS }

/** How much a slot moves from `before` to `base`. */
function activityOf(at: i32): i32 {
  let most = 0
  for (let item = moving; item < movingEnd; item += 32) {
    const word = (at + load<i32>(item)) << 2
    const kind = load<i32>(item, 4)
    const difference = load<i32>(BASE_ROWS + word) - load<i32>(BEFORE_ROWS + word)
    if (kind == KIND_QUATERNION) {
      if (difference != 0) {
        if (most < TURN) most = TURN
        continue
      }
      const shift = load<i32>(item, 20)
      for (let part = 4; part <= 12; part += 4)
        most = largerOf(most, magnitudeOf(((load<i32>(BASE_ROWS + word + part) - load<i32>(BEFORE_ROWS + word + part)) << shift) >> shift))
    } else if (difference != 0) {
      let size = 64
      if (kind != KIND_WIDE_LINEAR) {
        size = magnitudeOf(difference)
        const back = load<i32>(item, 12) - size
        if (back < size) size = back
      }
      most = largerOf(most, size)
    }
    if (most >= 40) return 5
  }
  return most == 0 ? 0 : most == 1 ? 1 : most <= 3 ? 2 : most <= 11 ? 3 : 4
}

// ---- Rotations ----

const LARGEST: f64 = 0.7071067811865476
let terms: i32 = 0
let ratioOfTerms: f64 = -1

/** Which of x, y, z, w is left out, first, second and third, by the first word. */
@inline function omitted(index: i32): i32 { return (0x2103 >> (index << 2)) & 15 }
@inline function firstOf(index: i32): i32 { return (0x0010 >> (index << 2)) & 15 }
@inline function secondOf(index: i32): i32 { return (0x1221 >> (index << 2)) & 15 }
@inline function thirdOf(index: i32): i32 { return (0x3332 >> (index << 2)) & 15 }

function setRatio(ratio: f64): void {
  ratioOfTerms = ratio
  terms = 1
  store<f64>(FORWARD, ratio + 1)
  store<f64>(BACKWARD, ratio)
  for (let index = 0; index + 1 < TERMS; index++) {
    const n = <f64>index
    const below = (n + 1.5) * (n + 1)
    const at = FORWARD + (index << 3)
    const up = (load<f64>(at) * (n - ratio) * (n + ratio + 2)) / below
    const down = (load<f64>(at + 96) * (n + 1 - ratio) * (n + ratio + 1)) / below
    store<f64>(at + 8, up)
    store<f64>(at + 104, down)
    if (up != 0 || down != 0) terms = index + 2
  }
}

@inline function component(value: i32, shift: i32, scale: f64): f64 { return <f64>((value << shift) >> shift) * scale }

function unpack(row: usize, shift: i32, scale: f64, out: usize): void {
  const a = component(load<i32>(row, 4), shift, scale)
  const b = component(load<i32>(row, 8), shift, scale)
  const c = component(load<i32>(row, 12), shift, scale)
  const rest = 1 - a * a - b * b - c * c
  const index = load<i32>(row)
  store<f64>(out + (omitted(index) << 3), rest > 0 ? sqrt<f64>(rest) : 0)
  store<f64>(out + (firstOf(index) << 3), a)
  store<f64>(out + (secondOf(index) << 3), b)
  store<f64>(out + (thirdOf(index) << 3), c)
}

function spreadExpected(index: i32): void {
  store<f64>(WHOLE + (firstOf(index) << 3), load<f64>(EXPECTED))
  store<f64>(WHOLE + (secondOf(index) << 3), load<f64>(EXPECTED, 8))
  store<f64>(WHOLE + (thirdOf(index) << 3), load<f64>(EXPECTED, 16))
  store<f64>(WHOLE + (omitted(index) << 3), load<f64>(EXPECTED, 24))
}

@inline function wholeAt(part: i32): f64 { return load<f64>(WHOLE + (part << 3)) }
@inline function largestOf(a: f64, b: f64, c: f64): f64 { return max<f64>(abs<f64>(a), max<f64>(abs<f64>(b), abs<f64>(c))) }
/** ToUint32 of JavaScript: a turn that is gone many times again from coarse steps can be any number. */
function wrapped(value: f64): i32 {
  const raw = reinterpret<u64>(value)
  const exponent = <i32>((raw >>> 52) & 0x7ff) - 1075
  if (exponent < 0) return <i32><i64>value
  if (exponent >= 32) return 0
  const mantissa = <u32>((raw & 0xfffffffffffff) | 0x10000000000000) << exponent
  return <i64>raw < 0 ? -<i32>mantissa : <i32>mantissa
}
@inline function marginOf(value: f64): i32 {
  const scaled = value * 64
  const count = bitsOf(scaled < 2147483648 ? <i32>scaled : wrapped(scaled))
  return count > MARGINS - 2 ? MARGINS - 2 : count
}

function predictRotation(word: usize, hasBefore: bool, shift: i32, steps: i32, ratio: f64): i32 {
  const base = BASE_ROWS + word
  const before = BEFORE_ROWS + word
  const scale = LARGEST / <f64>steps
  const index = load<i32>(base)
  const a = component(load<i32>(base, 4), shift, scale)
  const b = component(load<i32>(base, 8), shift, scale)
  const c = component(load<i32>(base, 12), shift, scale)
  const rest = 1 - a * a - b * b - c * c
  const left = rest > 0 ? sqrt<f64>(rest) : 0
  if (
    !hasBefore ||
    (load<i32>(base, 4) == load<i32>(before, 4) &&
      load<i32>(base, 8) == load<i32>(before, 8) &&
      load<i32>(base, 12) == load<i32>(before, 12) &&
      index == load<i32>(before))
  ) {
    store<f64>(EXPECTED, a)
    store<f64>(EXPECTED, b, 8)
    store<f64>(EXPECTED, c, 16)
    store<f64>(EXPECTED, left, 24)
    return (index << 3) | 7
  }
  if (ratio != ratioOfTerms) setRatio(ratio)
  let earlierA = component(load<i32>(before, 4), shift, scale)
  let earlierB = component(load<i32>(before, 8), shift, scale)
  let earlierC = component(load<i32>(before, 12), shift, scale)
  const earlierRest = 1 - earlierA * earlierA - earlierB * earlierB - earlierC * earlierC
  let earlierLeft = earlierRest > 0 ? sqrt<f64>(earlierRest) : 0
  if (load<i32>(before) != index) {
    unpack(before, shift, scale, WHOLE)
    earlierA = wholeAt(firstOf(index))
    earlierB = wholeAt(secondOf(index))
    earlierC = wholeAt(thirdOf(index))
    earlierLeft = wholeAt(omitted(index))
  }
  const dot = a * earlierA + b * earlierB + c * earlierC + left * earlierLeft
  const half = (1 - (dot < 0 ? -dot : dot)) * 0.5
  let u: f64 = 0
  let v: f64 = 0
  const turn = half * ratio * ratio
  for (let n = turn < 0.02 && terms > 3 ? 2 : turn < 0.3 && terms > 5 ? 4 : terms - 1; n >= 0; n--) {
    const at = FORWARD + (n << 3)
    u = u * half + load<f64>(at)
    v = v * half + load<f64>(at + 96)
  }
  if (dot < 0) v = -v
  const first = a * u - earlierA * v
  const second = b * u - earlierB * v
  const third = c * u - earlierC * v
  const fourth = left * u - earlierLeft * v
  store<f64>(EXPECTED, first)
  store<f64>(EXPECTED, second, 8)
  store<f64>(EXPECTED, third, 16)
  store<f64>(EXPECTED, fourth, 24)
  const most = abs<f64>(fourth)
  const next = largestOf(first, second, third)
  if (next <= most) return (index << 3) | marginOf(most - next)
  spreadExpected(index)
  let now = index
  for (let left = 0; left < 4; left++) if (abs<f64>(wholeAt(omitted(left))) == next) now = left
  const after = largestOf(wholeAt(firstOf(now)), wholeAt(secondOf(now)), wholeAt(thirdOf(now)))
  return (now << 3) | marginOf(next - after)
}

@inline function stepsOf(value: f64, factor: f64, steps: i32): i32 {
  const step = floor<f64>(value * factor + 0.5)
  return step > <f64>steps ? steps : step < <f64>-steps ? -steps : <i32>step
}

function predictParts(word: usize, left: i32, shift: i32, steps: i32): void {
  const base = BASE_ROWS + word
  const factor = <f64>steps / LARGEST
  const index = load<i32>(base)
  if (left == index) {
    const sign = load<f64>(EXPECTED, 24) < 0 ? -factor : factor
    for (let part = 0; part < 3; part++) {
      const step = stepsOf(load<f64>(EXPECTED + (part << 3)), sign, steps)
      store<i32>(PART_STEPS + (part << 2), step)
      store<i32>(PART_LEAPS + (part << 2), step - ((load<i32>(base + (part << 2), 4) << shift) >> shift))
    }
    return
  }
  spreadExpected(index)
  unpack(base, shift, LARGEST / <f64>steps, OTHER)
  const out = omitted(left)
  const sign = wholeAt(out) < 0 ? -factor : factor
  const baseSign = load<f64>(OTHER + (out << 3)) < 0 ? -factor : factor
  for (let part = 0; part < 3; part++) {
    const which = part == 0 ? firstOf(left) : part == 1 ? secondOf(left) : thirdOf(left)
    const step = stepsOf(wholeAt(which), sign, steps)
    store<i32>(PART_STEPS + (part << 2), step)
    store<i32>(PART_LEAPS + (part << 2), step - stepsOf(load<f64>(OTHER + (which << 3)), baseSign, steps))
  }
}

// ---- Entries ----

@inline function writeNumber(at: usize, context: i32, value: i32): usize {
  store<i32>(at, context)
  store<i32>(at, value, 4)
  return at + 8
}
@inline function writeSymbol(at: usize, context: i32, symbol: i32): usize {
  return writeNumber(at, context, (symbol & 1) == 1 ? ~(symbol >> 1) : symbol >> 1)
}
function writeRaw(at: usize, value: u32, count: i32): usize {
  if (count > 16) {
    at = writeNumber(at, ~(count - 16), value >>> 16)
    return writeNumber(at, ~16, value & 0xffff)
  }
  return writeNumber(at, ~count, value)
}
function writeWide(at: usize, context: i32, lengthContext: i32, value: f64): usize {
  const size = abs<f64>(value)
  if (size < <f64>ESCAPE_FROM) return writeNumber(at, context, <i32>value)
  const whole = <u32>size
  const octave = 31 - clz(whole)
  at = writeNumber(at, context | DIRECT, ESCAPE)
  at = writeNumber(at, lengthContext | DIRECT, octave - LENGTH_FROM)
  at = writeRaw(at, value < 0 ? 1 : 0, 1)
  return writeRaw(at, whole - (<u32>1 << octave), octave)
}

function writeSlots(
  at: usize, setLow: i32, setHigh: i32, markedLow: i32, markedHigh: i32, nearLow: i32, nearHigh: i32, any: i32, eighth: i32, slot: i32,
): usize {
  if ((setLow | setHigh) == 0) return at
  if ((markedLow | markedHigh) == 0) return writeSymbol(at, any, 0)
  at = writeSymbol(at, any, 1)
  for (let part = 0; part < 8; part++) {
    const shift = (part & 3) << 3
    let rest = ((part < 4 ? setLow : setHigh) >>> shift) & 255
    if (rest == 0) continue
    const marked = ((part < 4 ? markedLow : markedHigh) >>> shift) & 255
    const near = (((part < 4 ? nearLow : nearHigh) >>> shift) & 255) == 0 ? 0 : 1
    const size = popcnt(rest) >> 1
    at = writeSymbol(at, eighth + near * 4 + (size > 3 ? 3 : size), marked == 0 ? 0 : 1)
    if (marked == 0) continue
    for (; rest != 0; rest &= rest - 1) at = writeSymbol(at, slot + near, (marked & rest & -rest) == 0 ? 0 : 1)
  }
  return at
}

function writeStill(at: usize, row: i32): usize {
  let seen = 0
  for (let item = still; item < stillEnd; item += 12) {
    const word = load<i32>(item)
    const place = (row + word) << 2
    const value = load<u32>(NEXT_ROWS + place)
    const old = load<u32>(BASE_ROWS + place)
    const own = load<i32>(item, 4)
    const context = own + (load<i32>(item, 8) == 1 ? <i32>old : seen)
    if (value == old) {
      at = writeSymbol(at, context, 0)
      continue
    }
    seen = 1
    const sign = load<u32>(signs + (word << 2))
    at = writeWide(at, context, own - 1, shortWay(ordered(value, sign) - ordered(old, sign), load<f64>(moduli + (word << 3))))
  }
  return at
}

function writeMoving(start: usize, row: i32, hasBefore: bool, age: i32, ratio: f64, activity: i32): usize {
  const ageAt = ageContexts(age)
  let at = start
  let most = 0
  let residual = activity
  for (let item = moving; item < movingEnd; item += 32) {
    const place = (row + load<i32>(item)) << 2
    const kind = load<i32>(item, 4)
    const own = load<i32>(item, 8)
    if (kind <= KIND_ANGLE) {
      const modulus = load<i32>(item, 12)
      const old = load<i32>(BASE_ROWS + place)
      const leap = hasBefore ? leapOf(old, load<i32>(BEFORE_ROWS + place), modulus, ratio) : 0
      const there = landing(old, leap, modulus, kind == KIND_ANGLE)
      const miss = shortStep(load<i32>(NEXT_ROWS + place) - there, modulus)
      const size = magnitudeOf(miss)
      const context = own + ageAt + leapClass(magnitudeOf(leap)) * RESIDUALS + residual
      const number = towards(miss, leap)
      at = size < ESCAPE_FROM ? writeNumber(at, context, number) : writeWide(at, context, own - 1, <f64>number)
      most = largerOf(most, size)
    } else if (kind == KIND_QUATERNION) {
      const shift = load<i32>(item, 20)
      const steps = load<i32>(item, 24)
      const expected = predictRotation(place, hasBefore, shift, steps, ratio)
      const left = load<i32>(NEXT_ROWS + place)
      at = writeSymbol(at, own + age * MARGINS + (expected & 7), (left - (expected >> 3)) & 3)
      predictParts(place, left, shift, steps)
      const least = most >> 1
      let parts = load<i32>(item, 16)
      let largest = 0
      for (let part = 0; part < 12; part += 4) {
        const leap = load<i32>(PART_LEAPS + part)
        const miss = ((load<i32>(NEXT_ROWS + place + part, 4) - load<i32>(PART_STEPS + part)) << shift) >> shift
        const size = magnitudeOf(miss)
        const context = parts + ageAt + leapClass(magnitudeOf(leap)) * RESIDUALS + residual
        const number = towards(miss, leap)
        at = size < ESCAPE_FROM ? writeNumber(at, context, number) : writeWide(at, context, parts - 1, <f64>number)
        largest = largerOf(largest, size)
        residual = residualClass(largerOf(largest, least))
        parts += PART_CONTEXTS
      }
      most = largerOf(most, largest)
    } else {
      const word = load<i32>(item)
      const modulus = load<f64>(moduli + (word << 3))
      const sign = load<u32>(signs + (word << 2))
      const old = ordered(load<u32>(BASE_ROWS + place), sign)
      const leap = hasBefore ? wideLeapOf(old, ordered(load<u32>(BEFORE_ROWS + place), sign), modulus, ratio) : 0
      const miss = shortWay(ordered(load<u32>(NEXT_ROWS + place), sign) - wideLanding(old, leap, modulus), modulus)
      const context = own + ageAt + leapClass(<i32><u32>abs<f64>(leap)) * RESIDUALS + residual
      at = writeWide(at, context, own - 1, leap < 0 ? 0 - miss : miss)
      most = largerOf(most, <i32>min<f64>(abs<f64>(miss), 255))
    }
    residual = residualClass(most)
  }
  return at
}

function writeNew(start: usize, row: i32, from: usize, later: i32): usize {
  let at = start
  for (let word = 0; word < width; word++) {
    if (load<u8>(bits + word) == 0) continue
    const first = load<i32>(firsts + (word << 2))
    const sign = load<u32>(signs + (word << 2))
    const difference = ordered(load<u32>(NEXT_ROWS + ((row + word) << 2)), sign) - ordered(load<u32>(from + (word << 2)), sign)
    at = writeWide(at, first + later, first + 2, shortWay(difference, load<f64>(moduli + (word << 3))))
  }
  return at
}

function rowChange(row: i32): i32 {
  let change = 0
  for (let item = movingWords; item < movingWordsEnd; item += 4) {
    const place = (row + load<i32>(item)) << 2
    if (load<i32>(NEXT_ROWS + place) != load<i32>(BASE_ROWS + place)) {
      change = 1
      break
    }
  }
  for (let item = still; item < stillEnd; item += 12) {
    const place = (row + load<i32>(item)) << 2
    if (load<i32>(NEXT_ROWS + place) != load<i32>(BASE_ROWS + place)) return change | 2
  }
  return change
}

function largestId(): u32 {
  let largest: u32 = 0
  for (let slot = 0; slot < slots; slot++) {
    const id = load<u32>(BASE_IDS + (slot << 2))
    if (id > largest) largest = id
  }
  return largest
}

/** Models the segment into entries. Returns where they end. */
function model(
  hasBase: bool, earlier: bool, ticksBase: i32, ticksBefore: i32, changedLow: i32, changedHigh: i32, activeLow: i32, activeHigh: i32,
): usize {
  let at: usize = ENTRIES
  const hasBefore = hasBase && earlier
  const age = hasBefore ? ageOf(ticksBase, ticksBefore) : 0
  const ratio = <f64>ticksBase / <f64>ticksBefore
  let lastId: f64 = 0
  let usedLow = 0
  let usedHigh = 0
  let movingLow = 0
  let movingHigh = 0
  let moves = 0
  if (hasBase) {
    const low = slots < 32 ? slots : 32
    for (let slot = 0; slot < low; slot++) usedLow |= i32(load<i32>(BASE_IDS + (slot << 2)) != 0) << slot
    for (let slot = 32; slot < slots; slot++) usedHigh |= i32(load<i32>(BASE_IDS + (slot << 2)) != 0) << (slot - 32)
    if (hasBefore) {
      let rest = activeLow & usedLow
      let from = 0
      for (;;) {
        for (; rest != 0; rest &= rest - 1) {
          const slot = from + lowestBit(rest)
          const activity =
            load<i32>(BASE_IDS + (slot << 2)) == load<i32>(BEFORE_IDS + (slot << 2)) ? activityOf(slot * width) : FRESH
          store<u8>(ACTIVITIES + slot, <u8>activity)
          if (activity == 0) continue
          moves++
          if (from == 0) movingLow |= rest & -rest
          else movingHigh |= rest & -rest
        }
        if (from != 0) break
        from = 32
        rest = activeHigh & usedHigh
      }
    }
  }
  let markedLow = 0
  let markedHigh = 0
  let rest = slots < 32 ? changedLow & ((1 << slots) - 1) : changedLow
  for (let from = 0; ; ) {
    for (; rest != 0; rest &= rest - 1) {
      const slot = from + lowestBit(rest)
      const baseId = hasBase ? load<i32>(BASE_IDS + (slot << 2)) : 0
      const change = load<i32>(NEXT_IDS + (slot << 2)) != baseId ? 4 : baseId == 0 ? 0 : rowChange(slot * width)
      store<u8>(CHANGES + slot, <u8>change)
      if (change == 0) continue
      if (from == 0) markedLow |= rest & -rest
      else markedHigh |= rest & -rest
    }
    if (from != 0 || slots <= 32) break
    from = 32
    rest = slots < 64 ? changedHigh & ((1 << (slots - 32)) - 1) : changedHigh
  }
  const isKeyframe = hasBase ? 0 : 1
  const emptyLow = ~usedLow & (slots < 32 ? (1 << slots) - 1 : -1)
  const emptyHigh = slots <= 32 ? 0 : ~usedHigh & (slots < 64 ? (1 << (slots - 32)) - 1 : -1)
  const restLow = usedLow & ~movingLow
  const restHigh = usedHigh & ~movingHigh
  const crowd = bitsOf(moves)
  at = writeSlots(
    at, restLow, restHigh, markedLow & restLow, markedHigh & restHigh, movingLow, movingHigh,
    CONTEXT_ANY_REST + age * 6 + (crowd > 5 ? 5 : crowd), CONTEXT_EIGHTH_REST + age * 8, CONTEXT_SLOT_REST + age * 2,
  )
  at = writeSlots(
    at, emptyLow, emptyHigh, markedLow & emptyLow, markedHigh & emptyHigh, 0, 0,
    CONTEXT_ANY_NEW + isKeyframe, CONTEXT_EIGHTH_NEW + isKeyframe * 4, CONTEXT_SLOT_NEW + isKeyframe,
  )
  let template: usize = defaults
  let later = 0
  const changeContext = CONTEXT_CHANGE + age * 7
  let used = usedLow
  let active = movingLow
  let marked = markedLow
  let from = 0
  while (true) {
    for (rest = marked | active; rest != 0; rest &= rest - 1) {
      const bit = rest & -rest
      const slot = from + lowestBit(rest)
      const row = slot * width
      const change = (marked & bit) == 0 ? 0 : <i32>load<u8>(CHANGES + slot)
      if ((used & bit) != 0) {
        const activity = (active & bit) == 0 ? 0 : <i32>load<u8>(ACTIVITIES + slot)
        at = writeSymbol(at, changeContext + activity, change)
        if (change == 0) continue
        if (change != 4) {
          if ((change & 2) != 0) at = writeStill(at, row)
          if ((change & 1) == 0) continue
          at = writeMoving(at, row, activity != 0 && activity != FRESH, age, ratio, activity)
          continue
        }
        const zone = movedTo(slot, load<u32>(BASE_IDS + (slot << 2)))
        const isReplaced = load<i32>(NEXT_IDS + (slot << 2)) != 0
        at = writeSymbol(at, CONTEXT_LEFT, (isReplaced ? 1 : 0) | (zone < 0 ? 0 : 2))
        if (zone >= 0) at = writeWide(at, CONTEXT_ZONE, CONTEXT_ZONE_LENGTH, zone)
        if (!isReplaced) continue
      }
      const id = <f64>load<u32>(NEXT_IDS + (slot << 2))
      if (later == 0 && hasBase) lastId = <f64>largestId()
      at = writeWide(at, CONTEXT_ID, CONTEXT_ID_LENGTH, shortWay(id - lastId, 4294967296))
      lastId = id
      at = writeNew(at, row, template, later)
      template = NEXT_ROWS + (row << 2)
      later = 1
    }
    if (from != 0) return at
    from = 32
    used = usedHigh
    active = movingHigh
    marked = markedHigh
  }
}

/** Codes the entries up to `end` into {@link OUT}. Returns how many bytes they take, or -1 when that is more than `room`. */
function codeEntries(end: usize, room: i32): i32 {
  const last = MOST_DIGITS - 4
  let low: u32 = 0
  let range: u32 = 0xff000000
  let place = 1
  store<i32>(DIGITS, 0)
  for (let at: usize = ENTRIES; at < end; at += 8) {
    const context = load<i32>(at)
    const value = load<i32>(at, 4)
    let more: u32
    if (<u32>context >>> 30 == 0) {
      const isNegative = <u32>value >>> 31
      const magnitude = (value ^ (value >> 31)) + isNegative
      const size = <u32>load<u16>(SIZES + (magnitude << 1))
      const entry = cumulative + (((<usize>load<u8>(map + context) << STRIDE) + (size & 255) - isNegative) << 1)
      const raw = size >>> 8
      const start = <u32>load<u16>(entry)
      const step = range >>> TOTAL_BITS
      range = (step * (<u32>load<u16>(entry, 2) - start)) >>> raw
      more = step * start + range * (magnitude & ((1 << raw) - 1))
    } else if (context >= 0) {
      const entry = cumulative + (((<usize>load<u8>(map + (context - DIRECT)) << STRIDE) | <usize>value) << 1)
      const start = <u32>load<u16>(entry)
      const step = range >>> TOTAL_BITS
      range = step * (<u32>load<u16>(entry, 2) - start)
      more = step * start
    } else {
      range = range >>> ~context
      more = range * <u32>value
    }
    const sum = low + more
    const digit = DIGITS + (<usize>place << 2)
    store<i32>(digit - 4, load<i32>(digit - 4) + i32(sum < low))
    const settled = clz(range) & 24
    if (place > last) return -1
    store<i32>(digit, sum >>> 24)
    store<i32>(digit, (sum >>> 16) & 255, 4)
    if (settled == 24) store<i32>(digit, (sum >>> 8) & 255, 8)
    place += settled >> 3
    low = sum << settled
    range <<= settled
  }
  if (low != 0) {
    if (<u64>low + <u64>range > 0x100000000) {
      const digit = DIGITS + (<usize>(place - 1) << 2)
      store<i32>(digit, load<i32>(digit) + 1)
    } else {
      store<i32>(DIGITS + (<usize>place << 2), (low + 0xffffff) >>> 24)
      place++
    }
  }
  let carry = 0
  let size = 0
  for (let index = place - 1; index > 0; index--) {
    const digit = load<i32>(DIGITS + (<usize>index << 2)) + carry
    carry = digit >> 8
    if (size == 0) {
      if ((digit & 255) == 0 && index > 1) continue
      if (index > room) return -1
      size = index
    }
    store<u8>(OUT + index - 1, <u8>digit)
  }
  if (size == 0) {
    store<u8>(OUT, 0)
    return 1
  }
  return size
}

/** Where the entries of the segment at hand end, for who counts them. */
let modelled: usize = ENTRIES
export function entriesEnd(): usize { return modelled }

/** Sets the plan and tables of `encode`: what lies at `at` is laid out as `encoder.ts` says. */
export function use(at: usize): void {
  slots = load<i32>(at)
  width = load<i32>(at, 4)
  still = at + load<i32>(at, 8)
  stillEnd = at + load<i32>(at, 12)
  moving = at + load<i32>(at, 16)
  movingEnd = at + load<i32>(at, 20)
  movingWords = at + load<i32>(at, 24)
  movingWordsEnd = at + load<i32>(at, 28)
  moduli = at + load<i32>(at, 32)
  bits = at + load<i32>(at, 36)
  signs = at + load<i32>(at, 40)
  firsts = at + load<i32>(at, 44)
  defaults = at + load<i32>(at, 48)
  cumulative = at + load<i32>(at, 52)
  map = at + load<i32>(at, 56)
}

/** Encodes what the regions hold into {@link OUT}: see `encodeSegment`. Returns its bytes, or -1 when they are more than `room`. */
export function encode(
  hasBase: bool, hasBefore: bool, ticksBase: i32, ticksBefore: i32, changedLow: i32, changedHigh: i32, activeLow: i32, activeHigh: i32, room: i32,
): i32 {
  modelled = model(hasBase, hasBefore, ticksBase, ticksBefore, changedLow, changedHigh, activeLow, activeHigh)
  return codeEntries(modelled, room)
}
