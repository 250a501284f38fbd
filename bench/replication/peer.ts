import type { Frame, Scene } from './scene.ts'

/** A replication library in the harness: a server, and clients that decode what it sends. */
export interface Peer {
  /** Timed: takes in what clients answered, and brings the library's own objects to the frame. */
  update(frame: Frame): void
  /** Timed: the messages to each client. */
  encode(frame: Frame): readonly (readonly Uint8Array[])[]
  /** An answer of a client reached the server; it is looked at in the next update. */
  answer?(client: number, bytes: Uint8Array): void
  /** What a client answers that received and decoded all of these, for those that do not really decode. */
  answerFor?(client: number, messages: readonly Uint8Array[]): Uint8Array | undefined
  /** The client's side. */
  view(client: number): Viewer
}

export interface Viewer {
  /** Decodes what came in. Returns what goes back to the server. */
  receive(messages: readonly Uint8Array[]): readonly Uint8Array[]
  /** How many objects it sees, and whether one of them. */
  count(): number
  has(slot: number): boolean
  value(slot: number, field: number): number
  name(slot: number): string
}

/** Makes a peer for a scene and so many clients, all of which are there from the first tick. */
export type CreatePeer = (scene: Scene, clients: number) => Peer

export const NOTHING: readonly Uint8Array[] = []
