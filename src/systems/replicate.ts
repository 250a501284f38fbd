import { buildPacket, isAwaited, isBehind, isSettled, subscribe, unsubscribe, type Downlink } from '../net/downlink.ts'
import { queueReliable } from '../net/outgoing.ts'
import { newestFrame } from '../net/frames.ts'
import { encodeInterestDone, encodePlaced, encodeZones } from '../net/interest.ts'
import { measurePing } from '../net/ping.ts'
import { privateZoneOf, startRound, sweepZones, type Group } from '../net/store.ts'
import { countOut, measureTraffic } from '../net/traffic.ts'
import { nextTick } from '../net/ticks.ts'
import { capture, queueLeave } from './capture.ts'
import { tellOwners } from './departure.ts'
import { isWanted, sees } from './permissions.ts'
import { settleLifecycles } from './server-lifecycle.ts'
import { guarded, type ServerState, type Session } from './server-state.ts'

/** Seconds between two packets of a client, by its command rate. Looked up, since a quotient would be a new object in each tick. */
const INTERVALS: readonly (number | undefined)[] = Array.from({ length: 256 }, (_, rate) =>
  rate === 0 ? undefined : 1 / rate,
)
/** Ticks between two looks for zones that can be forgotten. */
const SWEEP_TICKS = 256

/** Whether some client was told of a group and does not know yet that all of it is gone: its link may be dead for long. */
const isGroupAwaited = (state: ServerState, group: Group): boolean => {
  const tick = newestFrame(group.history)?.tick
  for (const { downlink } of state.sessions) if (isAwaited(downlink, group, tick)) return true
  return false
}

/** One tick of the server: captures the world, brings each client's zones up to date, sends what is due. */
export const replicate = (state: ServerState): void => {
  state.tick = nextTick(state.tick)
  capture(state)
  settleLifecycles(state)
  if (state.ownerChanges.length > 0) tellOwners(state)
  if (state.tick % SWEEP_TICKS === 0) sweep(state)
  startRound(state.store)
  state.store.codec.train(state.now())
  const now = state.now()
  for (const session of state.sessions) {
    if (!session.client || session.closing) continue
    // Whatever goes wrong for one of them, a transport that throws too, is no reason to stop the others' world.
    try {
      serve(state, session, now)
    } catch (error) {
      state.onError(error, `replicate, client ${session.client.id}`)
    }
  }
}

const serve = (state: ServerState, session: Session, now: number): void => {
  if (areZonesDue(state, session)) updateZones(state, session, now)
  if (session.pendingInterest.length > 0) completeInterest(state, session)
  // Nobody is there to hear it.
  if (!session.suspension) sendDue(state, session, now)
  if (session.downlink.unsent > 0 !== session.downlink.isUnsentTold) tellUnsent(state, session)
  if (now >= session.measureAt) measure(session, now)
}

/** Takes a ping if one is due and there is an answer, and once a second the rates. */
const measure = (session: Session, now: number): void => {
  const { pings, counts, trafficWindow } = session
  measurePing(pings, session.downlink.peer, counts, now)
  measureTraffic(counts, trafficWindow, now)
  session.measureAt = Math.min(pings.lastTime + pings.interval, trafficWindow.time + 1)
}

/** More is in a client's zones than it keeps: tells the game, once until there is room again. */
const tellUnsent = ({ onError }: ServerState, { client, downlink }: Session): void => {
  downlink.isUnsentTold = downlink.unsent > 0
  if (!downlink.isUnsentTold) return
  const text = `Client ${client!.id} is to see more groups of objects than it can keep; ${downlink.unsent} are not sent. Give it fewer zones, or put less in them.`
  onError(new RangeError(text), `replicate, client ${client!.id}`)
}

// By itself: functions that make closures pay for them even when they return at once.
const sweep = (state: ServerState): void => {
  const isAwaited = (group: Group) => isGroupAwaited(state, group)
  sweepZones(state.store, state.tick, isAwaited)
}

/** Whether what a client sees may have changed. */
const areZonesDue = (state: ServerState, session: Session): boolean =>
  session.isZonesDirty || session.zonesVersion !== state.store.zonesVersion

