import {
  more,
  readBytes,
  readU8,
  readVarint,
  writeBytes,
  writeU8,
  writeVarint,
  type ByteReader,
  type ByteWriter,
} from './bytes.ts'
import type { Audience, Layout } from './layout.ts'
import { Control } from './packet.ts'
import type { Zone } from './store.ts'

/**
 * The packed value fields (strings, blobs, arrays, switches) of one object. They are state too, only too large for a
 * row: each client is sent the newest bytes as a reliable message, when it starts to see the object and on change.
 * So are the messages that are kept, behind them, but only when it starts to see the object.
 */
export interface ValueSet {
  readonly doId: number
  readonly layout: Layout
  /** Packed bytes of each of `layout.values`, then of each of `layout.messages`; nothing of a message that was not sent yet. */
  readonly packed: Uint8Array[]
  /** What the owner sent last of each field, so that the server knows when game code wrote another value. */
  readonly fromOwner: (Uint8Array | undefined)[]
  /** Counts how often the server overruled the owner in each field, as a row's epoch does; nothing is 0. */
  readonly epochs: number[]
  /** Where the object is now: whoever does not see that zone is not sent the bytes. */
  zone: Zone | undefined
  isAlive: boolean
  /** Of a class that keeps messages. */
  readonly kept?: KeptMessages | undefined
}

/** What there is to say of the kept messages of an object. */
export interface KeptMessages {
  /** Sendings so far. */
  count: number
  /** Which sending the last one of each was, by index, so that they are told again in the order in which they were sent last. */
  readonly sentAs: number[]
  /** The zone that the object came from when it changed its zone last, and the store's round then. */
  cameFrom: Zone | undefined
  cameIn: number
  /** Who is not to be told the last one, by index. */
  readonly withheld: Map<number, WeakSet<object>>
  /** Brings a `required` one up to date, right before it is told. */
  readonly renew: (index: number) => void
}

/** One value field of one object, as it travels. */
export interface ValueMessage {
  readonly doId: number
  readonly audience: Audience
  /** Index into `layout.values`, and behind those into `layout.messages`. */
  readonly index: number
  readonly epoch: number
  readonly packed: Uint8Array
}

/** Bytes of a value besides its packed ones, at most: difference of doIds, index and flags, epoch, length. */
const OVERHEAD = 5 + 2 + 1 + 3

/** Starts a message of values in `writer`. */
export const openValues = (writer: ByteWriter): void => {
  writer.length = 0
  writeU8(writer, Control.values)
}

/** Room that a value takes, at most. */
export const valueSize = (set: ValueSet, index: number): number => set.packed[index]!.length + OVERHEAD

/** Appends a value; `lastId` is the object of the one before, 0 for the first. */
export const writeValue = (writer: ByteWriter, set: ValueSet, index: number, lastId: number): void => {
  const packed = set.packed[index]!
  const epoch = set.epochs[index] ?? 0
  const difference = (set.doId - lastId) | 0
  writeVarint(writer, ((difference << 1) ^ (difference >> 31)) >>> 0)
  writeVarint(writer, index * 4 + (epoch > 0 ? 2 : 0) + (set.layout.audience === 'owner' ? 1 : 0))
  if (epoch > 0) writeU8(writer, epoch)
  writeVarint(writer, packed.length)
  writeBytes(writer, packed)
}

/** Reads what follows the control byte, value by value. False when it is malformed; what came before was taken. */
export const readValues = (reader: ByteReader, take: (message: ValueMessage) => void): boolean => {
  let doId = 0
  while (more(reader)) {
    const difference = readVarint(reader)
    doId = (doId + ((difference >>> 1) ^ -(difference & 1))) >>> 0
    const head = readVarint(reader)
    const epoch = head & 2 ? readU8(reader) : 0
    const packed = readBytes(reader, readVarint(reader))
    if (reader.failed) return false
    take({ doId, audience: head & 1 ? 'owner' : 'interested', index: head >>> 2, epoch, packed })
  }
  return !reader.failed
}
