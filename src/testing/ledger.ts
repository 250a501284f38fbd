import type { EntityId } from 'bitecs'
import { scaledOf, tryPack } from './oracle.ts'
import type { FieldPlan, Leaf } from './plan.ts'

/**
 * Who wrote what to the owner-written fields of an object: two sides that agree may still agree on the wrong thing. What
 * the server ends up with must have been written by somebody, and be the owner's last word where nobody interfered.
 */
export interface Ledger {
  /** Every value that a number or field had by anybody's will. */
  readonly written: Map<string, Set<string>>
  /** The owner's last word, or what was there when it became the owner. */
  readonly last: Map<string, string>
  hadOwner: boolean
  /** Whether it was given to its owner when it was there already. */
  isHandedOver: boolean
  /** Whether the server wrote, or changed the owner, after there was one: which of two values wins is then a matter of time. */
  isDisputed: boolean
}

export const createLedger = (): Ledger => ({
  written: new Map(),
  last: new Map(),
  hadOwner: false,
  isHandedOver: false,
  isDisputed: false,
})

/** A number or field in a word, the same for what quantises or packs alike; undefined when it does not fit. */
const wordOf = (leaf: Leaf, eid: EntityId): string | undefined => {
  const scaled = scaledOf(leaf.type, (leaf.column as Float64Array)[eid]!)
  return Object.is(scaled, -0) ? '-0' : scaled?.toString()
}

const packedWord = (field: FieldPlan, eid: EntityId): string | undefined =>
  tryPack(field.field, field.values[eid])?.join()

const note = (ledger: Ledger, name: string, word: string | undefined): void => {
  if (word === undefined) return
  let words = ledger.written.get(name)
  if (!words) ledger.written.set(name, (words = new Set()))
  words.add(word)
  ledger.last.set(name, word)
}

/** Notes what a field holds now, by the will of whoever wrote to it. */
export const noteField = (ledger: Ledger, field: FieldPlan, eid: EntityId): void => {
  if (!field.isOwnerWritten) return
  if (field.leaves.length === 0) note(ledger, field.name, packedWord(field, eid))
  for (const leaf of field.leaves) note(ledger, leaf.name, wordOf(leaf, eid))
}

/** What is not as somebody wrote it, in words. `eid`: the server's entity. */
export const auditField = (ledger: Ledger, field: FieldPlan, eid: EntityId): string[] => {
  if (!field.isOwnerWritten || field.audience === 'nobody') return []
  // The owner may have written before its private row came, which then had the last word. The same goes for a string, blob
  // or list of an object that was handed over: its epoch comes by another way than the news of the ownership.
  const isLate = ledger.isHandedOver && field.leaves.length === 0
  const isFirm = !ledger.isDisputed && field.audience === 'interested' && !isLate
  const check = (name: string, word: string | undefined, value: unknown): string[] => {
    if (word === undefined) return []
    if (!ledger.written.get(name)?.has(word)) return [`the server has ${name} ${String(value)}, which nobody wrote`]
    if (isFirm && ledger.last.get(name) !== word)
      return [`the server has ${name} ${String(value)}, which is not the last that its owner wrote`]
    return []
  }
  if (field.leaves.length === 0) return check(field.name, packedWord(field, eid), field.values[eid])
  return field.leaves.flatMap(leaf => check(leaf.name, wordOf(leaf, eid), (leaf.column as Float64Array)[eid]))
}
