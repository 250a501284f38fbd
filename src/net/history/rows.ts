import { blendOver, createWeights, curve, forget, gather, weigh } from './curve.ts'
import { type History, ROWS, smoothOptions } from './model.ts'

/**
 * Makes room for the state at server time `time`, which is known to hold until `until`; the state before it held until
 * `before`. Write the objects with {@link writeValue} and {@link sealSlot}, then call {@link commitRow}. Those that are
 * not written stay as they were.
 *
 * @returns its place among the rows, or -1 when it is there already or too old
 */
export const insertRow = (h: History, time: number, until: number, before = -Infinity): number => {
  const { order, times, untils } = h
  let at = h.count
  while (at > 0 && times[order[at - 1]!]! > time) at--
  const previous = order[at - 1]!
  if (at > 0 && times[previous] === time) {
    untils[previous] = Math.max(untils[previous]!, until)
    return -1
  }
  let row = h.count
  if (h.count === ROWS) {
    if (at === 0) return -1
    row = order[0]!
    order.copyWithin(0, 1, at)
    at--
  } else {
    order.copyWithin(at + 1, at, h.count)
    h.count++
  }
  order[at] = row
  times[row] = time
  const next = at + 1 < h.count ? times[order[at + 1]!]! : Infinity
  untils[row] = Math.max(time, Math.min(until, next))
  if (at > 0) untils[previous] = Math.min(time, Math.max(untils[previous]!, before))
  const like = at > 0 ? previous : h.count > 1 ? order[1]! : row
  const size = h.width * h.slots
  h.values.copyWithin(row * size, like * size, (like + 1) * size)
  h.generations.copyWithin(row * h.slots, like * h.slots, (like + 1) * h.slots)
  for (const each of h.weights) {
    forget(each.shown, row)
    forget(each.blend, row)
  }
  return at
}

/** Writes one number of a row that was just inserted. */
export const writeValue = (h: History, at: number, slot: number, word: number, value: number): void => {
  h.values[(h.order[at]! * h.width + word) * h.slots + slot] = value
}

/** Ends an insertion: what is shown goes over to the curve through the new row. */
export const commitRow = (h: History, at: number): void => {
  for (const field of h.fields) {
    if (field.kind === 'quaternion') alignQuaternions(h, field.at, at)
    else if (field.period > 0)
      for (let word = 0; word < field.size; word++) alignTurns(h, field.at + word, field.period, at)
  }
  for (const each of h.weights) blendOver(h, each)
}

/** The newest state is known to hold until `until`. */
export const holdHistory = (h: History, until: number): void => {
  const newest = h.order[h.count - 1]!
  if (h.count > 0 && h.untils[newest]! < until) {
    h.untils[newest] = until
    if (h.time > h.times[newest]!) for (const each of h.weights) blendOver(h, each)
  }
}

/** Empties a slot: what is written next is another object, or one that starts anew. */
export const resetSlot = (h: History, slot: number): void => {
  h.births[slot] = Infinity
  h.cuts[slot] = -Infinity
}

/**
 * Ends the writing of an object's numbers. `generation`: how often it has been moved elsewhere by then, modulo 256:
 * between rows that differ in it, nothing is shown of the way from one to the other.
 */
export const sealSlot = (h: History, at: number, slot: number, generation = 0): void => {
  const { slots, generations, order, times, births } = h
  const row = order[at]!
  generations[row * slots + slot] = generation
  if (times[row]! < births[slot]!) {
    // Nothing is known of the time before: it stood there. Rows to come are copies of these.
    if (births[slot] === Infinity) for (let other = 0; other < ROWS; other++) copySlot(h, row, other, slot)
    else for (let older = 0; older < at; older++) copySlot(h, row, order[older]!, slot)
    births[slot] = times[row]!
    h.latestBirth = Math.max(h.latestBirth, times[row]!)
  }
  for (let newer = Math.max(1, at); newer <= at + 1 && newer < h.count; newer++)
    if (generations[order[newer]! * slots + slot] !== generations[order[newer - 1]! * slots + slot]) {
      h.cuts[slot] = Math.max(h.cuts[slot]!, times[order[newer]!]!)
      h.latestCut = Math.max(h.latestCut, h.cuts[slot]!)
    }
}

/** Shows one slot so many seconds later than the others. */
export const delaySlot = (h: History, slot: number, delay: number): void => {
  h.delays[slot] = delay
  h.hasDelays = h.delays.some(each => each !== 0)
}

