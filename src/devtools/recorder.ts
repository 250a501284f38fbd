import { isData } from './rewrite.ts'
import { openingOf } from './opening.ts'
import { schemaOfFile, type RecordedDatagram, type RecordedPart, type Recording } from './recording.ts'
import type { Tap } from './tap.ts'
import type { ClientSession } from '../systems/client-state.ts'

export interface RecorderOptions {
  /** What is older is dropped, part by part. 10..3600 seconds. Default 300. */
  readonly maxSeconds?: number
  /** The same by bytes. 64 KB and up. Default 32 MB. */
  readonly maxBytes?: number
  /** Seconds of a part: jumping about takes as long as decoding one, and each begins with work that grows with the objects that move. 1..60. Default 10. */
  readonly partSeconds?: number
}

/** A recording that is being made. */
export interface Recorder {
  readonly isRecording: boolean
  /** Seconds and bytes that it has, and how many were dropped. */
  readonly seconds: number
  readonly bytes: number
  readonly droppedSeconds: number
  /** Ends it. Throws an `Error` when nothing was recorded, for want of a session. */
  stop(): Recording
}

const inRange = (name: string, value: number, least: number, most: number, unit: string): number => {
  if (!(value >= least && value <= most))
    throw new RangeError(`record: ${name} is ${value}: give ${least} to ${most} ${unit}.`)
  return value
}

/** A part that still grows. */
interface Growing {
  readonly part: RecordedPart
  readonly datagrams: RecordedDatagram[]
  bytes: number
}

/** Bytes of a datagram in a file besides its own. */
const OVERHEAD = 7

/** Records what goes through a tap: see `Monitor.record`. */
export const createRecorder = (tap: Tap, options: RecorderOptions = {}): Recorder => {
  const maxSeconds = inRange('maxSeconds', options.maxSeconds ?? 300, 10, 3600, 'seconds')
  const maxBytes = inRange('maxBytes', options.maxBytes ?? 32 * 1024 * 1024, 64 * 1024, 2 ** 32, 'bytes')
  const partSeconds = inRange('partSeconds', options.partSeconds ?? 10, 1, 60, 'seconds')
  const { state } = tap
  const date = new Date().toISOString()
  const parts: Growing[] = []
  let session: ClientSession | undefined
  let startedAt = NaN
  let last = 0
  let bytes = 0
  let dropped = 0
  let isRecording = true

  const begin = (of: ClientSession, time: number): Growing => {
    const part = openingOf(of, time)
    // They came already, and wait.
    const datagrams = of.held.map(({ bytes }): RecordedDatagram => ({ time, direction: 'down', bytes }))
    const size = [...part.opening, ...datagrams].reduce((sum, each) => sum + each.bytes.length + OVERHEAD, 0)
    const growing = { part, datagrams, bytes: size }
    parts.push(growing)
    bytes += size
    return growing
  }

  const dropOld = (): void => {
    while (parts.length > 1 && (bytes > maxBytes || last - parts[1]!.part.start > maxSeconds)) {
      const oldest = parts.shift()!
      bytes -= oldest.bytes
      dropped = parts[0]!.part.start
    }
  }

  const take = (of: ClientSession, direction: 'down' | 'up', packet: Uint8Array): void => {
    if (!of.welcome || !isData(packet)) return
    if (session && session !== of) {
      end()
      return
    }
    const now = state.now()
    if (!session) {
      session = of
      startedAt = now
    }
    last = now - startedAt
    let growing = parts.at(-1)
    if (!growing || (direction === 'down' && last - growing.part.start >= partSeconds)) growing = begin(of, last)
    growing.datagrams.push({ time: last, direction, bytes: packet.slice() })
    growing.bytes += packet.length + OVERHEAD
    bytes += packet.length + OVERHEAD
    dropOld()
  }
  const end = (): void => {
    isRecording = false
    tap.listeners.delete(take)
  }
  tap.listeners.add(take)

  return {
    get isRecording() {
      return isRecording
    },
    get seconds() {
      return last - dropped
    },
    get bytes() {
      return bytes
    },
    get droppedSeconds() {
      return dropped
    },
    stop() {
      end()
      const welcome = session?.welcome
      if (!welcome || parts.length === 0)
        throw new Error('record: nothing came to be recorded: connect the client, and wait for a moment.')
      const { tickRate, updateRate, commandRate, clientId, codec } = welcome
      const first = parts[0]!.part.start
      const shift = (datagram: RecordedDatagram): RecordedDatagram => ({ ...datagram, time: datagram.time - first })
      return {
        schema: schemaOfFile(state.schema.file),
        codec,
        tickRate,
        updateRate,
        commandRate,
        clientId,
        date,
        duration: last - first,
        parts: parts.map(({ part, datagrams }) => ({
          ...part,
          start: part.start - first,
          opening: part.opening.map(shift),
          datagrams: datagrams.map(shift),
        })),
      }
    },
  }
}
