import type { Plan } from './plan.ts'
import { codeEntries, writeNumber, writeRaw, writeSymbol } from './range-encoder.ts'
import { MOST_TABLE_BYTES, STRIDE, SYMBOLS, TOTAL } from './symbols.ts'
import {
  BUILT_IN,
  builtInTables,
  CODES,
  FORMAT,
  hashOfPlans,
  identity,
  MOST_TRAINED,
  TABLE_HEADER,
  TABLE_CODE,
  TABLE_INDEX,
  TABLE_WAY,
  WAY_OTHER,
  WAY_SAME,
  WAY_BUILT_IN,
  weightOf,
} from './tables.ts'

/** Symbols counted in the contexts of a plan `[contexts x 64]`, for `countSymbols`. */
export const createCounts = (plan: Plan): Uint32Array => new Uint32Array(plan.contexts << STRIDE)

/** Halves all counts, so that the past counts for less and less. */
export const fadeCounts = (counts: Uint32Array): void => {
  for (let index = 0; index < counts.length; index++) counts[index]! >>>= 1
}

/** A context that was met: which symbols, how often. */
interface Sample {
  readonly plan: number
  readonly context: number
  readonly symbols: Uint8Array
  readonly counts: Float64Array
  readonly total: number
  cluster: number
  /** Bits of its symbols in the distribution of its cluster. */
  bits: number
}

const samplesOf = (plans: readonly Plan[], counts: readonly (Uint32Array | undefined)[]): Sample[] => {
  const samples: Sample[] = []
  plans.forEach((plan, index) => {
    const all = counts[index]
    if (!all) return
    for (let context = 0; context < plan.contexts; context++) {
      const symbols: number[] = []
      let total = 0
      for (let symbol = 0; symbol < SYMBOLS; symbol++) {
        const count = all[(context << STRIDE) + symbol]!
        if (count === 0) continue
        symbols.push(symbol)
        total += count
      }
      if (total === 0) continue
      samples.push({
        plan: index,
        context,
        symbols: Uint8Array.from(symbols),
        counts: Float64Array.from(symbols, symbol => all[(context << STRIDE) + symbol]!),
        total,
        cluster: -1,
        bits: Infinity,
      })
    }
  })
  return samples
}

/** Bits of each symbol, from weights of any sum. */
const bitsOf = (weights: Float64Array): Float64Array => {
  const sum = weights.reduce((a, b) => a + b, 0)
  return weights.map(weight => -Math.log2((1 + (weight * (TOTAL - SYMBOLS)) / sum) / TOTAL))
}

const costOf = ({ symbols, counts }: Sample, bits: Float64Array): number => {
  let sum = 0
  for (let index = 0; index < symbols.length; index++) sum += counts[index]! * bits[symbols[index]!]!
  return sum
}

const codeOf = (weight: number): number => {
  let code = 0
  while (code + 1 < CODES && weight > Math.sqrt(weightOf(code) * weightOf(code + 1))) code++
  return code
}

/** A distribution as codes, and what its symbols then cost. */
const quantise = (weights: Float64Array): { codes: Uint8Array; bits: Float64Array } => {
  const sum = weights.reduce((a, b) => a + b, 0)
  const codes = Uint8Array.from(weights, weight => codeOf((weight * TOTAL) / sum))
  return { codes, bits: bitsOf(Float64Array.from(codes, weightOf)) }
}

const sumOf = (samples: readonly Sample[], cluster: number): Float64Array => {
  // A little of everything, the less the larger: what was not met is not impossible.
  const weights = Float64Array.from({ length: SYMBOLS }, (_, symbol) => 0.5 / (1 + symbol))
  for (const sample of samples)
    if (sample.cluster === cluster)
      for (let index = 0; index < sample.symbols.length; index++)
        weights[sample.symbols[index]!]! += sample.counts[index]!
  return weights
}

/** Bits that a further distribution must save, beside the bytes that it takes. */
const WORTH = 400

export interface TrainOptions {
  /** The most distributions, up to 128. Default 64. */
  readonly distributions?: number
}

/**
 * Makes tables of what was counted: contexts that are alike share a distribution. Each `next` of the generator does
 * a slice of it, about 0.1 ms, of some hundred in all. The last value is the bytes for `parseTables`, at most 4,096.
 *
 * @param plans all plans that share the tables
 * @param counts what `countSymbols` added up for each; `undefined` or zeros keep the built-in distributions
 */
export function* trainTables(
  plans: readonly Plan[],
  counts: readonly (Uint32Array | undefined)[],
  { distributions = 64 }: TrainOptions = {},
): Generator<undefined, Uint8Array> {
  const samples = samplesOf(plans, counts)
  const clusters = yield* cluster(plans, samples, Math.min(distributions, MOST_TRAINED))
  // When all would be too large, only the contexts that are met most: the others keep the built-in distributions.
  for (let kept = samples; ; kept = kept.slice(0, kept.length >> 1)) {
    const bytes = serialise(plans, kept, clusters)
    if (bytes.length <= MOST_TABLE_BYTES) return bytes
    yield
    if (kept === samples) kept = samples.sort((a, b) => b.total - a.total)
  }
}

/** {@link trainTables} in one go. */
export const trainTablesNow = (
  plans: readonly Plan[],
  counts: readonly (Uint32Array | undefined)[],
  options?: TrainOptions,
): Uint8Array => {
  const work = trainTables(plans, counts, options)
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
  }
}