/** Brings what a client sees in line with what it asked for, was given, and owns. */
const updateZones = (state: ServerState, session: Session, now: number): void => {
  session.isZonesDirty = false
  session.zonesVersion = state.store.zonesVersion
  const { zones, requested, granted, downlink, lingering } = session
  let isChanged = false
  const add = (zone: number) => {
    lingering.delete(zone)
    if (zones.has(zone)) return
    zones.add(zone)
    isChanged = true
  }
  requested.forEach(add)
  granted.forEach(add)
  state.ownedZones.get(session.client!.id)?.forEach((_, zone) => add(zone))
  for (const zone of zones) {
    if (isWanted(state, session, zone) || isLingering(state, session, zone, now)) continue
    lingering.delete(zone)
    zones.delete(zone)
    leaveZone(session, zone, now)
    isChanged = true
    const known = state.store.zones.get(zone)
    if (known) unsubscribe(downlink, known)
  }
  // A zone exists once something was placed in it; it may come to be long after it was asked for.
  for (const id of zones) {
    const zone = state.store.zones.get(id)
    if (zone) subscribe(downlink, state.store, zone)
  }
  subscribe(downlink, state.store, privateZoneOf(state.store, session.client!.id))
  // What lingers ends by itself.
  if (lingering.size > 0) session.isZonesDirty = true
  if (isChanged) queueReliable(downlink, encodeZones(state.tick, [...zones]))
  updateExceptions(state, session, downlink)
}

/** Zones that are remembered after a client left them. */
const MAX_LEFT = 512

const leaveZone = ({ left }: Session, zone: number, now: number): void => {
  left.delete(zone)
  left.set(zone, now)
  if (left.size > MAX_LEFT) for (const oldest of left.keys()) return void left.delete(oldest)
}

/**
 * Whether a zone that the client wants no more is sent on for now: only while it might ask for it, and as long as there
 * are not more zones than it could ask for.
 */
const isLingering = (state: ServerState, session: Session, zone: number, now: number): boolean => {
  const { lingering, zones, revoked, client } = session
  if (state.linger === 0 || zones.size > state.maxZones || revoked.has(zone)) return false
  const until = lingering.get(zone)
  if (until !== undefined) return now < until
  if (guarded(state, 'allowZone', () => state.allowZone(client!, zone)) !== true) return false
  lingering.set(zone, now + state.linger)
  return true
}

/** Objects that have their own rule of who sees them. */
const updateExceptions = (state: ServerState, session: Session, downlink: Downlink): void => {
  for (const object of state.exceptions) {
    const { rule } = object
    if (!rule || object.placedBy !== rule || !object.place) continue
    const isSeen = sees(session, object)
    const wasSeen = downlink.zones.has(rule.zone)
    if (isSeen && wasSeen && object.rezonedAt === state.tick)
      queueReliable(downlink, encodePlaced({ tick: state.tick, doId: object.doId, zone: object.zone }))
    if (isSeen === wasSeen) continue
    if (isSeen) subscribe(downlink, state.store, rule.zone)
    else {
      unsubscribe(downlink, rule.zone)
      queueLeave(state, session, object, rule.zone, true)
    }
  }
}

const completeInterest = (state: ServerState, session: Session): void => {
  const { pendingInterest, downlink, zones } = session
  for (;;) {
    const first = pendingInterest[0]
    if (!first) return
    const isDone = first.zones.every(id => {
      const zone = state.store.zones.get(id)
      return !zones.has(id) || !zone || isSettled(downlink, state.store, zone)
    })
    if (!isDone) return
    pendingInterest.shift()
    queueReliable(downlink, encodeInterestDone(first.request, first.refused))
  }
}

/** How many sends a client of this rate has had by a tick: the same for all of them, so that they share segments. */
const beatAt = (tick: number, rate: number, tickRate: number): number => Math.floor((tick * rate) / tickRate)

const sendDue = (state: ServerState, session: Session, now: number): void => {
  const rate = Math.min(session.updateRate, state.tickRate)
  const beat = beatAt(state.tick, rate, state.tickRate)
  // Who lacks more than one packet holds is sent to in every tick, until it has caught up.
  if (beat === beatAt(state.tick - 1, rate, state.tickRate) && !isBehind(session.downlink)) return
  for (let count = 0; count < state.packetsPerSend; count++) {
    const packet = buildPacket(
      session.downlink,
      state.store,
      state.tick,
      now,
      INTERVALS[session.commandRate]!,
      beat,
      rate,
    )
    if (!packet) return
    countOut(session.counts, packet.length)
    session.connection.send(packet)
    if (!isBehind(session.downlink)) return
  }
}
