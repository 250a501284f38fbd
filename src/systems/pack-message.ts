import type { DCParameterField } from '../dc/index.ts'
import type { MessageField } from '../net/layout.ts'
import { MAX_UNRELIABLE } from '../net/message.ts'
import { MAX_PAYLOAD } from '../net/reliable.ts'
import { argumentsToWire, toWire, type Links } from './links.ts'

/** A message or a value field, with its class. */
export const nameOf = (field: MessageField | DCParameterField): string => `${field.owner.name}.${field.name}`

const atMost = (
  most: number,
  packed: Uint8Array,
  field: MessageField | DCParameterField,
  advice: string,
): Uint8Array => {
  if (packed.length > most)
    throw new RangeError(`${nameOf(field)}: ${packed.length} bytes are more than the ${most} ${advice}.`)
  return packed
}

/** Packs a message's arguments; throws when they do not fit DC, or do not fit a datagram that they must travel in. */
export const packMessage = (field: MessageField, args: unknown, links: Links): Uint8Array => {
  const packed = links.pack(field, argumentsToWire(field, args, links))
  return field.keywords.includes('unreliable')
    ? atMost(MAX_UNRELIABLE, packed, field, 'of one datagram: shorten them, or drop the `unreliable` keyword')
    : atMost(MAX_PAYLOAD, packed, field, 'of a message: send them in parts')
}

/** Packs a value field; throws when it does not fit DC or is too large to be sent. */
export const packValue = (field: DCParameterField, value: unknown, links: Links): Uint8Array =>
  atMost(MAX_PAYLOAD, links.pack(field, toWire(field, value, links)), field, 'of a value: make it shorter')

/** The same, or `undefined` when it cannot be packed. */
export const tryPackValue = (field: DCParameterField, value: unknown, links: Links): Uint8Array | undefined => {
  try {
    return packValue(field, value, links)
  } catch {
    return undefined
  }
}

/** Whether no number in a value is NaN or infinite: a client may send none, in messages or state. */
export const isFiniteValue = (value: unknown): boolean =>
  typeof value === 'number'
    ? Number.isFinite(value)
    : typeof value !== 'object' || ArrayBuffer.isView(value) || Object.values(value!).every(isFiniteValue)
