import { bytesLeft, byteWriter, writeBytes, writeU8, type ByteWriter } from './bytes.ts'
import type { Downlink } from './downlink-state.ts'
import { Chunk } from './packet.ts'
import { FRAGMENT, MAX_QUEUED, sendReliable } from './reliable.ts'
import { DEFERRED_ALL } from './state-chunk.ts'
import type { Store, Zone } from './store.ts'
import { openValues, valueSize, writeValue, type KeptMessages, type ValueSet } from './values.ts'

/* What waits to be sent to a client beside state: value fields that it lacks, and messages. */

/** Fragments that may wait before value fields are held back: until then only their newest bytes count. */
const VALUES_AHEAD = 64
/** Fragments that may wait before messages do not wait for the values of their objects any more. */
const MESSAGES_BEHIND = 256
/** Objects whose value fields may wait before those that are gone are looked for. */
export const LEAST_VALUES = 1024
/** Unreliable messages that may wait; older ones are dropped, as the network might. */
const MAX_MESSAGES = 256
/** Seconds that an unreliable message may wait for room: what is said now or never must not come after a stall. */
const MESSAGE_LIFE = 0.25

/** Notes that the client lacks one value field of an object, or all of them. */
export const needValues = (downlink: Downlink, set: ValueSet, index?: number, isToldMessages = false): void => {
  if (set.packed.length === 0) return
  if (index === undefined && set.kept && downlink.outbox.length > 0) releaseMessages(downlink, set)
  downlink.lacksValues = true
  let needed = downlink.values.get(set)
  if (!needed) {
    if (downlink.values.size >= downlink.mostValues) forgetValues(downlink)
    downlink.values.set(set, (needed = new Set()))
  }
  if (index !== undefined) needed.add(index)
  else if (!set.kept || isToldMessages) needAll(needed, set, isToldMessages ? set.layout.values.length : Infinity)
  else for (const each of inOrder(set, set.kept)) needed.add(each)
}

/** All that there is of a set up to `end`. Of a message that was not sent yet there is nothing. */
const needAll = (needed: Set<number>, { packed }: ValueSet, end: number): void => {
  for (let index = 0; index < packed.length && index < end; index++) if (packed[index]) needed.add(index)
}

/** All that there is of a set: values, then kept messages in the order in which they were sent. */
const inOrder = ({ packed }: ValueSet, { sentAs }: KeptMessages): number[] =>
  Object.keys(packed)
    .map(Number)
    .sort((a, b) => (sentAs[a] ?? 0) - (sentAs[b] ?? 0) || a - b)

/** A kept message that the client lacks is sent it anew, now: the older one is not told any more. */
export const supersede = (downlink: Downlink, set: ValueSet, index: number): void =>
  void downlink.values.get(set)?.delete(index)

/**
 * Those of objects that are gone, or out of sight. A client that takes nothing more of the reliable stream would make us
 * remember every object that it ever saw.
 */
const forgetValues = (downlink: Downlink): void => {
  for (const set of downlink.values.keys()) if (!isSeen(downlink, set)) downlink.values.delete(set)
  for (const { owed } of downlink.zones.values())
    for (const set of owed) if (!downlink.values.has(set)) owed.delete(set)
  downlink.mostValues = Math.max(LEAST_VALUES, downlink.values.size * 2)
}

/** Whether the client is being told of an object. */
export const isSeen = ({ zones }: Downlink, { isAlive, zone }: ValueSet): boolean =>
  isAlive && zone !== undefined && zones.has(zone)

/** Whether the client saw an object, in another zone, until it came into this one in this very round. */
export const wasSeen = ({ zones }: Downlink, store: Store, { kept }: ValueSet): boolean =>
  kept?.cameFrom !== undefined &&
  kept.cameIn === store.round - 1 &&
  (zones.get(kept.cameFrom)?.since ?? store.round) < store.round

/** The same of an object that just came into a zone: whoever waits for that zone waits for these too. */
export const oweValues = (downlink: Downlink, zone: Zone, set: ValueSet, wasSeen = false): void => {
  needValues(downlink, set, undefined, wasSeen)
  const owed = downlink.zones.get(zone)?.owed
  if (set.packed.length === 0 || !owed) return
  if (owed.size > downlink.mostValues) forgetValues(downlink)
  owed.add(set)
}

/** Queues a reliable message (copied). */
export const queueReliable = (downlink: Downlink, message: Uint8Array): void => {
  if (!sendReliable(downlink.sender, message)) downlink.isSound = false
}

