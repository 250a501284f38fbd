import { removeEntity } from 'bitecs'
import { createClient, type Client } from '../client.ts'
import { takeAllDecoders } from '../net/all-decoders.ts'
import { byteReader, readU8 } from '../net/bytes.ts'
import { decodeHello, encodeWelcome } from '../net/hello.ts'
import { Kind } from '../net/packet.ts'
import type { ClientTransport, Connection } from '../net/transport.ts'
import { clientStates, type ClientState } from '../systems/client-state.ts'
import { schemaOfFile, type Recording } from './recording.ts'
import { decoderKind, welcomeOf } from './replay-transport.ts'
import { rewrite } from './rewrite.ts'
import { stateOf } from './tap.ts'

/** A recording that is shown in place of what the server sends. Times in seconds since it began. */
export interface Replay {
  readonly recording: Recording
  readonly time: number
  readonly isPlaying: boolean
  /** Recorded seconds a second, 0.01..16. Default 1. */
  speed: number
  play(): void
  pause(): void
  /** Goes to a time, back too: from the beginning of the part that it is in, as fast as it can be decoded. */
  seek(time: number): void
  /** Moves on by so many seconds of the clock on the wall, times `speed`, while it plays; once a frame. */
  advance(seconds: number): void
  /** The client as it shows the recording. */
  readonly client: Client
  /** Goes back to what the server sends: its objects come again, as new entities, with the next `receive`. */
  stop(): void
}

/** One client to replay in for each client, since it cannot leave its world. */
const players = new WeakMap<ClientState, { client: Client; transport: Seekable; clock: { now: number } }>()
/** What a client shows now. */
const replays = new WeakMap<Client, Replay>()

/** A transport that is connected at once, and says what it is told to. */
interface Seekable extends ClientTransport {
  recording: Recording | undefined
  part: number
  connection: Connection | undefined
}

const createSeekable = (): Seekable => {
  const transport: Seekable = {
    recording: undefined,
    part: 0,
    connection: undefined,
    connect() {
      const { recording, part } = transport
      if (!recording) throw new Error('replay: there is nothing to be replayed any more.')
      const connection: Connection = {
        address: 'recording',
        send(packet) {
          const reader = byteReader(packet)
          const hello = readU8(reader) === Kind.hello ? decodeHello(reader) : undefined
          if (hello) connection.onPacket(encodeWelcome(welcomeOf(recording, hello.nonce, recording.parts[part]!.tick)))
        },
        close() {},
        onPacket: () => {},
        onClose: () => {},
      }
      transport.connection = connection
      return connection
    },
  }
  return transport
}

const playerOf = (state: ClientState) => {
  let player = players.get(state)
  if (player) return player
  takeAllDecoders()
  const transport = createSeekable()
  const clock = { now: 0 }
  const client = createClient(state.world, state.schema, {
    transport,
    now: () => clock.now,
    onError: state.onError,
    timeout: 3600,
  })
  // The game's handlers hear what was said then.
  Object.assign(clientStates.get(client)!, { handlers: state.handlers })
  player = { client, transport, clock }
  players.set(state, player)
  return player
}

/** What of a client a page uses in each frame: it is shown the replay through these. */
const SHOWN = ['receive', 'interpolate', 'send', 'entityOf', 'sendUpdate'] as const

const checkSchema = (state: ClientState, { schema }: Recording): void => {
  const own = schemaOfFile(state.schema.file)
  if (own.hash === schema.hash && own.structureHash === schema.structureHash) return
  throw new Error(
    `The recording is of another schema (hash ${schema.hash}, version ${schema.version}) than this page's (hash ${own.hash}, ` +
      `version ${own.version}): replay it with the build that it was made with.`,
  )
}

/**
 * Shows a recording through a client: its world loses the objects of its session, and `receive` and `interpolate` show those of
 * the recording, in the game's own drawing. Nobody owns any of them, nothing is sent, and the session goes on meanwhile as that
 * of a hidden page does. It begins paused, at the beginning.
 *
 * Throws an `Error` for a recording of another schema.
 */
