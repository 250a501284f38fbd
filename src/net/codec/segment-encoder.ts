import { growBits } from '../bits.ts'
import type { SegmentEncoder } from '../codec.ts'
import type { ClassLayouts, Layout } from '../layout.ts'
import { codecsOf, plansOf, span, type Plans } from './layouts.ts'
import { MOST_BYTES } from '../segment-size.ts'
import { parseTables, type SegmentCodec } from './tables.ts'
import { createCounts, fadeCounts, trainTables } from './train.ts'
import { countFast, encodeFast, isFast } from './wasm/encoder.ts'

/** Tables that clients may have: the built-in ones, and as many later ones as are kept. */
interface Generation {
  readonly number: number
  readonly bytes: Uint8Array | undefined
  readonly codecs: Map<Layout, SegmentCodec>
}

/** Later tables that are kept; whoever has older ones is written to with the built-in ones until it has newer. */
const KEPT = 3
/** Numbers of tables are a byte; 0 are the built-in ones. */
const nextNumber = (number: number): number => (number % 255) + 1
/** Seconds after which tables are made for the first time, and by how much longer each next time takes, up to a limit. */
const FIRST_TRAINING = 5
const PATIENCE = 2
const LONGEST = 300
/** Of so many rounds the segments of one are counted. */
const COUNTED_ROUND = 2
/** Slices of the work that are done in a tick, of about 0.1 ms each. */
const SLICES = 4
/**
 * Bytes of segments, keyframes apart, that must have been counted before tables are worth making: of less, as when all have just come in and little moves
 * yet, they are worse than the built-in ones.
 */
const ENOUGH = 8000

export interface RangeEncoderOptions {
  /** Tables to begin with, of an earlier run with the same schema. */
  readonly tables?: Uint8Array | undefined
  /** Whether to make better ones from what is written. Default true. */
  readonly isTraining?: boolean | undefined
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

/** The range coder, for the layouts of a schema. Throws a `RangeError` for tables of another schema. */
export const createRangeEncoder = (
  classes: readonly (ClassLayouts | undefined)[],
  { tables, isTraining = true }: RangeEncoderOptions = {},
): SegmentEncoder => {
  const plans = plansOf(classes)
  const builtIn: Generation = { number: 0, bytes: undefined, codecs: codecsOf(plans) }
  const later: Generation[] = []
  const add = (bytes: Uint8Array): boolean => {
    const parsed = parseTables(bytes, plans.plans)
    if (!parsed) return false
    const number = nextNumber(encoder.generation)
    encoder.generation = number
    later.push({ number, bytes, codecs: codecsOf(plans, parsed) })
    if (later.length > KEPT) later.shift()
    return true
  }
  const training = createTraining(plans, add)
  const find = (number: number): Generation => {
    for (let index = later.length - 1; index >= 0; index--) if (later[index]!.number === number) return later[index]!
    return builtIn
  }
  // No getters: with one, an object is a slow one, and this is looked at for each group of each client.
  const encoder: Writable<SegmentEncoder> = {
    name: 'range',
    runsOn: () => (isFast() ? 'wasm' : 'javascript'),
    usesBefore: true,
    generation: 0,
    tablesOf: number => find(number).bytes,
    train: seconds => {
      if (isTraining) training.advance(seconds)
    },
    encode(writer, layout, base, before, frame, slots, active, movedTo, generation) {
      growBits(writer, MOST_BYTES + 64)
      const size = encodeFast(
        find(generation).codecs.get(layout)!,
        writer.bytes,
        writer.at,
        frame,
        base,
        before,
        span(frame, base),
        base ? span(base, before) : 0,
        slots.low,
        slots.high,
        active.low,
        active.high,
        movedTo,
      )
      // Groups have no more slots than the worst segment has room for.
      if (size < 0) throw new Error(`A segment of ${layout.dclass.name} does not fit ${MOST_BYTES} bytes.`)
      writer.at += size
      if (isTraining) training.count(layout, base ? size : 0)
      return size
    },
  }
  if (tables && !add(tables))
    throw new RangeError(
      'codecTables are of another schema or version of this library: make them anew with `pipes train`, or leave them out.',
    )
  return encoder
}

/** Counts what is written, and now and then makes tables of it, in slices. */
const createTraining = ({ layouts, plans }: Plans, add: (bytes: Uint8Array) => boolean) => {
  const counts: (Uint32Array | undefined)[] = layouts.map(() => undefined)
  const indexes = new Map(layouts.map((layout, index) => [layout, index]))
  let counted = 0
  let round = 0
  let isCounting = false
  let startedAt = NaN
  let wait = FIRST_TRAINING
  let work: Generator<undefined, Uint8Array> | undefined
  return {
    count(layout: Layout, size: number): void {
      if (!isCounting) return
      const index = indexes.get(layout)!
      countFast((counts[index] ??= createCounts(plans[index]!)))
      counted += size
    },
    advance(seconds: number): void {
      isCounting = work === undefined && round++ % COUNTED_ROUND === 0
      if (Number.isNaN(startedAt)) startedAt = seconds
      if (work === undefined) {
        if (seconds - startedAt < wait || counted < ENOUGH) return
        work = trainTables(plans, counts)
      }
      let step = work.next()
      for (let slice = 1; slice < SLICES && !step.done; slice++) step = work.next()
      if (!step.done) return
      work = undefined
      add(step.value)
      for (const each of counts) if (each) fadeCounts(each)
      counted = 0
      startedAt = seconds
      wait = Math.min(LONGEST, wait * PATIENCE)
    },
  }
}
