import type { Reason } from '../net/hello.ts'
import {
  countViolation,
  guarded,
  type ServerObject,
  type ServerState,
  type Session,
  type Violation,
  type ViolationAction,
  type ViolationDetail,
  type ViolationKind,
  type ViolationPolicy,
} from './server-state.ts'
import { endSession } from './departure.ts'

/** Nobody goes for what a bad link or a late message can explain; reliable messages cannot be dropped, so whoever floods has to go. */
export const POLICY: ViolationPolicy = {
  malformed: 'ignore',
  forbidden: 'ignore',
  outOfRange: 'ignore',
  flooded: 'kick',
  refused: 'ignore',
}

export const ACTIONS: readonly ViolationAction[] = ['ignore', 'warn', 'kick']

/** What a client that is sent away is told. */
const REASONS: Readonly<Record<ViolationKind, Reason>> = {
  malformed: 'malformed',
  forbidden: 'kicked',
  outOfRange: 'malformed',
  flooded: 'flooded',
  refused: 'kicked',
}

/** What a violation is about, as far as is known. */
export interface Subject {
  readonly field?: { readonly name: string; readonly owner: { readonly name: string } } | undefined
  readonly object?: ServerObject | undefined
}

/** Whether a count is a power of ten: then it is told. */
const isTold = (count: number): boolean => {
  let left = count
  while (left >= 10 && left % 10 === 0) left /= 10
  return left === 1
}

/**
 * Counts a violation and does what the policy, or the game's hook, says. `most` is the most that the policy does by itself: `ignore` for what can
 * simply be dropped. The hook hears of clients only; who has not signed in is counted.
 */
export const violate = (
  state: ServerState,
  session: Session,
  kind: ViolationKind,
  detail: ViolationDetail,
  { field, object }: Subject = {},
  most: ViolationAction = 'kick',
): void => {
  countViolation(state, session, kind)
  const { client } = session
  if (!client) return
  const policy = state.violationPolicy[kind]
  let action: ViolationAction = policy === 'kick' ? most : policy
  const name = field && `${field.owner.name}.${field.name}`
  const { onViolation } = state
  if (onViolation) {
    const violation: Violation = { kind, detail, field: name, object: object?.eid ?? 0, action }
    const answer = guarded(state, 'onViolation', () => onViolation(client, violation)) as ViolationAction
    if (ACTIONS.includes(answer)) action = answer
  }
  if (action === 'kick') endSession(state, session, REASONS[kind])
  else if (action === 'warn' && isTold(session.violations[kind])) warn(state, session, kind, detail, name)
}

const warn = (
  state: ServerState,
  { client, violations }: Session,
  kind: ViolationKind,
  detail: ViolationDetail,
  name: string | undefined,
): void => {
  const about = name ? `${name}, ` : ''
  state.onError(new Error(`${kind} (${about}${detail}), ${violations[kind]} by now`), `client ${client?.id}`)
}
