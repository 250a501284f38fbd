import { addComponent, entityExists, removeComponent, type World } from 'bitecs'
import { Alive, Deleted, Disabled, Fresh, Generated } from '../components/index.ts'

/** Where an object is in its life, as its end sees it. The diagrams are in LIFECYCLE.md. */
export type LifecycleState = 'fresh' | 'generated' | 'alive' | 'disabled' | 'deleted'

/** Which states may follow each one. */
export type Transitions = Readonly<Record<LifecycleState, readonly LifecycleState[]>>

/** An object that lives: the state is changed by {@link transition} and {@link letGo} alone. */
export interface Living {
  readonly eid: number
  readonly doId: number
  state: LifecycleState
}

export const CLIENT_TRANSITIONS: Transitions = {
  fresh: ['generated'],
  generated: ['alive', 'disabled'],
  alive: ['disabled'],
  disabled: ['generated', 'deleted'],
  deleted: [],
}

/** Its objects end by the game's own `removeEntity`: see {@link letGo}. */
export const SERVER_TRANSITIONS: Transitions = {
  fresh: ['generated'],
  generated: ['alive'],
  alive: ['disabled'],
  disabled: ['generated'],
  deleted: [],
}

/** The tags of each state. One that is given up keeps `Disabled`, so that what leaves disabled objects out leaves it out too. */
const TAGS: Readonly<Record<LifecycleState, readonly object[]>> = {
  fresh: [Fresh],
  generated: [Generated],
  alive: [Generated, Alive],
  disabled: [Disabled],
  deleted: [Disabled, Deleted],
}

/** Told of what observers throw. */
export type Tell = (error: unknown) => void

/**
 * Gives an object's entity a component, or takes it away. Observers run in here: what one throws is told. bitECS itself throws when one
 * removes the entity: that is no error, and nothing more is to be done with it, which `false` says.
 */
export const change = (
  world: World,
  object: Living,
  act: typeof addComponent | typeof removeComponent,
  component: object,
  tell: Tell,
): boolean => {
  const { eid, state } = object
  try {
    act(world, eid, component)
  } catch (error) {
    if (object.state === state && entityExists(world, eid)) tell(error)
  }
  return object.state === state && entityExists(world, eid)
}

/**
 * Brings an object into another state: tags that do not belong to that one go, then its own come. The columns must be written already.
 *
 * @returns false when the state may not follow; nothing has happened then
 */
export const transition = (
  world: World,
  transitions: Transitions,
  object: Living,
  to: LifecycleState,
  tell: Tell,
): boolean => {
  if (!transitions[object.state].includes(to)) return false
  const before = TAGS[object.state]
  const after = TAGS[to]
  object.state = to
  for (let index = before.length - 1; index >= 0; index--)
    if (!after.includes(before[index]!) && !change(world, object, removeComponent, before[index]!, tell)) return true
  for (const tag of after) if (!before.includes(tag) && !change(world, object, addComponent, tag, tell)) return true
  return true
}

/** Begins an object's life: its columns are written. An entity that was one before, of a server that was closed, starts anew. False: see {@link change}. */
export const begin = (world: World, object: Living, tell: Tell): boolean => {
  object.state = 'fresh'
  return (
    [Alive, Generated, Disabled].every(tag => change(world, object, removeComponent, tag, tell)) &&
    change(world, object, addComponent, Fresh, tell)
  )
}

/** Ends it because the game removes the entity itself, from whatever state: bitECS takes the tags with it. */
export const letGo = (object: Living): void => {
  object.state = 'deleted'
}

/** What is told of a transition that was refused: never the fault of the game or of the network. */
export const lifecycleFault = ({ doId, eid, state }: Living, to: LifecycleState): Error =>
  new Error(
    `Object ${doId} (entity ${eid}) cannot go from ${state} to ${to}. This is a fault of bitecs-pipes: please report it.`,
  )
