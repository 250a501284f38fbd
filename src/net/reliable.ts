import {
  bytesLeft,
  readBytes,
  readU16,
  readU8,
  readVarint,
  writeBytes,
  writeU16,
  writeU8,
  writeVarint,
  type ByteReader,
  type ByteWriter,
} from './bytes.ts'
import { expandSequence } from './peer.ts'

/**
 * Reliable, ordered messages inside the session's own packets. A message is cut into fragments; a fragment is sent
 * again until a packet that carried it is acknowledged. Nothing is dropped while the session lives: an overflow is
 * reported, and the session must close.
 */

/** Fragments in flight, and how far ahead of the next expected one a receiver accepts. A power of two. */
const WINDOW = 256
/** Payload bytes a fragment carries at most: two fit a datagram, and one leaves room for state. */
export const FRAGMENT = 512
/** The largest message, in bytes. */
export const MAX_MESSAGE = 256 * 1024
/** What a message may carry besides the bytes that say whose it is. */
export const MAX_PAYLOAD = MAX_MESSAGE - 16
/** Bytes that may wait to be sent before the stream counts as stuck. */
export const MAX_QUEUED = 1024 * 1024
/** The same for what other clients say: with that alone nobody can be made to leave. */
export const MAX_RELAYED = MAX_QUEUED / 2
/** Chunk bytes around a fragment: sequence, flags, length. */
const OVERHEAD = 2 + 1 + 2

interface Fragment {
  readonly sequence: number
  readonly bytes: Uint8Array
  readonly isLast: boolean
  wasSent: boolean
  /** When (seconds) it was sent first, and last. */
  firstTime: number
  sentTime: number
  isAcked: boolean
}

/** The sending half. */
export interface ReliableSender {
  readonly queue: Fragment[]
  nextSequence: number
  queuedBytes: number
}

export const createReliableSender = (): ReliableSender => ({ queue: [], nextSequence: 0, queuedBytes: 0 })

/** Queues a message (copied). Returns false when it is too long or too much waits already: close the session. */
export const sendReliable = (sender: ReliableSender, message: Uint8Array): boolean => {
  if (message.length > MAX_MESSAGE || sender.queuedBytes + message.length > MAX_QUEUED) return false
  let at = 0
  do {
    const bytes = message.slice(at, at + FRAGMENT)
    at += FRAGMENT
    sender.queue.push({
      sequence: sender.nextSequence++,
      bytes,
      isLast: at >= message.length,
      wasSent: false,
      firstTime: Infinity,
      sentTime: -Infinity,
      isAcked: false,
    })
  } while (at < message.length)
  sender.queuedBytes += message.length
  return true
}

/** Since when (seconds) the oldest fragment is under way. */
export const stuckSince = ({ queue }: ReliableSender): number => queue[0]?.firstTime ?? Infinity

/** Whether every message so far was acknowledged. */
export const isDrained = (sender: ReliableSender): boolean => sender.queue.length === 0

/** Whether a fragment that may go has not gone yet. */
export const hasUnsent = ({ queue }: ReliableSender): boolean =>
  queue.length > 0 && !queue[Math.min(queue.length, WINDOW) - 1]!.wasSent

/** Whether the next packet has to carry a fragment again. */
export const hasRepeats = (sender: ReliableSender, now: number, timeout: number): boolean => {
  const window = Math.min(sender.queue.length, WINDOW)
  for (let index = 0; index < window; index++) {
    const fragment = sender.queue[index]!
    // Whatever follows was not sent yet either.
    if (!fragment.wasSent) return false
    if (!fragment.isAcked && now - fragment.sentTime >= timeout) return true
  }
  return false
}

/**
 * Writes the fragments that are due into the packet, oldest first, while they fit and, but for the first, leave
 * `reserve` bytes to others; `open` starts a chunk.
 * Returns their numbers, to be handed to {@link acknowledgeFragments} or {@link loseFragments}.
 */