/** Costs of a sample that are worked out in a slice. */
const SLICE = 400

/** A distribution as codes, what its symbols cost in bits, and the mean size of its numbers. */
interface Cluster {
  readonly codes: Uint8Array
  readonly bits: Float64Array
  readonly size: number
}

/** Finds at most `most` distributions and gives each sample the one, or the built-in one, in which it is smallest. */
function* cluster(plans: readonly Plan[], samples: Sample[], most: number): Generator<undefined, Cluster[]> {
  const builtIn = builtInTables(plans)
  const builtInBits = Array.from({ length: BUILT_IN }, (_, index) =>
    Float64Array.from({ length: SYMBOLS }, (_, symbol) => {
      const at = (index << STRIDE) + symbol
      return -Math.log2((builtIn.cumulative[at + 1]! - builtIn.cumulative[at]!) / TOTAL)
    }),
  )
  let done = 0
  const assign = function* (from: number, options: readonly Float64Array[]): Generator<undefined, void> {
    for (const sample of samples) {
      for (let index = 0; index < options.length; index++) {
        const bits = costOf(sample, options[index]!)
        if (bits < sample.bits) {
          sample.bits = bits
          sample.cluster = from + index
        }
      }
      if ((done += options.length) >= SLICE) {
        done = 0
        yield
      }
    }
  }
  const restart = () => {
    for (const sample of samples) {
      sample.bits = Infinity
      sample.cluster = -1
    }
  }
  restart()
  yield* assign(0, builtInBits)
  // Each further distribution is that of the context which loses most by the ones there are.
  const own = new Float64Array(samples.length)
  for (let index = 0; index < samples.length; index++) {
    const { counts, total } = samples[index]!
    for (let at = 0; at < counts.length; at++) own[index]! -= counts[at]! * Math.log2(counts[at]! / total)
    if (index % SLICE === 0) yield
  }
  let clusters = 0
  while (clusters < most) {
    let worst = -1
    let loss = WORTH
    samples.forEach((sample, index) => {
      const lost = sample.bits - own[index]!
      if (lost > loss) {
        loss = lost
        worst = index
      }
    })
    if (worst < 0) break
    samples[worst]!.cluster = BUILT_IN + clusters
    yield* assign(BUILT_IN + clusters, [bitsOf(sumOf([samples[worst]!], BUILT_IN + clusters))])
    clusters++
  }
  let quantised: Cluster[] = []
  for (let round = 0; round < 4; round++) {
    quantised = []
    for (let index = 0; index < clusters; index++) {
      const weights = sumOf(samples, BUILT_IN + index)
      let sum = 0
      let size = 0
      for (let symbol = 0; symbol < SYMBOLS; symbol++) {
        sum += weights[symbol]!
        size += weights[symbol]! * ((symbol + 1) >> 1)
      }
      if (sum > 3) quantised.push({ ...quantise(weights), size: size / sum })
      yield
    }
    clusters = quantised.length
    restart()
    yield* assign(0, builtInBits)
    yield* assign(
      BUILT_IN,
      quantised.map(({ bits }) => bits),
    )
  }
  return quantised
}

const scratch = new Uint8Array(1 << 15)

const serialise = (plans: readonly Plan[], samples: readonly Sample[], clusters: readonly Cluster[]): Uint8Array => {
  // In the order of the sizes of their numbers, so that alike contexts have near numbers.
  const isUsed = new Set(samples.map(sample => sample.cluster))
  const order = [...clusters.keys()]
    .filter(index => isUsed.has(BUILT_IN + index))
    .sort((a, b) => clusters[a]!.size - clusters[b]!.size)
  const rank = new Map(order.map((cluster, index) => [BUILT_IN + cluster, BUILT_IN + index]))
  let count = 0
  for (const cluster of order) {
    const { codes } = clusters[cluster]!
    let last = SYMBOLS - 1
    while (last > 0 && codes[last] === 0) last--
    count = writeRaw(count, last, 6)
    for (let symbol = 0; symbol <= last; symbol++)
      count = writeNumber(
        count,
        TABLE_CODE,
        codes[symbol]! - (symbol === 0 ? 0 : codes[symbol < 3 ? symbol - 1 : symbol - 2]!),
      )
  }
  plans.forEach((plan, index) => {
    const met = samples.filter(sample => sample.plan === index)
    count = writeRaw(count, met.length > 0 ? 1 : 0, 1)
    if (met.length === 0) return
    const map = new Int16Array(plan.contexts).fill(-1)
    for (const { context, cluster } of met) map[context] = rank.get(cluster) ?? cluster
    let distribution = BUILT_IN
    let way: number = WAY_OTHER
    for (const wanted of map) {
      const next = wanted < 0 ? WAY_BUILT_IN : wanted === distribution ? WAY_SAME : WAY_OTHER
      count = writeSymbol(count, TABLE_WAY + way, next)
      way = next
      if (way !== WAY_OTHER) continue
      count = writeNumber(count, TABLE_INDEX, wanted - distribution)
      distribution = wanted
    }
  })
  scratch[0] = FORMAT
  new DataView(scratch.buffer).setUint32(1, hashOfPlans(plans), true)
  scratch[5] = order.length
  const end = codeEntries(builtInTables(plans).cumulative, identity, count, scratch, TABLE_HEADER)
  return scratch.slice(0, end < 0 ? scratch.length : end)
}
