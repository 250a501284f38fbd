import { takeAllDecoders } from '../net/all-decoders.ts'
import { byteReader, readU8 } from '../net/bytes.ts'
import { decodeHello, encodeWelcome, type Welcome } from '../net/hello.ts'
import { Kind } from '../net/packet.ts'
import type { ClientTransport, Connection } from '../net/transport.ts'
import type { Recording } from './recording.ts'
import { rewrite } from './rewrite.ts'

/** What a client that watches a recording is told: it owns nothing, so that nothing of what it shows is its own to write. */
export const welcomeOf = (recording: Recording, nonce: number, tick: number): Welcome => ({
  nonce,
  clientId: 0,
  tickRate: recording.tickRate,
  tick,
  updateRate: recording.updateRate,
  commandRate: recording.commandRate,
  codec: recording.codec,
  resumeTime: 0,
  token: new Uint8Array(0),
})

export const decoderKind = ({ codec }: Recording): { usesBefore: boolean } => ({ usesBefore: codec === 'range' })

/** A recording in place of a server. */
export interface ReplayTransport extends ClientTransport {
  /** Hands over what is due; with a clock of one's own, which no timer looks at. */
  deliver(): void
}

/** Milliseconds between two looks at the clock. */
const TIMER = 10

/**
 * Behaves as a server that sends what was recorded, once, as fast as it was recorded, to whoever connects: for tests, and for
 * tools without a page. The client owns nothing; what it sends is ignored, and so is a password. When the recording is over, the
 * connection stays open and silent.
 *
 * @param options `now`: a clock in seconds, such as the client's own; without it timers and real time
 */
export const replayTransport = (
  recording: Recording,
  options: { readonly now?: () => number } = {},
): ReplayTransport => {
  takeAllDecoders()
  const { now = () => performance.now() / 1000 } = options
  const delivering = new Set<() => void>()
  const deliver = (): void => {
    for (const each of delivering) each()
  }
  return {
    deliver,
    connect() {
      const queue = datagramsOf(recording)
      let startedAt = NaN
      let next = 0
      const timer = options.now ? undefined : setInterval(deliver, TIMER)
      ;(timer as { unref?: () => void } | undefined)?.unref?.()
      const push = (): void => {
        while (next < queue.length && queue[next]!.time <= now() - startedAt) connection.onPacket(queue[next++]!.bytes)
      }
      const connection: Connection = {
        address: 'recording',
        send(packet) {
          const reader = byteReader(packet)
          if (readU8(reader) !== Kind.hello || !Number.isNaN(startedAt)) return
          const hello = decodeHello(reader)
          if (!hello) return
          startedAt = now()
          delivering.add(push)
          connection.onPacket(encodeWelcome(welcomeOf(recording, hello.nonce, recording.parts[0]!.tick)))
          push()
        },
        close() {
          delivering.delete(push)
          clearInterval(timer)
        },
        onPacket: () => {},
        onClose: () => {},
      }
      return connection
    },
  }
}

/** What goes down, all parts one behind the other, as one session. */
const datagramsOf = (recording: Recording): { time: number; bytes: Uint8Array }[] => {
  const first = recording.parts[0]!
  const codec = decoderKind(recording)
  const down = recording.parts.flatMap(part => part.datagrams).filter(({ direction }) => direction === 'down')
  return [
    ...first.opening,
    ...down.flatMap(({ time, bytes }) => {
      const rewritten = rewrite(bytes, first, codec)
      return rewritten ? [{ time, bytes: rewritten }] : []
    }),
  ]
}