export const writeFragments = (
  sender: ReliableSender,
  writer: ByteWriter,
  now: number,
  timeout: number,
  reserve: number,
  open: () => void,
): number[] | undefined => {
  let written: number[] | undefined
  const window = Math.min(sender.queue.length, WINDOW)
  for (let index = 0; index < window; index++) {
    const fragment = sender.queue[index]!
    if (fragment.isAcked || now - fragment.sentTime < timeout) continue
    if (fragment.sequence - sender.queue[0]!.sequence >= WINDOW) break
    if (bytesLeft(writer) - (written ? reserve : 0) < fragment.bytes.length + OVERHEAD + 1) break
    open()
    writeU16(writer, fragment.sequence & 0xffff)
    writeU8(writer, fragment.isLast ? 1 : 0)
    writeVarint(writer, fragment.bytes.length)
    writeBytes(writer, fragment.bytes)
    if (!fragment.wasSent) fragment.firstTime = now
    fragment.sentTime = now
    fragment.wasSent = true
    ;(written ??= []).push(fragment.sequence)
  }
  return written
}

const fragmentOf = (sender: ReliableSender, sequence: number): Fragment | undefined => {
  const first = sender.queue[0]
  return first && sender.queue[sequence - first.sequence]
}

/** A packet that carried these fragments arrived. */
export const acknowledgeFragments = (sender: ReliableSender, sequences: readonly number[]): void => {
  for (const sequence of sequences) {
    const fragment = fragmentOf(sender, sequence)
    if (fragment) fragment.isAcked = true
  }
  let done = 0
  while (done < sender.queue.length && sender.queue[done]!.isAcked)
    sender.queuedBytes -= sender.queue[done++]!.bytes.length
  if (done > 0) sender.queue.splice(0, done)
}

/** A packet that carried these fragments was lost: they are due again at once. */
export const loseFragments = (sender: ReliableSender, sequences: readonly number[], sentTime: number): void => {
  for (const sequence of sequences) {
    const fragment = fragmentOf(sender, sequence)
    if (fragment && fragment.sentTime <= sentTime) fragment.sentTime = -Infinity
  }
}

/** The receiving half. */
export interface ReliableReceiver {
  /** Number of the next fragment to deliver. */
  expected: number
  readonly waiting: Map<number, { bytes: Uint8Array; isLast: boolean }>
  parts: Uint8Array[]
  partBytes: number
}

export const createReliableReceiver = (): ReliableReceiver => ({
  expected: 0,
  waiting: new Map(),
  parts: [],
  partBytes: 0,
})

const join = (parts: readonly Uint8Array[], length: number): Uint8Array => {
  if (parts.length === 1) return parts[0]!
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/**
 * Reads one fragment chunk and delivers the messages that it completes, in order, each exactly once.
 * Returns false when the bytes are not a fragment or the message grows too long: the peer is broken or hostile.
 * Only the last fragment of a message may be short: short ones without an end would fill our memory with parts.
 */
export const readFragment = (
  receiver: ReliableReceiver,
  reader: ByteReader,
  deliver: (message: Uint8Array) => void,
): boolean => {
  const sequence = expandSequence(readU16(reader), receiver.expected)
  const flags = readU8(reader)
  const bytes = readBytes(reader, readVarint(reader))
  if (reader.failed || flags > 1 || bytes.length > FRAGMENT || (flags === 0 && bytes.length < FRAGMENT)) return false
  if (sequence < receiver.expected || receiver.waiting.has(sequence)) return true
  if (sequence >= receiver.expected + WINDOW) return false
  receiver.waiting.set(sequence, { bytes: bytes.slice(), isLast: flags === 1 })
  for (;;) {
    const next = receiver.waiting.get(receiver.expected)
    if (!next) return true
    receiver.waiting.delete(receiver.expected++)
    receiver.parts.push(next.bytes)
    receiver.partBytes += next.bytes.length
    if (receiver.partBytes > MAX_MESSAGE) return false
    if (!next.isLast) continue
    const message = join(receiver.parts, receiver.partBytes)
    receiver.parts = []
    receiver.partBytes = 0
    deliver(message)
  }
}
