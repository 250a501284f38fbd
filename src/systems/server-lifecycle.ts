import { lifecycleFault, SERVER_TRANSITIONS, transition, type LifecycleState } from './lifecycle.ts'
import type { ServerObject, ServerState } from './server-state.ts'

/**
 * Brings the states of objects that were put into a zone, or taken out, up to date: the first is generated and, as the server has all of
 * its state, alive; the other is disabled. Behind the capture, since observers run in here and may do anything.
 */
export const settleLifecycles = (state: ServerState): void => {
  if (state.settling.size === 0) return
  const objects = [...state.settling]
  state.settling.clear()
  for (const object of objects) {
    if (object.place && (object.state === 'fresh' || object.state === 'disabled')) {
      enter(state, object, 'generated')
      enter(state, object, 'alive')
    } else if (!object.place && object.state === 'alive') enter(state, object, 'disabled')
  }
}

/** Of one whose entity an observer, or the game, has removed meanwhile there is nothing to tell. */
const enter = (state: ServerState, object: ServerObject, to: LifecycleState): void => {
  if (object.state === 'deleted') return
  const tell = (error: unknown): void => state.onError(error, 'lifecycle')
  if (!transition(state.world, SERVER_TRANSITIONS, object, to, tell)) tell(lifecycleFault(object, to))
}
