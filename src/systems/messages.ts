import { queueMessage, queueUnreliable, isSeen, supersede, waitingBytes } from '../net/outgoing.ts'
import { audienceOfMessage, isRequired, type MessageField } from '../net/layout.ts'
import { encodeReliableMessage, encodeUnreliableMessage } from '../net/message.ts'
import { MAX_RELAYED, stuckSince } from '../net/reliable.ts'
import type { Message } from '../components/index.ts'
import { createBucket, take } from '../net/bucket.ts'
import { keep, keptPlace, MAX_KEPT } from './kept-messages.ts'
import { nameOf, packMessage } from './pack-message.ts'
import { sees } from './permissions.ts'
import { burstOf, type ServerClient, type ServerObject, type ServerState, type Session } from './server-state.ts'
import { violate } from './violations.ts'

/**
 * To whom of those that a message's keywords name it goes: a client, or several; the owner; everyone who sees the object; or all but some.
 * Nobody else gets it: whom the keywords do not name, who does not see the object, or who has left, is passed over.
 */
export type Target =
  | ServerClient
  | readonly ServerClient[]
  | 'owner'
  | 'interested'
  | { readonly except: ServerClient | 'owner' | readonly (ServerClient | 'owner')[] }

/** A target, looked up. */
interface Choice {
  /** Nothing: everyone. */
  readonly only: ReadonlySet<Session> | undefined
  readonly without: ReadonlySet<Session>
  readonly isForOwner: boolean
}

const NOBODY: ReadonlySet<Session> = new Set()
const EVERYONE: Choice = { only: undefined, without: NOBODY, isForOwner: false }

const isClient = (value: unknown): value is ServerClient =>
  typeof value === 'object' && value !== null && typeof (value as ServerClient).id === 'number'

const wrongTarget = (name: string, value: unknown): TypeError =>
  new TypeError(
    `sendUpdate(${name}): the target is ${typeof value === 'object' ? JSON.stringify(value) : String(value)}; ` +
      "give a client of `server.clients`, a list of them, 'owner', 'interested', or { except: ... }.",
  )

/** The sessions of clients; of `owner`, that of the object's. Who has left is left out. */
const sessionsOf = (
  state: ServerState,
  ownerId: number,
  name: string,
  clients: readonly (ServerClient | 'owner')[],
): Set<Session> => {
  const found = new Set<Session>()
  for (const client of clients) {
    if (client !== 'owner' && !isClient(client)) throw wrongTarget(name, client)
    const session = state.sessionOf.get(client === 'owner' ? ownerId : client.id)
    // Of another server, or one that left long ago, the number may be somebody else's here.
    if (session && (client === 'owner' || session.client === client)) found.add(session)
  }
  return found
}

const listOf = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? value : [value as T])

const choose = (state: ServerState, owner: number, field: MessageField, to: Target | undefined): Choice => {
  if (to === undefined) return EVERYONE
  const name = nameOf(field)
  if (to === 'owner') return { ...EVERYONE, isForOwner: true }
  if (to === 'interested') {
    if (audienceOfMessage(field) === 'interested') return EVERYONE
    throw new TypeError(`sendUpdate: ${name} is \`ownrecv\` without \`broadcast\`: only the owner may receive it.`)
  }
  if (typeof to === 'object' && to !== null && 'except' in to)
    return { ...EVERYONE, without: sessionsOf(state, owner, name, listOf(to.except)) }
  return { ...EVERYONE, only: sessionsOf(state, owner, name, listOf(to as ServerClient | readonly ServerClient[])) }
}

/** Sends a message of an object to whom its keywords name, or to some of them. Throws for what our caller gives wrongly. */
export const sendUpdate = (
  state: ServerState,
  object: ServerObject,
  { field }: Message<any>,
  args: unknown,
  to: Target | undefined,
): void => {
  const { dclass } = object.serverClass.info
  if (!dclass.inherited.includes(field))
    throw new TypeError(`sendUpdate(${object.eid}): a ${dclass.name} has no field ${nameOf(field)}.`)
  if (!audienceOfMessage(field))
    throw new TypeError(`${nameOf(field)} has neither \`broadcast\` nor \`ownrecv\`: no client may receive it.`)
  const choice = choose(state, state.schema.DistributedObject.owner[object.eid]!, field, to)
  const packed = packMessage(field, args, state.links)
  if (!fitsMemory(field, packed))
    throw new RangeError(
      `${nameOf(field)} is \`ram\`, so that it is kept, and has ${packed.length} bytes: at most ${MAX_KEPT} are. ` +
        'Shorten it, drop the `ram` keyword, or make it a parameter field.',
    )
  tell(state, object, field, packed, choice)
}

