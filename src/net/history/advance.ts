import { blendOver, blendRate, copyMix, createWeights, dropVelocities, gather, weigh, LEAST_WEIGHT } from './curve.ts'
import { type History, type Weights } from './model.ts'

/** Seconds that time may jump by and still be blended over. */
const LONGEST_BLEND = 1

/** Seconds that an object is taken for one that moves elsewhere now and then, and seconds that it is extrapolated. */
export const WARY = 10
export const WARY_EXTRAPOLATION = 0.15

export const weightsFor = (h: History, index: number): Weights => {
  const { options, velocity } = h.fields[index]!
  const former = h.fieldWeights[index]
  if (former !== undefined && former.options === options && former.isDriven === velocity >= 0) return former
  return changeWeights(h, index, former)
}

const changeWeights = (h: History, index: number, former: Weights | undefined): Weights => {
  const { options, velocity } = h.fields[index]!
  const isDriven = velocity >= 0
  let found = h.weights.find(each => each.options === options && each.isDriven === isDriven)
  if (!found) {
    found = createWeights(options, isDriven)
    // What is shown now goes over to another way to show it.
    if (former) {
      copyMix(former.shown, found.shown)
      if (!isDriven) dropVelocities(found.shown)
      blendOver(h, found)
    }
  }
  h.fieldWeights[index] = found
  collectWeights(h)
  return found
}

const collectWeights = (h: History): void => {
  h.weights = [...new Set(h.fieldWeights.flatMap(each => (each.wary ? [each, each.wary] : each)))]
}

/** Beside each weights, those for who was moved elsewhere; while nobody was, without. */
const keepWary = (h: History, isNeeded: boolean): void => {
  let isChanged = false
  for (const each of h.fieldWeights) {
    if (isNeeded === (each.wary !== undefined)) continue
    isChanged = true
    each.wary = isNeeded ? createWeights(each.options, each.isDriven, WARY_EXTRAPOLATION) : undefined
    if (each.wary) copyMix(each.shown, each.wary.shown)
    if (each.wary) copyMix(each.blend, each.wary.blend)
  }
  if (isChanged) collectWeights(h)
}

/**
 * Moves to server time `time`, `elapsed` seconds after the last one. `isJump`: time was moved by more than it passed, so
 * what was shown is blended over. Does not allocate.
 */
export const advanceHistory = (h: History, time: number, elapsed: number, isJump = false): void => {
  setMoment(time, elapsed)
  advanceToMoment(h, isJump)
}

/** Time and seconds since the last one. */
export const moment = new Float64Array(2)

/** What {@link advanceToMoment} advances to: numbers that a function is given may be allocated, for each history anew. */
export const setMoment = (time: number, elapsed: number): void => {
  moment[0] = time
  moment[1] = elapsed
}

/** {@link advanceHistory} for many histories. */
export const advanceToMoment = (h: History, isJump: boolean): void => {
  if (h.count === 0) return
  const time = moment[0]!
  // While time stands still, so does what is shown; who was away for seconds sees the present, not how it came about.
  const isAway = isJump && time - h.time > LONGEST_BLEND
  const elapsed = isAway ? Infinity : time === h.time ? 0 : moment[1]!
  for (let index = 0; index < h.fields.length; index++) weightsFor(h, index)
  const isFirst = Number.isNaN(h.time)
  h.time = time
  keepWary(h, h.latestCut > time - WARY)
  for (const each of h.weights) {
    const { blend } = each
    if (isJump && !isFirst && !isAway) blendOver(h, each)
    else {
      each.time = time - each.options.delay
      weigh(h, each, 0, h.count - 1)
      const decay = blend.count === 0 ? 0 : Math.exp(-blendRate(h, blend) * elapsed)
      let kept = 0
      for (let index = 0; index < blend.count; index++) {
        const weight = blend.weights[index]! * decay
        if (Math.abs(weight) < LEAST_WEIGHT) continue
        blend.rows[kept] = blend.rows[index]!
        blend.weights[kept++] = weight
      }
      blend.count = kept
    }
    gather(h, each)
  }
}
