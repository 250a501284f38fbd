import { MOST_BYTES } from '../../segment-size.ts'
import { countSymbols, encodeSegment, type MovedTo } from '../encode.ts'
import type { GroupState } from '../model.ts'
import { countEntries, sizes } from '../range-encoder.ts'
import type { SegmentCodec } from '../tables.ts'
import { ENCODER } from './bytes.ts'

/**
 * The segment encoder that servers run: `encode.as`, compiled, and what it is fed with. Where WebAssembly is not to be had, as in a page whose
 * content security policy forbids it, and for rows too wide for its memory, `encodeSegment` does the same in JavaScript.
 */

// Regions of its memory, in bytes: the same as in `encode.as`.
const LEAP_CLASSES = 448
const SIZES = 512
const OUT = 12_288
const NEXT_IDS = 81_920
const BASE_IDS = 82_176
const BEFORE_IDS = 82_432
const NEXT_ROWS = 86_016
const BASE_ROWS = 151_552
const BEFORE_ROWS = 217_088
const ENTRIES = 282_624
const CODECS = 851_968
const PAGE = 65_536

/** Words of a group's rows that have room: of each as many entries as the largest number takes. */
const MOST_WORDS = 12_800
/** Plans with their tables that it keeps, a page each; the one that came first makes way. More than a large schema's with two sets of tables. */
const MOST_CODECS = 256

interface Exports {
  use(at: number): void
  encode(
    hasBase: number,
    hasBefore: number,
    ticksBase: number,
    ticksBefore: number,
    changedLow: number,
    changedHigh: number,
    activeLow: number,
    activeHigh: number,
    room: number,
  ): number
  entriesEnd(): number
}

interface Machine extends Exports {
  readonly words: Uint32Array
  readonly bytes: Uint8Array
  readonly entries: Int32Array
  /** Whose plan and tables are in each page. */
  readonly codecs: SegmentCodec[]
  next: number
  used: SegmentCodec | undefined
}

let movedTo: MovedTo = () => undefined
const whereTo = (slot: number, doId: number): number => movedTo(slot, doId >>> 0) ?? -1

const start = (): Machine | undefined => {
  try {
    const code = Uint8Array.from(atob(ENCODER), letter => letter.charCodeAt(0))
    // All of it at once: what is not used takes no memory. If it grew, its buffer would be detached, and once one was, V8 looks at each use of
    // each array whether that is still there.
    const memory = new WebAssembly.Memory({
      initial: CODECS / PAGE + MOST_CODECS,
      maximum: CODECS / PAGE + MOST_CODECS,
    })
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory, movedTo: whereTo } })
    const { use, encode, entriesEnd } = exports as unknown as Exports
    const bytes = new Uint8Array(memory.buffer)
    for (let bits = 0; bits <= 32; bits++) bytes[LEAP_CLASSES + bits] = bits === 0 ? 0 : Math.min(4, (bits + 1) >> 1)
    new Uint16Array(memory.buffer, SIZES, sizes.length).set(sizes)
    return {
      use,
      encode,
      entriesEnd,
      bytes,
      words: new Uint32Array(memory.buffer),
      entries: new Int32Array(memory.buffer, ENTRIES),
      codecs: [],
      next: 0,
      used: undefined,
    }
  } catch {
    return undefined
  }
}

let machine: Machine | undefined
let isStarted = false

/** Whether segments are encoded by WebAssembly here. Finds out at the first call. */
export const isFast = (): boolean => {
  if (!isStarted) {
    isStarted = true
    machine = start()
  }
  return machine !== undefined
}

/** Has it be found out anew, for tests of places where there is none. */
export const forgetMachine = (): void => {
  isStarted = false
  machine = undefined
}

const aligned = (at: number): number => (at + 7) & ~7

