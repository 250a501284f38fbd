import type { DCAtomicField, DCMolecularField, DCParameterField } from '../dc/index.ts'
import { MAX_UNRELIABLE } from '../net/message.ts'
import { MAX_PAYLOAD } from '../net/reliable.ts'
import { argumentsToWire, toWire, type Links } from './links.ts'

export type MessageField = DCAtomicField | DCMolecularField

export const nameOf = (field: MessageField): string => `${field.owner.name}.${field.name}`

/** Packs a message's arguments; throws when they do not fit DC, or do not fit a datagram that they must travel in. */
export const packMessage = (field: MessageField, args: unknown, links: Links): Uint8Array => {
  const packed = links.pack(field, argumentsToWire(field, args, links))
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

/** Packs a value field; throws when it does not fit DC or is too large to be sent. */
export const packValue = (field: DCParameterField, value: unknown, links: Links): Uint8Array => {
  const packed = links.pack(field, toWire(field, value, links))
  if (packed.length > MAX_PAYLOAD)
    throw new RangeError(
      `${field.owner.name}.${field.name}: ${packed.length} bytes are more than the ${MAX_PAYLOAD} that can be sent: make it shorter.`,
    )
  return packed
}

/** The same, or `undefined` when it cannot be packed. */
export const tryPackValue = (field: DCParameterField, value: unknown, links: Links): Uint8Array | undefined => {
  try {
    return packValue(field, value, links)
  } catch {
    return undefined
  }
}
