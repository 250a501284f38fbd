import { PERFECT_LINK } from '../net/conditioner.ts'
import type { LinkPair } from '../net/memory.ts'
import type { ClientTransport, Connection } from '../net/transport.ts'
import { clientStates, type ClientSession, type ClientState } from '../systems/client-state.ts'
import { conditionConnection, perfectLink } from './conditioned.ts'

/** Sees a datagram as the client sends it, or right before the client gets it. The bytes are not to be changed. */
export type OnDatagram = (session: ClientSession, direction: 'down' | 'up', packet: Uint8Array) => void

/** Something between a client and its transport. */
export interface Tap {
  readonly state: ClientState
  /** What the link is made to be like; may be changed at any time. */
  readonly link: LinkPair
  readonly listeners: Set<OnDatagram>
  /** The session with a server, not one that is replayed. */
  readonly session: ClientSession | undefined
  /** Leaves the client as it was; an open connection goes on through the tap, unchanged. */
  stop(): void
}

/** What is behind a client. Throws for what is none. */
export const stateOf = (client: object, where: string): ClientState => {
  const state = clientStates.get(client)
  if (!state) throw new TypeError(`${where}: give a client of createClient() from "bitecs-pipes/client".`)
  return state
}

/** Taps a client, connected or not. */
export const tapClient = (state: ClientState): Tap => {
  const link = perfectLink()
  const listeners = new Set<OnDatagram>()
  const changing = state as { -readonly [Key in keyof ClientState]: ClientState[Key] }
  const { transport } = state
  let session: ClientSession | undefined

  /** Between a connection and its client; which session that is shows with the first datagram. */
  const between = (inner: Connection, own: () => ClientSession | undefined): Connection => {
    const tell = (direction: 'down' | 'up') => (packet: Uint8Array) => {
      const of = own()
      if (!of) return
      session = of
      for (const listener of listeners) listener(of, direction, packet)
    }
    return conditionConnection(inner, link, tell('up'), tell('down'))
  }

  const tapped: ClientTransport = {
    connect() {
      const open = (inner: Connection): Connection => {
        let own: ClientSession | undefined
        const outer = between(inner, () => {
          // A session that is replayed takes the place of the one with the server, whose datagrams go on.
          if (state.session?.connection === outer) own = state.session
          return own
        })
        return outer
      }
      const opening = transport.connect()
      return opening instanceof Promise ? opening.then(open) : open(opening)
    },
  }
  changing.transport = tapped
  const open = state.session
  if (open) {
    session = open
    const { connection } = open
    const { onPacket, onClose } = connection
    const outer = between(connection, () => open)
    outer.onPacket = onPacket
    outer.onClose = onClose
    ;(open as { connection: Connection }).connection = outer
  }
  return {
    state,
    link,
    listeners,
    get session() {
      return session && !session.isOver ? session : undefined
    },
    stop() {
      for (const way of ['up', 'down'] as const) Object.assign(link[way], PERFECT_LINK)
      listeners.clear()
      if (state.transport === tapped) changing.transport = transport
    },
  }
}