const copySlot = (h: History, from: number, to: number, slot: number): void => {
  const { slots, width, values, generations } = h
  if (from === to) return
  generations[to * slots + slot] = generations[from * slots + slot]!
  for (let word = 0; word < width; word++)
    values[(to * width + word) * slots + slot] = values[(from * width + word) * slots + slot]!
}

/** Forgets the past of a slot: it stands as in its newest row. */
export const resetHistorySlot = (h: History, slot: number): void => {
  if (h.count === 0) return
  const newest = h.order[h.count - 1]!
  for (let row = 0; row < ROWS; row++) copySlot(h, newest, row, slot)
  h.births[slot] = h.times[newest]!
  h.latestBirth = h.times[newest]!
  h.cuts[slot] = -Infinity
}

/**
 * An object is about to come from one history into another, at server time `time`: where that one stood still, it gets the
 * rows of this one, or the object would stand still there as well.
 */
export const spreadRows = (from: History, to: History, time: number): void => {
  let isSpread = false
  for (let index = 0; index < from.count; index++) {
    const at = from.times[from.order[index]!]!
    if (at >= time) break
    let before = to.count - 1
    while (before >= 0 && to.times[to.order[before]!]! > at) before--
    if (before >= 0 && to.untils[to.order[before]!]! < at) continue
    const until = before < 0 ? at : to.untils[to.order[before]!]!
    const inserted = insertRow(to, at, until)
    if (inserted >= 0) isSpread = true
    // No longer held in between: it moves there.
    if (inserted > 0) to.untils[to.order[inserted - 1]!] = to.times[to.order[inserted - 1]!]!
  }
  if (!isSpread) return
  const newest = to.order[to.count - 1]!
  to.untils[newest] = to.times[newest]!
  if (Number.isNaN(to.time)) return
  // The rows are alike, so nothing of what is shown changes: what was the weight of one is now that of others.
  for (const each of to.weights) {
    each.time = to.time - each.options.delay
    weigh(to, each, 0, to.count - 1)
    gather(to, each)
  }
}

/** Between samples as the curve has it, after the last as that. */
const past = createWeights(smoothOptions({ extrapolate: 0 }), false)

/** Gives a slot the past of one of another history: as that has it at the times of the rows before row `at`. */
export const carrySlot = (from: History, fromSlot: number, to: History, slot: number, at: number): void => {
  if (from.count === 0) return
  const fromSize = from.width * from.slots
  for (let index = 0; index < at; index++) {
    const row = to.order[index]!
    past.time = to.times[row]!
    weigh(from, past, 0, from.count - 1)
    const { base, count, rows, weights } = curve
    to.generations[row * to.slots + slot] = from.generations[base * from.slots + fromSlot]!
    for (let word = 0; word < to.width; word++) {
      const column = word * from.slots + fromSlot
      const value = from.values[base * fromSize + column]!
      let sum = value
      for (let other = 0; other < count; other++)
        sum += weights[other]! * (from.values[rows[other]! * fromSize + column]! - value)
      to.values[(row * to.width + word) * to.slots + slot] = sum
    }
  }
  to.births[slot] = Math.min(to.births[slot]!, from.births[fromSlot]!)
  to.cuts[slot] = from.cuts[fromSlot]!
  to.latestCut = Math.max(to.latestCut, to.cuts[slot]!)
}

/** The newer row keeps its sign, so that what it says is shown bit for bit. */
const alignQuaternions = (h: History, word: number, at: number): void => {
  const { values, order, slots, width } = h
  const size = width * slots
  for (let slot = 0; slot < slots; slot++)
    for (let older = Math.min(at, h.count - 2); older >= 0; older--) {
      const a = order[older]! * size + word * slots + slot
      const b = order[older + 1]! * size + word * slots + slot
      let dot = 0
      for (let part = 0; part < 4 * slots; part += slots) dot += values[a + part]! * values[b + part]!
      if (dot >= 0) {
        if (older < at) break
        continue
      }
      for (let part = 0; part < 4 * slots; part += slots) values[a + part] = -values[a + part]!
    }
}

/** The same for what goes round: older rows are moved by whole turns to where the way to the newer one is shortest. */
const alignTurns = (h: History, word: number, period: number, at: number): void => {
  const { values, order, slots, width } = h
  const size = width * slots
  for (let slot = 0; slot < slots; slot++)
    for (let older = Math.min(at, h.count - 2); older >= 0; older--) {
      const a = order[older]! * size + word * slots + slot
      const turns = Math.round((values[order[older + 1]! * size + word * slots + slot]! - values[a]!) / period)
      if (turns === 0) {
        if (older < at) break
        continue
      }
      values[a]! += turns * period
    }
}
