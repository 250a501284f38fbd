import { hasComponent, type EntityId } from 'bitecs'
import { Owned } from '../components/index.ts'
import type { LinkPair } from '../net/memory.ts'
import type { ClientTransport } from '../net/transport.ts'
import type { ServerClient, Visibility } from '../server.ts'
import type { ClientSide, PreparedGame, ServerSide } from './game.ts'
import type { Ledger } from './ledger.ts'
import type { ClassPlan } from './plan.ts'
import type { ClientScenario, Scenario } from './scenario.ts'

/* A run of a scenario: what it consists of. */

export interface Actor extends ClientSide<any> {
  readonly plan: ClientScenario
  readonly link: LinkPair
  readonly line: Line
  /** Zones that it asked for, that it was refused since or had taken away, and that it was given: what the oracle goes by. */
  readonly requested: Set<number>
  readonly denied: Set<number>
  readonly given: Set<number>
  state: 'connecting' | 'in' | 'out' | 'failed'
  hiddenUntil: number
  ended: string
}

/** A client's way to the server, which the scenario may break. */
export interface Line {
  readonly transport: ClientTransport
  /** Both ends are told that the connection is gone; another one is not open before `mend`. */
  cut(): void
  mend(): void
}

export interface Spawned {
  readonly eid: EntityId
  readonly doId: number
  readonly plan: ClassPlan
  readonly ledger: Ledger
  /** Who sees it by a rule of its own, by client id; 0 is for all. */
  readonly visibility: Map<number, Visibility>
}

/** Something that goes on for some ticks. */
interface Activity {
  readonly until: number
  readonly side: 'server' | 'client'
  act(): void
}

/** A run in the making. */
export interface Run {
  readonly prepared: PreparedGame
  readonly scenario: Scenario
  readonly side: ServerSide<any>
  readonly actors: (Actor | undefined)[]
  readonly objects: Map<number, Spawned>
  /** The newest spawn with an entity id. */
  readonly byEid: Map<EntityId, Spawned>
  readonly errors: string[]
  readonly log: string[] | undefined
  activities: Activity[]
  /** The objects (doIds) that each client (id) was ever the owner of. */
  readonly onceOwned: Map<number, Set<number>>
  /** When each client can be reached again, if it cannot. */
  readonly cutUntil: Map<number, number>
  stalls: {
    readonly client: number
    readonly up: boolean
    readonly down: boolean
    readonly isHeld: boolean
    readonly until: number
  }[]
  tick: number
}

export const isOpen = ({ client }: Actor): boolean => client.state === 'connected' || client.state === 'reconnecting'

export const say = (run: Run, text: string): void => {
  run.log?.push(`tick ${run.tick}: ${text}`)
}

export const clientOf = (run: Run, index: number): ServerClient | undefined => {
  const actor = run.actors[index]
  return actor?.state === 'in' ? run.side.server.clients.get(actor.client.clientId) : undefined
}

/** A spawn that is still there: leaving owners take theirs along, and rules remove what they like. */
export const objectOf = (run: Run, object: number): Spawned | undefined => {
  const found = run.objects.get(object)
  // Entity ids are used again, where worlds share an index even by another world.
  const isThere = found && run.side.server.entityOf(found.doId) === found.eid
  return isThere ? found : undefined
}

/** The client that owns an object, and its entity there, if it knows that it is its own. */
export const ownerOf = (run: Run, { eid, doId }: Spawned): { actor: Actor; own: EntityId } | undefined => {
  const owner = run.side.schema.DistributedObject.owner[eid]!
  const actor =
    owner === 0 ? undefined : run.actors.find(each => each?.state === 'in' && each.client.clientId === owner)
  const own = actor?.client.entityOf(doId) ?? 0
  return actor && own !== 0 && hasComponent(actor.world, own, Owned) ? { actor, own } : undefined
}
