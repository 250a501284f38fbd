import { hasView, infosOf, viewError, type Schema, type View } from '../components/index.ts'
import type { DCClass, DCField } from '../dc/index.ts'
import type { ClientMessageHandler, ClientState } from './client-state.ts'

/** For which objects a message is handled. */
export interface HandlerOptions<Views extends View = View> {
  /**
   * Only for those that have this view, by the imports of the schema; `owner`: and only while this client owns them. Default: for all.
   */
  readonly view?: Views
}

/**
 * The classes whose objects have a message handled in a view. Throws a `TypeError` when the schema's imports declare it of none.
 */
export const classesInView = (schema: Schema<any>, field: DCField, view: View): ReadonlySet<DCClass> => {
  const dclasses = infosOf(schema).flatMap(({ dclass }) => (dclass.inherited.includes(field) ? [dclass] : []))
  const shown = dclasses.filter(dclass => hasView(schema.file, dclass, view))
  if (shown.length === 0) throw viewError(`on(${field.owner.name}.${field.name})`, schema.file, field.owner, view)
  return new Set(shown)
}

/** A client's handler that is called for the objects of one view only. */
export const handleInView = (
  state: ClientState,
  field: DCField,
  view: 'client' | 'owner',
  handler: ClientMessageHandler,
): ClientMessageHandler => {
  const classes = classesInView(state.schema, field, view)
  return (eid, args) => {
    const object = state.session?.byEid.get(eid)
    if (!object || !classes.has(object.clientClass.info.dclass) || (view === 'owner' && !object.isOwned))
      return undefined
    return handler(eid, args)
  }
}
