import { infosOf, type Schema } from '../components/index.ts'
import { mapReferences, packField, unpackField, type DCAtomicField } from '../dc/index.ts'
import { audienceOfMessage, isRequired } from '../net/layout.ts'
import type { Server } from '../server.ts'
import type { Dice } from './dice.ts'
import { hasValues, randomValue } from './random-value.ts'

/** Tries to find legal arguments. */
const TRIES = 64

const legalArguments = (field: DCAtomicField, dice: Dice): unknown => {
  for (let tries = 0; hasValues(field) && tries < TRIES; tries++) {
    try {
      const { ok, value } = unpackField(field, packField(field, randomValue(field, dice)))
      // Of other objects it names none.
      if (ok) return mapReferences(field, value, () => 0)
    } catch {
      // Random bytes are not always a number or a rotation.
    }
  }
  return undefined
}

/** Says something of every `required` message, so that objects of a schema without a game can be placed. What the game provides goes before. */
export const provideAll = (server: Server, schema: Schema<any>, dice: Dice): void => {
  for (const { dclass } of infosOf(schema))
    for (const field of dclass.fields) {
      if (field.kind !== 'atomic' || !isRequired(field) || !audienceOfMessage(field)) continue
      const value = legalArguments(field, dice)
      if (value !== undefined) server.provide({ field }, () => value)
    }
}