/** Queues a reliable message of an object, whose values of this tick are to go ahead of it. */
export const queueMessage = (
  downlink: Downlink,
  message: Uint8Array,
  ...after: readonly (ValueSet | undefined)[]
): void => {
  downlink.outboxBytes += message.length
  if (downlink.sender.queuedBytes + downlink.outboxBytes > MAX_QUEUED) downlink.isSound = false
  else downlink.outbox.push({ bytes: message, after })
}

/** Bytes that wait in the reliable stream, or for it. */
export const waitingBytes = ({ sender, outboxBytes }: Downlink): number => sender.queuedBytes + outboxBytes

export const flushMessages = (downlink: Downlink): void => {
  if (downlink.outbox.length > 0) sendOutbox(downlink, downlink.outbox.length)
}

/** Messages of an object that wait since the client saw it before go out: what is kept of it now, and told anew, is newer. */
const releaseMessages = (downlink: Downlink, set: ValueSet): void => {
  const { outbox } = downlink
  let count = outbox.length
  while (count > 0 && !outbox[count - 1]!.after.includes(set)) count--
  if (count > 0) sendOutbox(downlink, count)
}

/** Puts the first messages that wait into the reliable stream. */
const sendOutbox = (downlink: Downlink, count: number): void => {
  const { outbox } = downlink
  for (const { bytes, after } of outbox.splice(0, count)) {
    downlink.outboxBytes -= bytes.length
    for (const set of after) {
      const needed = set && downlink.values.get(set)
      // On a link that is far behind, it is the newest value that counts.
      if (needed && downlink.sender.queue.length < MESSAGES_BEHIND) flush(downlink, new Map([[set, needed]]), true)
    }
    queueReliable(downlink, bytes)
  }
}

/** Queues a message to be sent once. */
export const queueUnreliable = (downlink: Downlink, message: Uint8Array): void => {
  if (downlink.messages.length >= MAX_MESSAGES) downlink.messages.shift()
  downlink.messages.push({ bytes: message, time: undefined })
}

/** One message of small values, or of a single large one. */
const valueWriter = byteWriter(FRAGMENT)

/** Puts the value fields that the client lacks into the reliable stream, several small ones to a message. */
export const flushValues = (downlink: Downlink): void => {
  // Mostly there are none, and then the map is not even looked at.
  if (!downlink.lacksValues) return
  flush(downlink, downlink.values, false)
  downlink.lacksValues = downlink.values.size > 0
}

const flush = (downlink: Downlink, lacking: ReadonlyMap<ValueSet, Set<number>>, isForced: boolean): void => {
  let lastId = 0
  openValues(valueWriter)
  const close = () => {
    if (lastId !== 0) queueReliable(downlink, valueWriter.bytes.subarray(0, valueWriter.length))
    lastId = 0
    openValues(valueWriter)
  }
  for (const [set, needed] of lacking) {
    // Noted while the client saw the object: by now one of the two may have gone elsewhere.
    const isWanted = isSeen(downlink, set)
    for (const index of needed) {
      if (!isForced && downlink.sender.queue.length >= VALUES_AHEAD) {
        close()
        return
      }
      needed.delete(index)
      if (!isWanted || set.kept?.withheld.get(index)?.has(downlink)) continue
      set.kept?.renew(index)
      const size = valueSize(set, index)
      if (size > bytesLeft(valueWriter)) close()
      if (size > bytesLeft(valueWriter)) queueLarge(downlink, set, index, size)
      else {
        writeValue(valueWriter, set, index, lastId)
        lastId = set.doId
      }
    }
    downlink.values.delete(set)
    if (set.zone) downlink.zones.get(set.zone)?.owed.delete(set)
  }
  close()
}

const queueLarge = (downlink: Downlink, set: ValueSet, index: number, size: number): void => {
  const large = byteWriter(size + 1)
  openValues(large)
  writeValue(large, set, index, 0)
  queueReliable(downlink, large.bytes.subarray(0, large.length))
}

export const writeMessages = (downlink: Downlink, writer: ByteWriter, now: number): void => {
  const { messages } = downlink
  if (messages.length === 0) return
  let kept = 0
  for (const message of messages) {
    message.time ??= now
    if (now - message.time > MESSAGE_LIFE) continue
    if (message.bytes.length + 1 + DEFERRED_ALL > bytesLeft(writer)) messages[kept++] = message
    else {
      writeU8(writer, Chunk.message)
      writeBytes(writer, message.bytes)
    }
  }
  messages.length = kept
}