/** A plan and its tables one behind the other, after the offsets of each: see `use` in `encode.as`; or nothing when that is more than a page. */
const imageOf = ({ plan, tables, map }: SegmentCodec): Uint8Array | undefined => {
  const { still, moving, movingWords, moduli, bits, signs, firsts, shape } = plan
  const parts: ArrayBufferView[] = [still, moving, Int32Array.from(movingWords)]
  const ends = parts.length
  parts.push(moduli, bits, signs, firsts, shape.defaults, tables.cumulative, map)
  const header: number[] = [plan.slots, plan.width]
  let at = aligned(15 * 4)
  const places = parts.map((part, index) => {
    const place = at
    header.push(place)
    if (index < ends) header.push(place + part.byteLength)
    at = aligned(at + part.byteLength)
    return place
  })
  if (at > PAGE) return undefined
  const image = new Uint8Array(at)
  image.set(new Uint8Array(Int32Array.from(header).buffer))
  parts.forEach((part, index) =>
    image.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), places[index]),
  )
  return image
}

/** The page that each codec was given; another may have it by now. */
const pages = new WeakMap<SegmentCodec, number>()

/** What does not fit is done in JavaScript. */
const unfit = new WeakSet<SegmentCodec>()

/** Makes the machine ready for a codec. Returns false when it is not one for it. */
const useCodec = (machine: Machine, codec: SegmentCodec): boolean => {
  if (machine.used === codec) return true
  let index = pages.get(codec) ?? -1
  if (machine.codecs[index] !== codec) {
    if (unfit.has(codec)) return false
    const { slots, width } = codec.plan
    const image = slots * width > MOST_WORDS ? undefined : imageOf(codec)
    if (!image) {
      unfit.add(codec)
      return false
    }
    index = machine.next % MOST_CODECS
    const at = CODECS + index * PAGE
    machine.next++
    machine.bytes.set(image, at)
    machine.codecs[index] = codec
    pages.set(codec, index)
  }
  machine.use(CODECS + index * PAGE)
  machine.used = codec
  return true
}

/** Whether the last segment is the machine's. */
let isLastFast = false

/** The same as {@link encodeSegment}, byte for byte. */
export const encodeFast = (
  codec: SegmentCodec,
  bytes: Uint8Array,
  at: number,
  next: GroupState,
  base: GroupState | undefined,
  before: GroupState | undefined,
  ticksBase: number,
  ticksBefore: number,
  changedLow: number,
  changedHigh: number,
  activeLow: number,
  activeHigh: number,
  where: MovedTo,
): number => {
  isLastFast = isFast() && at + MOST_BYTES <= bytes.length && useCodec(machine!, codec)
  if (isLastFast) {
    const { words, bytes: out } = machine!
    words.set(next.ids, NEXT_IDS >> 2)
    words.set(next.rows, NEXT_ROWS >> 2)
    if (base) {
      words.set(base.ids, BASE_IDS >> 2)
      words.set(base.rows, BASE_ROWS >> 2)
    }
    if (before) {
      words.set(before.ids, BEFORE_IDS >> 2)
      words.set(before.rows, BEFORE_ROWS >> 2)
    }
    movedTo = where
    const size = machine!.encode(
      base ? 1 : 0,
      before ? 1 : 0,
      ticksBase,
      ticksBefore,
      changedLow,
      changedHigh,
      activeLow,
      activeHigh,
      MOST_BYTES,
    )
    if (size > 0) {
      for (let index = 0; index < size; index++) bytes[at + index] = out[OUT + index]!
      return size
    }
    isLastFast = false
  }
  // Rows that the tables make too large too.
  return encodeSegment(
    codec,
    bytes,
    at,
    next,
    base,
    before,
    ticksBase,
    ticksBefore,
    changedLow,
    changedHigh,
    activeLow,
    activeHigh,
    where,
  )
}

/** The same as {@link countSymbols}, of the segment that {@link encodeFast} encoded last. */
export const countFast = (counts: Uint32Array): void => {
  if (!isLastFast) return countSymbols(counts)
  countEntries(machine!.entries, 0, (machine!.entriesEnd() - ENTRIES) >> 2, counts)
}