/** Whether a message is none that is kept, or not too large for that. */
export const fitsMemory = (field: MessageField, packed: Uint8Array): boolean =>
  packed.length <= MAX_KEPT || !field.keywords.includes('ram') || !audienceOfMessage(field)

/** Passes on a `broadcast` message of a client to all others that see the object. */
export const relay = (
  state: ServerState,
  object: ServerObject,
  field: MessageField,
  packed: Uint8Array,
  from: Session,
): void => tell(state, object, field, packed, EVERYONE, from)

const tell = (
  state: ServerState,
  object: ServerObject,
  field: MessageField,
  packed: Uint8Array,
  { only, without, isForOwner }: Choice,
  from?: Session,
): void => {
  const { DistributedObject } = state.schema
  const isForAll = audienceOfMessage(field) === 'interested'
  const message = { doId: object.doId, field: field.number, packed }
  const isUnreliable = field.keywords.includes('unreliable')
  const bytes = isUnreliable ? encodeUnreliableMessage(message) : encodeReliableMessage(message)
  const zone = DistributedObject.zone[object.eid]!
  const owner = DistributedObject.owner[object.eid]!
  // What is for some of its audience is theirs alone; who comes later is told what was last for all.
  const isKept = only === undefined && (!isForOwner || !isForAll)
  const place = isKept ? keptPlace(object, field) : undefined
  // What is required, who was excepted is told too when it comes to see the object: without it that could not be alive.
  if (place && field.keywords.includes('ram')) keep(place, packed, isRequired(field) ? NOBODY : without)
  const isFair = isUnreliable || from === undefined || isFairRelay(state, from, bytes.length)
  for (const session of state.sessions) {
    const { client, downlink } = session
    if (!client || session.closing || session === from || without.has(session) || only?.has(session) === false) continue
    const isOwner = client.id === owner
    if (isForAll && !isForOwner ? !isOwner && !sees(session, object, zone, owner) : !isOwner) continue
    if (place) {
      // Who is yet to be told of the object is told this with it.
      if (!isSeen(downlink, place.set)) continue
      // What is sent once may be lost: who lacks it gets it as one who comes later.
      if (isUnreliable && downlink.values.get(place.set)?.has(place.index)) continue
      if (!isRequired(field)) supersede(downlink, place.set, place.index)
    }
    if (isUnreliable) queueUnreliable(downlink, bytes)
    else if (from && waitingBytes(downlink) + bytes.length > MAX_RELAYED)
      relayToFull(state, from, session, bytes, field, object, isFair)
    else queueMessage(downlink, bytes, object.values, object.ownerValues)
  }
}

/** Seconds after which a stream in which nothing moves is at fault itself. */
const STUCK = 3

/** Whether a client says to others no more than its share of what one of them can be told. */
const isFairRelay = (state: ServerState, from: Session, bytes: number): boolean => {
  const now = state.now() * 1000
  const share = state.maxBytesPerSecond / state.maxClients
  from.relayBucket ??= createBucket(share, burstOf(state, share), now)
  return take(from.relayBucket, bytes, now)
}

/**
 * Half of what may wait for a client waits already. Nothing reliable is dropped silently, so somebody's session must end: that of who says
 * more than its share, by the policy of `flooded`; but if the client takes nothing, or nobody says too much, its own link is at fault,
 * and it goes when the stream is full.
 */
const relayToFull = (
  state: ServerState,
  from: Session,
  to: Session,
  bytes: Uint8Array,
  field: MessageField,
  object: ServerObject,
  isFair: boolean,
): void => {
  if (isFair || to.suspension || state.now() - stuckSince(to.downlink.sender) > STUCK)
    queueMessage(to.downlink, bytes, object.values)
  else if (from.client) violate(state, from, 'flooded', 'relay', { field, object })
}
