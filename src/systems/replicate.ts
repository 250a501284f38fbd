import { buildPacket, isSettled, queueReliable, subscribe, unsubscribe } from '../net/downlink.ts'
import { encodeInterestDone, encodeZones } from '../net/interest.ts'
import { privateZoneOf, sweepZones, valueSetsOf, type Zone } from '../net/store.ts'
import { countOut, measureTraffic } from '../net/traffic.ts'
import { nextTick } from '../net/ticks.ts'
import { capture } from './capture.ts'
import type { ServerState, Session } from './server-state.ts'

/** Ticks between two looks for zones that can be forgotten. */
const SWEEP_TICKS = 256

const isZoneSeen = (state: ServerState, zone: Zone): boolean => {
  for (const session of state.sessions) if (session.downlink.zones.has(zone)) return true
  return false
}

/** One tick of the server: captures the world, brings each client's zones up to date, sends what is due. */
export const replicate = (state: ServerState): void => {
  state.tick = nextTick(state.tick)
  capture(state)
  if (state.tick % SWEEP_TICKS === 0) sweepZones(state.store, zone => isZoneSeen(state, zone))
  const owned = ownedZones(state)
  const now = state.now()
  for (const session of state.sessions) {
    if (!session.client || session.closing) continue
    updateZones(state, session, owned.get(session.client.id))
    completeInterest(state, session)
    sendDue(state, session, now)
    const { peer } = session.downlink
    session.stats.rtt = peer.rtt
    session.stats.loss = peer.loss
    measureTraffic(session.stats, session.trafficWindow, now)
  }
}

/** The zones of each client's own objects: an owner always sees them. */
const ownedZones = (state: ServerState): Map<number, Set<number>> => {
  const zones = new Map<number, Set<number>>()
  for (const object of state.objects.values()) {
    if (object.owner === 0 || object.zone === 0) continue
    let own = zones.get(object.owner)
    if (!own) zones.set(object.owner, (own = new Set()))
    own.add(object.zone)
  }
  return zones
}

const updateZones = (state: ServerState, session: Session, owned: Set<number> | undefined): void => {
  const { zones, requested, downlink } = session
  let isChanged = false
  for (const zone of zones) {
    if (requested.has(zone) || owned?.has(zone)) continue
    zones.delete(zone)
    isChanged = true
    const known = state.store.zones.get(zone)
    if (known) unsubscribe(downlink, known)
  }
  const add = (id: number) => {
    if (!zones.has(id)) {
      zones.add(id)
      isChanged = true
    }
    // A zone exists once something was placed in it; it may come to be long after it was asked for.
    const zone = state.store.zones.get(id)
    if (zone) open(state, session, zone)
  }
  requested.forEach(add)
  owned?.forEach(add)
  open(state, session, privateZoneOf(state.store, session.client!.id))
  if (isChanged) queueReliable(downlink, encodeZones(state.tick, [...zones]))
}

const open = (state: ServerState, session: Session, zone: Zone): void =>
  subscribe(session.downlink, zone, group => valueSetsOf(state.store, group))

const completeInterest = (state: ServerState, session: Session): void => {
  const { pendingInterest, downlink, zones } = session
  for (;;) {
    const first = pendingInterest[0]
    if (!first) return
    const isDone = first.zones.every(id => {
      const zone = state.store.zones.get(id)
      return !zones.has(id) || !zone || isSettled(downlink, zone)
    })
    if (!isDone) return
    pendingInterest.shift()
    queueReliable(downlink, encodeInterestDone(first.request, first.refused))
  }
}

const sendDue = (state: ServerState, session: Session, now: number): void => {
  session.sendCredit += session.updateRate / state.tickRate
  if (session.sendCredit < 1) return
  session.sendCredit = Math.min(session.sendCredit - 1, 1)
  const packet = buildPacket(session.downlink, state.store, state.tick, now, 1 / session.commandRate)
  if (!packet) return
  countOut(session.stats, packet.length)
  session.connection.send(packet)
}