export const playRecording = (client: Client, recording: Recording): Replay => {
  replays.get(client)?.stop()
  const state = stateOf(client, 'playRecording')
  checkSchema(state, recording)
  const player = playerOf(state)
  const { transport, clock } = player
  const shown = clientStates.get(player.client)!
  const codec = decoderKind(recording)
  const own = Object.fromEntries(SHOWN.map(name => [name, client[name]]))
  let base = 0
  let time = 0
  let isPlaying = false
  let isOver = false
  /** The part that the session began with, and where the next datagram is. */
  let opened = 0
  let part = 0
  let index = 0

  const restart = (at: number): void => {
    player.client.disconnect()
    opened = part = at
    index = 0
    transport.part = at
    const { opening, start } = recording.parts[at]!
    const first = Math.min(start, opening[0]?.time ?? start)
    // The clock goes on, whichever way the recording is gone through.
    base = clock.now + 1 - first
    clock.now = base + first
    player.client.connect().catch(error => state.onError(error, 'replay'))
    for (const datagram of opening) {
      clock.now = base + datagram.time
      transport.connection?.onPacket(datagram.bytes)
    }
    time = start
  }

  const feed = (until: number): void => {
    for (;;) {
      const datagram = recording.parts[part]!.datagrams[index]
      if (!datagram) {
        if (part + 1 >= recording.parts.length) break
        part++
        index = 0
        continue
      }
      if (datagram.time > until) break
      index++
      if (datagram.direction === 'up') continue
      const bytes = rewrite(datagram.bytes, recording.parts[opened]!, codec)
      if (!bytes) continue
      clock.now = base + datagram.time
      transport.connection?.onPacket(bytes)
    }
    time = until
    clock.now = base + until
  }

  const partAt = (at: number): number => {
    const later = recording.parts.findIndex(({ start }) => start > at)
    return (later < 0 ? recording.parts.length : later) - 1
  }

  const replay: Replay = {
    recording,
    get time() {
      return time
    },
    get isPlaying() {
      return isPlaying
    },
    speed: 1,
    client: player.client,
    play() {
      if (time >= recording.duration) replay.seek(0)
      isPlaying = true
    },
    pause() {
      isPlaying = false
    },
    seek(to) {
      if (isOver) return
      const at = Math.max(0, Math.min(recording.duration, to))
      const target = Math.max(0, partAt(at))
      if (at < time || target > part) restart(target)
      feed(at)
      // What was said on the way is not said now.
      if (shown.session) shown.session.messages.length = 0
    },
    advance(seconds) {
      if (isOver || !isPlaying) return
      const speed = Math.max(0.01, Math.min(16, replay.speed))
      feed(Math.min(recording.duration, time + Math.max(0, seconds) * speed))
      if (time >= recording.duration) isPlaying = false
    },
    stop() {
      if (isOver) return
      isOver = true
      isPlaying = false
      player.client.disconnect()
      player.client.receive(state.world)
      transport.recording = undefined
      Object.assign(client, own)
      clientStates.set(client, state)
      replays.delete(client)
      bringBack(state)
    },
  }
  letGo(state)
  Object.assign(client, Object.fromEntries(SHOWN.map(name => [name, player.client[name]])), { sendUpdate() {} })
  clientStates.set(client, shown)
  transport.recording = recording
  replays.set(client, replay)
  restart(0)
  feed(0)
  return replay
}

/** Removes the entities of a session's objects, which the client then knows nothing of: see LIFECYCLE.md. */
const letGo = ({ session, world }: ClientState): void => {
  if (!session) return
  const eids = [...session.byEid.keys(), ...Array.from(session.disabled.values(), ({ eid }) => eid)]
  for (const eid of eids) removeEntity(world, eid)
}

/** Has everything that a session knows of looked at again. */
const bringBack = ({ session }: ClientState): void => {
  for (const group of session?.replica.groups.values() ?? []) if (group.history.frames.length > 0) group.isDirty = true
}
