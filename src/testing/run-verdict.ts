import { query, type EntityId } from 'bitecs'
import type { PreparedGame } from './game.ts'
import { auditField } from './ledger.ts'
import { differences } from './oracle.ts'
import { type Actor, type Run, objectOf } from './run-state.ts'

/* Whether all clients of a run show what they should. */

/** Why a run failed. */
export interface Failure {
  /**
   * `difference`: a client shows something else than it should; `error`: something was thrown or reported; `session`: one
   * ended by itself, or did not begin; `lost`: all agree, on another value than the one that was written; `protocol`: an
   * honest side counted what only a broken one sends.
   */
  readonly kind: 'difference' | 'error' | 'session' | 'lost' | 'protocol'
  /** What is wrong, a line each. */
  readonly lines: readonly string[]
}

/** Also of who has not heard yet which client it is. */
export const noteOwners = ({ side: { world, schema }, onceOwned }: Run): void => {
  const { doId, owner } = schema.DistributedObject
  for (const eid of query(world, [schema.DistributedObject])) {
    const id = owner[eid]!
    if (id === 0) continue
    if (!onceOwned.has(id)) onceOwned.set(id, new Set())
    onceOwned.get(id)!.add(doId[eid]!)
  }
}

const differencesOf = (run: Run, actor: Actor, most?: number): string[] => {
  const { side, prepared } = run
  const { game } = prepared
  const { clientId } = actor.client
  const client = side.server.clients.get(clientId)
  const zones = new Set(actor.given)
  for (const zone of actor.requested) if (!actor.denied.has(zone)) zones.add(zone)
  const { owner } = side.schema.DistributedObject
  const isVisible = (eid: EntityId, byZone: boolean): boolean => {
    const visibility = run.byEid.get(eid)?.visibility
    const rule = visibility?.get(clientId) ?? visibility?.get(0) ?? 'zone'
    const isSeen = owner[eid] === clientId || rule === 'always' || (rule === 'zone' && byZone)
    return client && game.isVisible ? game.isVisible(side, eid, client, isSeen) : isSeen
  }
  return differences(side, actor, zones, {
    ...(most === undefined ? {} : { most }),
    onceOwned: run.onceOwned.get(clientId) ?? new Set(),
    isVisible,
  })
}

/** Whether every client is where its scenario ends, and shows what it should. */
export const isSettled = (run: Run): boolean =>
  run.actors.every(actor => {
    if (!actor || actor.state === 'failed') return true
    if (actor.state === 'connecting') return false
    if (actor.state === 'out') return actor.client.state === 'closed' && objectsIn(actor) === 0
    if (actor.client.state === 'reconnecting') return false
    return actor.client.state !== 'connected' || differencesOf(run, actor, 1).length === 0
  })

const objectsIn = ({ world, schema }: Actor): number => query(world, [schema.DistributedObject]).length

/** Whether nobody writes to fields but the scenario itself: then it is known what they should hold. */
export const isOnlyRandom = (game: PreparedGame['game']): boolean =>
  !game.tick && !game.rules && !game.bots && !game.start && !game.joined

const audit = (run: Run): string[] =>
  [...run.objects].flatMap(([number, { eid, doId, plan, ledger }]) =>
    objectOf(run, number)
      ? plan.fields.flatMap(field =>
          auditField(ledger, field, eid).map(line => `object ${doId} (${plan.name}): ${line}`),
        )
      : [],
  )

/** The last word, when all has been quiet for long enough. */
export const judge = (run: Run): Failure | undefined => {
  const { actors, side } = run
  const ended = actors.flatMap(actor => {
    if (!actor || actor.state === 'out') return []
    if (actor.state === 'in' && actor.client.state === 'connected') return []
    return [`client ${actor.index} is ${actor.client.state}: ${actor.ended || 'its session did not begin'}`]
  })
  if (ended.length > 0) return { kind: 'session', lines: ended }
  const lines = actors.flatMap(actor => {
    if (!actor) return []
    if (actor.state === 'out') {
      const left = objectsIn(actor)
      return left > 0 ? [`client ${actor.index} has left and still shows ${left} objects`] : []
    }
    const { clientId } = actor.client
    return differencesOf(run, actor).map(line => `client ${actor.index} (id ${clientId}), ${line}`)
  })
  if (lines.length > 0) return { kind: 'difference', lines: lines.slice(0, 12) }
  const lost = isOnlyRandom(run.prepared.game) ? audit(run) : []
  if (lost.length > 0) return { kind: 'lost', lines: lost.slice(0, 12) }
  const { malformed, outOfRange, flooded } = side.server.violations
  const counts = Object.entries({ malformed, outOfRange, flooded }).filter(([, count]) => count > 0)
  const counted = [
    ...counts.map(([name, count]) => `server.violations.${name} is ${count}`),
    ...actors.flatMap(actor =>
      (['malformed', 'desyncs', 'faults'] as const).flatMap(name =>
        actor && actor.client.stats[name] > 0
          ? [`client ${actor.index}: stats.${name} is ${actor.client.stats[name]}`]
          : [],
      ),
    ),
  ]
  return counted.length > 0 ? { kind: 'protocol', lines: counted } : undefined
}
