import { exclusiveZone } from '../net/store.ts'
import {
  guarded,
  touch,
  type ServerClient,
  type ServerObject,
  type ServerState,
  type Visibility,
  type VisibilityRule,
  type VisibilityTest,
} from './server-state.ts'

const isVisibility = (given: unknown): given is Visibility =>
  given === 'zone' || given === 'always' || given === 'never'

/** Overrides who sees an object, for all clients or for one; see `Server.setVisibility`. */
export const setVisibility = (
  state: ServerState,
  object: ServerObject,
  visibility: Visibility | VisibilityTest,
  client: ServerClient | undefined,
): void => {
  const test = typeof visibility === 'function' ? visibility : undefined
  if (test && client)
    throw new TypeError(`setVisibility(${object.eid}): a function is asked of every client: leave the client out.`)
  if (!test && !isVisibility(visibility))
    throw new TypeError(
      `setVisibility(${object.eid}): give 'zone', 'always' or 'never', or a function, not ${String(visibility)}.`,
    )
  const rule = (object.visibility ??= {
    all: 'zone',
    clients: new Map(),
    test: undefined,
    answers: new Map(),
    zone: exclusiveZone(object.zone, object.doId),
  })
  if (client) rule.clients.set(client.id, visibility as Visibility)
  else {
    rule.test = test
    rule.answers.clear()
    // Nobody sees it who was not asked about.
    rule.all = test ? 'never' : (visibility as Visibility)
    for (const each of state.clients.values()) ask(state, object, rule, each)
  }
  state.exceptions.add(object)
  followVisibility(object)
  noteChange(state, object)
  for (const session of state.sessions) session.isZonesDirty = true
}

/** Asks the objects' functions again, of one object or of all, about one client or about all; see `Server.refreshVisibility`. */
export const refreshVisibility = (
  state: ServerState,
  object: ServerObject | undefined,
  client: ServerClient | undefined,
): void => {
  const clients = client ? [client] : [...state.clients.values()]
  // A function may set rules itself.
  for (const each of object ? [object] : [...state.exceptions]) {
    const rule = each.visibility
    if (!rule?.test) continue
    let isChanged = false
    for (const one of clients) if (ask(state, each, rule, one)) isChanged = true
    if (isChanged) noteChange(state, each)
  }
  for (const { id } of clients) {
    const session = state.sessionOf.get(id)
    if (session) session.isZonesDirty = true
  }
}

/** Has the rule's function answer for a client. Returns whether that is another answer than before. */
const ask = (state: ServerState, object: ServerObject, rule: VisibilityRule, client: ServerClient): boolean => {
  const { test } = rule
  if (!test) return false
  const where = `setVisibility(${object.eid})`
  const given = guarded(state, where, () => test(client, object.eid))
  const answer = given === true ? 'zone' : given || 'never'
  if (!isVisibility(answer))
    state.onError(
      new TypeError(`the function returned ${String(given)}: give true, false, 'zone', 'always' or 'never'.`),
      where,
    )
  const next = isVisibility(answer) ? answer : 'never'
  // The function may have set another rule.
  if (rule.test !== test || rule.answers.get(client.id) === next) return false
  rule.answers.set(client.id, next)
  return true
}

/** What was sent to it before the change is late, not forbidden; of an object that nobody saw yet there is nothing to be late with. */
const noteChange = (state: ServerState, object: ServerObject): void => {
  if (object.place) object.hiddenAt = state.now()
}

/** What is the same for all needs no group of its own, but what was said of single clients is kept. */
const followVisibility = (object: ServerObject): void => {
  const { visibility } = object
  const isUsual = visibility?.all === 'zone' && [...visibility.clients.values()].every(each => each === 'zone')
  object.rule = isUsual ? undefined : visibility
  touch(object)
}

/** A client left: its number may be another's soon. */
export const forgetVisibility = (state: ServerState, clientId: number): void => {
  for (const object of state.exceptions) {
    object.visibility?.answers.delete(clientId)
    if (object.visibility?.clients.delete(clientId) && state.objects.get(object.eid) === object)
      followVisibility(object)
  }
}
