import type { EntityId } from 'bitecs'
import type { FieldColumns } from '../components/index.ts'
import type { DCParameterField } from '../dc/index.ts'
import { delaySlot, resetHistorySlot, slopeField, smoothOptions, type SmoothOptions } from '../net/history.ts'
import { clientStates, type ClientHandle, type ClientObject, type ClientState } from './client-state.ts'
import { secondsAt, type TrackPlan } from './track.ts'

/** How a field is shown, by all objects that have it; what is left out stays as it is. */
export interface FieldSmoothing extends Partial<SmoothOptions> {
  /** For numbers that go round: after how much. 0: they do not. */
  readonly period?: number
  /** The field that transmits the derivative, per second, with as many numbers; `undefined`: none does. */
  readonly velocity?: FieldColumns | undefined
}

/** The newest state of a field that has arrived. */
export interface Networked {
  /** Its numbers, in the order of the DC file. */
  readonly values: readonly number[]
  /** Seconds of the server's clock from which on it was so. */
  readonly time: number
}

const stateOf = (client: ClientHandle): ClientState => {
  const state = clientStates.get(client)
  if (!state) throw new TypeError('Not a client of createClient().')
  return state
}

const sourceOf = (state: ClientState, columns: FieldColumns): DCParameterField | undefined => {
  for (const { info } of state.classes.values())
    for (const [field, own] of info.columns) if (own === columns) return field
  return undefined
}

/** The smoothed numbers of a field in a class. */
const fieldsOf = (plan: TrackPlan, source: DCParameterField) =>
  plan.fields.filter((_, index) => plan.sources[index] === source)

/**
 * Changes how a field is smoothed, at any time: `smooth(client, Avatar.position, { method: 'linear', delay: 0.05 })`.
 * Throws when the field has no keyword that has it smoothed (`interp_linear`, `interp_hermite`, ...).
 */
export const smooth = (client: ClientHandle, field: FieldColumns, smoothing: FieldSmoothing): void => {
  const state = stateOf(client)
  const source = sourceOf(state, field)
  const { period, velocity, ...options } = smoothing
  const driver = velocity && sourceOf(state, velocity)
  let isFound = false
  for (const { track: plan } of state.classes.values()) {
    const own = plan && source ? fieldsOf(plan, source) : []
    if (!plan || own.length === 0) continue
    isFound = true
    const driving = driver ? fieldsOf(plan, driver)[0] : undefined
    if (velocity !== undefined && driving?.size !== own[0]!.size)
      throw new TypeError('smooth: the velocity is no smoothed field with as many numbers: give it `interp_velocity`.')
    // One object for all of a class' fields with the same options: they share their weights.
    const wanted = smoothOptions({ ...own[0]!.options, ...options })
    const shared = plan.fields.find(each => isSame(each.options, wanted))?.options ?? wanted
    for (const each of own) {
      each.options = shared
      if (period !== undefined) each.period = period
      if ('velocity' in smoothing) each.velocity = driving?.at ?? -1
    }
  }
  if (!isFound)
    throw new TypeError(
      'smooth: no class has this as a smoothed field: give it `interp_linear`, `interp_hermite`, `interp_angle` or `interp_quat` in the DC file.',
    )
  for (const track of state.session?.tracks.values() ?? []) track.still = -1
}

const isSame = (a: SmoothOptions, b: SmoothOptions): boolean =>
  a.method === b.method && a.extrapolate === b.extrapolate && a.delay === b.delay

const objectOf = (client: ClientHandle, eid: EntityId): ClientObject => {
  const object = stateOf(client).session?.byEid.get(eid)
  if (!object) throw new Error(`Entity ${eid} is no distributed object of an open session.`)
  return object
}

/** Shows one object so many seconds later than the others; below 0: earlier. */
export const delayObject = (client: ClientHandle, eid: EntityId, delay: number): void => {
  const object = objectOf(client, eid)
  if (!(Math.abs(delay) <= 10)) throw new RangeError(`delayObject: the delay is ${delay}; give -10 to 10 seconds.`)
  object.delay = delay
  if (!object.track) return
  delaySlot(object.track.history, object.trackSlot, delay)
  object.track.still = -1
}

/** Forgets what an object did: it stands where it is by its newest state, at once. */
export const resetObject = (client: ClientHandle, eid: EntityId): void => {
  const { track, trackSlot } = objectOf(client, eid)
  if (!track) return
  resetHistorySlot(track.history, trackSlot)
  track.still = -1
}

/** What arrived last of a field of an object; `undefined` while nothing did, or when it is not smoothed. */
export const networked = (client: ClientHandle, eid: EntityId, field: FieldColumns): Networked | undefined => {
  const { session } = stateOf(client)
  const { track, trackSlot } = objectOf(client, eid)
  const source = sourceOf(stateOf(client), field)
  if (!track || !source || !session || track.history.count === 0) return undefined
  const { history, plan } = track
  const row = history.order[history.count - 1]!
  const values = fieldsOf(plan, source).flatMap(({ at, size }) =>
    Array.from(
      { length: size },
      (_, part) => history.values[(row * history.width + at + part) * history.slots + trackSlot]!,
    ),
  )
  return values.length > 0 ? { values, time: history.times[row]! } : undefined
}

/** The server's time of a tick near the newest one, in the seconds that {@link networked} counts. */
export const timeOfTick = (client: ClientHandle, tick: number): number => {
  const { session } = stateOf(client)
  return session?.welcome ? secondsAt(session, tick) : NaN
}

/**
 * How fast a field of an object changes as it is shown now, per second, in the order of the DC file, into `out`; angles
 * are unwrapped, quaternions by component. Returns whether anything is known.
 */
export const derivative = (
  client: ClientHandle,
  eid: EntityId,
  field: FieldColumns,
  out: Float64Array | number[],
): boolean => {
  const { track, trackSlot } = objectOf(client, eid)
  const source = sourceOf(stateOf(client), field)
  if (!track || !source || Number.isNaN(track.history.time)) return false
  let at = 0
  for (const own of fieldsOf(track.plan, source)) {
    slopeField(track.history, own, trackSlot, out, at)
    at += own.size
  }
  return at > 0
}
