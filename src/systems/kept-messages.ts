import { packDefault } from '../dc/index.ts'
import { audienceOfMessage, isRequired, type Layout, type MessageField } from '../net/layout.ts'
import type { KeptMessages, ValueSet } from '../net/values.ts'
import { nameOf, packMessage } from './pack-message.ts'
import type { ServerObject, ServerState, Session } from './server-state.ts'

/*
 * Messages that belong to the state of an object: whoever comes to see it is told them, `required` ones before it is `Alive`, the last
 * `ram` ones after that. They travel with the value fields, whose rules of who is told what, and when, are theirs too.
 */

/** Bytes of arguments that a `ram` message may have: they are kept for as long as the object lives. */
export const MAX_KEPT = 16 * 1024

/** Says what the arguments of a `required` message of an object are now. */
export type Getter = (eid: number) => unknown

const NOTHING = new Uint8Array()

const joined = (parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap(part => [...part]))

/** The packed arguments that the schema declares, if it declares all of them. */
const declaredDefault = ({ parameters }: MessageField): Uint8Array | undefined =>
  parameters.every(parameter => parameter.default) ? joined(parameters.map(each => each.default!)) : undefined

/** The required messages of an object for which there is no value to tell. */
const unprovided = (state: ServerState, set: ValueSet): MessageField[] =>
  set.layout.messages.filter(
    (field, index) =>
      isRequired(field) &&
      !state.getters.has(field) &&
      !declaredDefault(field) &&
      set.packed[set.layout.values.length + index] === NOTHING,
  )

const adviceOf = (field: MessageField): string =>
  `${nameOf(field)} is \`required\`: say what whoever comes to see the object is told, ` +
  `server.provide(${nameOf(field)}, eid => ({ ${field.parameters.map(({ name }) => `${name || '...'}: ...`).join(', ')} }))` +
  (field.keywords.includes('ram') ? ', or send it before' : '') +
  ', or declare defaults for all of its parameters.'

/** Has `getter` say what a required message is now. Returns how to stop. Throws for a message of which nobody is told that. */
export const provide = (state: ServerState, field: MessageField, getter: Getter): (() => void) => {
  if (!isRequired(field))
    throw new TypeError(
      `provide: ${nameOf(field)} is ${field.kind === 'molecular' ? 'molecular: provide its atomic fields' : 'not `required`'}.`,
    )
  if (!audienceOfMessage(field))
    throw new TypeError(
      `provide: ${nameOf(field)} has neither \`broadcast\` nor \`ownrecv\`: no client may receive it.`,
    )
  state.getters.set(field, getter)
  return () => {
    if (state.getters.get(field) === getter) state.getters.delete(field)
  }
}

/** Throws when an object that is to be shown has `required` messages without a value. */
export const checkProvided = (state: ServerState, { eid, values, ownerValues }: ServerObject): void => {
  for (const set of [values, ownerValues]) {
    const field = set?.kept && unprovided(state, set)[0]
    if (field) throw new TypeError(`place(${eid}): ${adviceOf(field)}`)
  }
}

/** The packed arguments of a required message now; throws when the game gives none that fit. */
const provided = (state: ServerState, eid: number, field: MessageField, last: Uint8Array): Uint8Array => {
  const getter = state.getters.get(field)
  if (getter) return packMessage(field, getter(eid) ?? {}, state.links).slice()
  if (last !== NOTHING) return last
  const value = declaredDefault(field)
  if (!value) throw new TypeError(adviceOf(field))
  return value
}

/** What a new object keeps of the messages in a layout; `undefined` when it keeps none. */
export const keepMessages = (
  state: ServerState,
  eid: number,
  layout: Layout,
  packed: Uint8Array[],
): KeptMessages | undefined => {
  const { messages, values } = layout
  if (messages.length === 0) return undefined
  const renewedAt: number[] = []
  messages.forEach((field, index) => {
    // Whoever sees the object lacks it from the start; what it says is found out when it is told.
    if (isRequired(field)) packed[values.length + index] = NOTHING
  })
  return {
    count: 0,
    sentAs: [],
    cameFrom: undefined,
    cameIn: -1,
    withheld: new Map(),
    renew(index) {
      const field = messages[index - values.length]
      if (!field || !isRequired(field) || renewedAt[index] === state.tick) return
      renewedAt[index] = state.tick
      try {
        packed[index] = provided(state, eid, field, packed[index]!)
      } catch (error) {
        state.onError(error, `provide ${nameOf(field)}, entity ${eid}`)
        if (packed[index] === NOTHING) packed[index] = packDefault(field)
      }
    },
  }
}

/** Where an object keeps a message, if it is one that is kept. */
export const keptPlace = (
  { values, ownerValues }: ServerObject,
  field: MessageField,
): { set: ValueSet; index: number } | undefined => {
  for (const set of [values, ownerValues]) {
    const at = set?.layout.messages.indexOf(field) ?? -1
    if (set && at >= 0) return { set, index: set.layout.values.length + at }
  }
  return undefined
}

/** Keeps a message that was sent to all that may receive it, but for these. */
export const keep = (
  { set, index }: { set: ValueSet; index: number },
  packed: Uint8Array,
  without: ReadonlySet<Session>,
): void => {
  const kept = set.kept!
  set.packed[index] = packed.slice()
  kept.sentAs[index] = ++kept.count
  kept.withheld.delete(index)
  if (without.size > 0) kept.withheld.set(index, new WeakSet([...without].map(({ downlink }) => downlink)))
}
