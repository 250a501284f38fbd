import { packField, type DCAtomicField, type DCMolecularField } from '../dc/index.ts'
import { MAX_UNRELIABLE } from '../net/message.ts'
import { MAX_PAYLOAD } from '../net/reliable.ts'

export type MessageField = DCAtomicField | DCMolecularField

export const nameOf = (field: MessageField): string => `${field.owner.name}.${field.name}`

/** Packs a message's arguments; throws when they do not fit DC, or do not fit a datagram that they must travel in. */
export const packMessage = (field: MessageField, args: unknown): Uint8Array => {
  const packed = packField(field, args).slice()
  if (field.keywords.includes('unreliable') && packed.length > MAX_UNRELIABLE)
    throw new RangeError(
      `${nameOf(field)}: ${packed.length} bytes of arguments do not fit one datagram (${MAX_UNRELIABLE}): ` +
        'shorten them, or drop the `unreliable` keyword.',
    )
  if (packed.length > MAX_PAYLOAD)
    throw new RangeError(
      `${nameOf(field)}: ${packed.length} bytes of arguments are more than a message holds (${MAX_PAYLOAD}): send them in parts.`,
    )
  return packed
}
