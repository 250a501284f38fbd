import { infosOf, type FieldColumns, type Schema } from '../components/index.ts'
import type { DCParameterField } from '../dc/index.ts'
import { isSameBytes } from '../net/bytes.ts'
import { isFiniteValue, nameOf, packValue } from './pack-message.ts'
import { hasKeyword } from './rows.ts'
import { guarded, type ServerClient, type ServerObject, type ServerState, type Session } from './server-state.ts'
import { violate } from './violations.ts'

/** What a game makes of a value that a client writes: the value, another one, or `undefined`, when it may not be. */
export type FieldCheck = (eid: number, value: any, client: ServerClient) => unknown

/** What became of a value. */
export type Verdict =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'corrected'; readonly value: unknown }

const TAKEN: Verdict = { kind: 'taken' }
const REFUSED: Verdict = { kind: 'refused' }

/** The field of these columns. Throws when it is none, or none that a client writes. */
const writableField = (schema: Schema<any>, columns: FieldColumns): DCParameterField => {
  for (const { columns: known } of infosOf(schema))
    for (const [field, own] of known) {
      if (own !== columns) continue
      if (hasKeyword(field, 'ownsend', 'clsend')) return field
      throw new TypeError(`validate: ${nameOf(field)} has neither \`ownsend\` nor \`clsend\`: no client writes it.`)
    }
  throw new TypeError('validate: these are the columns of no field of the schema: give such as `Avatar.position`.')
}

/** Has a game's check look at what clients write into these columns, from now on. Returns how to stop. */
export const validate = (state: ServerState, columns: FieldColumns, check: FieldCheck): (() => void) => {
  const field = writableField(state.schema, columns)
  state.checks.set(field, check)
  return () => {
    if (state.checks.get(field) === check) state.checks.delete(field)
  }
}

/** A value with the names of its columns, where it has them in order. */
const named = (columns: FieldColumns, value: unknown): unknown => {
  if (Array.isArray(columns) || ArrayBuffer.isView(columns)) return value
  return Object.fromEntries(
    Object.entries(columns).map(([name, part], at) => [
      name,
      named(part as FieldColumns, Array.isArray(value) ? value[at] : (value as Record<string, unknown>)[name]),
    ]),
  )
}

/** A value in the order of its columns, as it is packed. */
const listed = (columns: FieldColumns, value: unknown): unknown => {
  if (Array.isArray(columns) || ArrayBuffer.isView(columns)) return value
  const isList = Array.isArray(value) || ArrayBuffer.isView(value)
  return Object.entries(columns).map(([name, part], at) =>
    listed(part as FieldColumns, (value as Record<string | number, unknown>)[isList ? at : name]),
  )
}

/** Has the game look at a value that a client sent, if it wants to. A refusal is counted. `value` is as columns hold it. */
export const judge = (
  state: ServerState,
  session: Session,
  object: ServerObject,
  field: DCParameterField,
  value: unknown,
): Verdict => {
  const check = state.checks.get(field)
  const { client } = session
  if (!check || !client) return TAKEN
  const columns = object.serverClass.info.columns.get(field)!
  // The check may well change it in place.
  const sent = packValue(field, listed(columns, value), state.links).slice()
  const where = `validate ${nameOf(field)}`
  const answer = guarded(state, where, () => check(object.eid, named(columns, value), client))
  if (answer === undefined || answer === null) {
    violate(state, session, 'refused', 'check', { field, object })
    return REFUSED
  }
  try {
    const isSame = isSameBytes(packValue(field, listed(columns, answer), state.links), sent)
    // Its owner could send nothing more of the object.
    if (!isFiniteValue(answer)) throw new RangeError(`${nameOf(field)}: what the check answers is not finite.`)
    return isSame ? TAKEN : { kind: 'corrected', value: answer }
  } catch (error) {
    // Such as a promise: what stands, stands.
    state.onError(error, where)
    return REFUSED
  }
}
