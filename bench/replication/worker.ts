import { bitecs } from './peers/bitecs.ts'
import { colyseus } from './peers/colyseus.ts'
import { geckosSi } from './peers/geckos-si.ts'
import { pipes } from './peers/pipes.ts'
import type { CreatePeer, Peer, Viewer } from './peer.ts'
import { createScene, type Frame, type Scene } from './scene.ts'

// One peer with one scene, in a process of its own: runs when it is told to, so that peers take turns.

const PEERS: Record<string, CreatePeer> = { 'bitecs-pipes': pipes, colyseus, bitecs, 'geckos-si': geckosSi }

/** What a turn of ticks cost: microseconds of the server in each tick, bytes to all clients. */
export interface Turn {
  readonly update: number[]
  readonly encode: number[]
  readonly bytes: number[]
  /** Values compared so far. */
  verified: number
  isOver: boolean
}

/** Clients that really decode; the others only answer. Those at both ends and between. */
const VIEWERS = 8
/** Ticks between two comparisons of everything that they show. */
const VERIFY_EVERY = 10
/** Seconds until a client's answer is at the server: the mean of all, which lie between half of it and one and a half. */
const ROUND_TRIP = 0.1

/** Compares all that a client shows with the scene. Returns how many values that were. */
const verify = (scene: Scene, frame: Frame, client: number, viewer: Viewer): number => {
  const { visible } = frame.clients[client]!
  const fail = (what: string): never => {
    throw new Error(`${scene.name}, tick ${frame.tick}, client ${client}: ${what}`)
  }
  if (viewer.count() !== visible.length) fail(`shows ${viewer.count()} objects instead of ${visible.length}`)
  for (const slot of visible) {
    if (!viewer.has(slot)) fail(`object ${slot} is missing`)
    for (let field = 0; field < scene.fields.length; field++) {
      const value = viewer.value(slot, field)
      const expected = frame.columns[field]![slot]!
      if (value !== expected) fail(`${scene.fields[field]!.name} of ${slot} is ${value} instead of ${expected}`)
    }
    if (scene.hasNames && viewer.name(slot) !== frame.names[slot]) fail(`the name of ${slot} is ${viewer.name(slot)}`)
  }
  return visible.length * (scene.fields.length + (scene.hasNames ? 1 : 0))
}

/** Reads through so many MB: what a server's other work, or its neighbours', may do to the caches between two ticks. */
const createChill = (megabytes: number) => {
  const words = new Int32Array(megabytes * 2 ** 18)
  return () => {
    for (let at = 0; at < words.length; at += 16) words[at]!++
  }
}

const createRun = async (name: string, sceneName: string, clients: number, ticks: number) => {
  const scene = await createScene(sceneName, clients, ticks)
  const peer: Peer = PEERS[name]!(scene, clients)
  const viewers = new Map<number, Viewer>()
  for (let index = 0; index < Math.min(VIEWERS, clients); index++) {
    const client = Math.floor((index * clients) / Math.min(VIEWERS, clients))
    viewers.set(client, peer.view(client))
  }
  const delays = Array.from({ length: clients }, (_, client) =>
    Math.max(1, Math.ceil(ROUND_TRIP * (0.5 + ((client * 0.618) % 1)) * scene.hz)),
  )
  const answers: { due: number; client: number; bytes: Uint8Array }[] = []
  let frame: Frame | undefined
  let tick = 0

  const step = (turn: Turn, isVerifying: boolean): void => {
    frame = scene.step()
    chill()
    for (const { client, bytes } of answers.filter(({ due }) => due === tick)) peer.answer!(client, bytes)
    const start = performance.now()
    peer.update(frame)
    const middle = performance.now()
    const messages = peer.encode(frame)
    const end = performance.now()
    turn.update.push((middle - start) * 1000)
    turn.encode.push((end - middle) * 1000)
    turn.bytes.push(messages.reduce((sum, each) => sum + each.reduce((all, { length }) => all + length, 0), 0))
    answers.splice(0, answers.length, ...answers.filter(({ due }) => due > tick))
    for (let client = 0; client < clients; client++) {
      const viewer = viewers.get(client)
      const replies = viewer ? viewer.receive(messages[client]!) : [peer.answerFor?.(client, messages[client]!)]
      for (const bytes of replies) if (bytes) answers.push({ due: tick + delays[client]!, client, bytes })
    }
    tick++
    if (!isVerifying || (tick % VERIFY_EVERY !== 0 && tick !== ticks)) return
    for (const [client, viewer] of viewers) turn.verified += verify(scene, frame, client, viewer)
  }
  return {
    run(count: number, isVerifying: boolean): Turn {
      const turn: Turn = { update: [], encode: [], bytes: [], verified: 0, isOver: false }
      while (turn.update.length < count && tick < ticks) step(turn, isVerifying)
      turn.isOver = tick >= ticks
      return turn
    },
  }
}

const [name, sceneName, clientsText, ticksText, coldText] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
]
const clients = Number(clientsText)
const ticks = Number(ticksText)
const chill = createChill(Number(coldText ?? 0))
// Once for the compiler, then from the start.
;(await createRun(name, sceneName, clients, ticks)).run(Math.min(ticks, 200), false)
const measured = await createRun(name, sceneName, clients, ticks)
process.on('message', (count: number) => process.send!(measured.run(count, true)))
process.on('disconnect', () => process.exit())
process.send!('ready')
