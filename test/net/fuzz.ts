import { query } from 'bitecs'
import {
  byteReader,
  byteWriter,
  readU8,
  writeBytes,
  writeU16,
  writeU32,
  writeU8,
  writeVarint,
} from '../../src/net/bytes.ts'
import { encodeChallenge, encodeResponse } from '../../src/net/challenge.ts'
import { encodeResume } from '../../src/net/resume.ts'
import { TOKEN } from '../../src/net/hello.ts'
import { Chunk, Control, HEADER, Kind, openPacket, readHeader } from '../../src/net/packet.ts'
import { random } from '../../src/net/random.ts'
import { MAX_PACKET, type ClientTransport, type Connection } from '../../src/net/transport.ts'
import { ARENA, createChaos, projection, sorted, visible } from '../support/arena.ts'
import { createWorlds, type Guest } from '../support/worlds.ts'
import { mutate } from './support.ts'

/** Datagrams kept for replays and mutations, of each direction. */
const POOL = 2000
/** Hostile datagrams to the server in a frame: more than its inbox of 256 a tick takes from one connection. */
const BURST = 160
const ATTACKERS = 4

export interface FuzzCounts {
  /** Hostile datagrams to the server, and what it refused of them. */
  toServer: number
  readonly violations: Record<string, number>
  /** Hostile datagrams to clients, and how many clients it took. */
  toClients: number
  victims: number
  /** What clients counted. */
  malformedAtClients: number
  undecodable: number
  /** Connections that attackers opened: the server closed the ones before. */
  attacks: number
  /** What honest clients see beside what they should see, at the end. */
  readonly differences: [unknown, unknown][]
  /** States of honest clients. */
  readonly states: string[]
}

type Chance = () => number

const pick = <T>(items: readonly T[], chance: Chance): T => items[Math.floor(chance() * items.length)]!

const randomBytes = (most: number, chance: Chance): Uint8Array =>
  Uint8Array.from({ length: Math.floor(chance() * most) }, () => Math.floor(chance() * 256))

/** A data packet whose header is right, so that its chunks are looked at. */
const dataPacket = (sequence: number, chunks: Uint8Array, tick = 0): Uint8Array => {
  const writer = byteWriter(HEADER + chunks.length)
  writeU8(writer, Kind.data)
  writeU16(writer, sequence & 0xffff)
  writeU16(writer, tick)
  writeBytes(writer, chunks)
  return writer.bytes.subarray(0, MAX_PACKET)
}

/** What stands behind the header of a data packet, and its tick; of another kind, what is behind as many bytes. */
const openData = (packet: Uint8Array): { chunks: Uint8Array; tick: number } => {
  const { kind, reader } = openPacket(packet)
  const tick = kind === Kind.data ? readHeader(reader).tick : 0
  return { chunks: packet.subarray(kind === Kind.data ? reader.position : HEADER), tick }
}

/** A fragment that holds a whole reliable message of rubbish which looks a little like one. */
const fragmentChunk = (sequence: number, chance: Chance): Uint8Array => {
  const writer = byteWriter(300)
  writeU8(writer, Chunk.fragment)
  writeU16(writer, sequence & 0xffff)
  writeU8(writer, 1)
  const body = byteWriter(256)
  const control = pick([...Object.values(Control), 99], chance)
  writeU8(body, control)
  if (control === Control.interest) {
    writeU16(body, Math.floor(chance() * 0x10000))
    writeU8(body, Math.floor(chance() * 4))
    writeU16(body, Math.floor(chance() * 8))
    for (let zone = 0; zone < 6; zone++) writeVarint(body, Math.floor(chance() * 8))
  } else {
    writeU32(body, Math.floor(chance() * 60))
    writeVarint(body, Math.floor(chance() * 16))
    writeBytes(body, randomBytes(60, chance))
  }
  const bytes = body.bytes.subarray(0, body.length)
  writeVarint(writer, bytes.length)
  writeBytes(writer, bytes)
  return writer.bytes.slice(0, writer.length)
}

/** An upload of some object, a write or a message, with random content of a likely length. */
const looseChunk = (chance: Chance, doIds: readonly number[]): Uint8Array => {
  const writer = byteWriter(100)
  const isUpload = chance() < 0.7
  const isWrite = !isUpload && chance() < 0.5
  writeU8(writer, isUpload ? Chunk.upload : isWrite ? Chunk.write : Chunk.message)
  writeU32(writer, doIds.length > 0 ? pick(doIds, chance) : 1)
  if (!isUpload) writeVarint(writer, Math.floor(chance() * 16))
  if (isUpload || isWrite) writeU8(writer, Math.floor(chance() * (isWrite ? 256 : 3)))
  const bytes =
    chance() < 0.8 ? Uint8Array.from({ length: chance() < 0.5 ? 8 : 6 }, () => chance() * 256) : randomBytes(40, chance)
  writeVarint(writer, bytes.length)
  writeBytes(writer, bytes)
  return writer.bytes.slice(0, writer.length)
}

/** Segments of rubbish for groups that may be there, or hashes that are not theirs. */
const stateChunk = (chance: Chance, usesBefore: boolean): Uint8Array => {
  const writer = byteWriter(600)
  const isAudit = chance() < 0.3
  writeU8(writer, isAudit ? Chunk.audit : Chunk.state)
  if (!isAudit && usesBefore) writeU8(writer, chance() < 0.7 ? 0 : Math.floor(chance() * 4))
  if (!isAudit) writeVarint(writer, Math.floor(chance() * 4) * 16 + (usesBefore ? Math.floor(chance() * 4) : 0))
  for (let count = Math.floor(chance() * 6); count > 0; count--) {
    const kind = isAudit ? 0 : Math.floor(chance() * 3)
    const bytes = randomBytes(60, chance)
    const step = 1 + Math.floor(chance() * 4)
    if (isAudit) writeVarint(writer, 1 + Math.floor(chance() * 8))
    else if (kind === 0 && step < 4) writeVarint(writer, bytes.length * 4 + step)
    else {
      writeVarint(writer, bytes.length * 4)
      writeVarint(writer, step * 4 + kind)
    }
    if (isAudit || kind > 0) writeVarint(writer, Math.floor(chance() * 5))
    if (isAudit) writeU16(writer, Math.floor(chance() * 0x10000))
    if (kind === 1) writeVarint(writer, Math.floor(chance() * 8))
    if (kind === 1 && usesBefore) writeVarint(writer, Math.floor(chance() * 8))
    if (kind === 2) writeVarint(writer, Math.floor(chance() * 20))
    if (kind === 2) writeVarint(writer, Math.floor(chance() * 6))
    if (!isAudit) writeBytes(writer, bytes)
  }
  writeVarint(writer, 0)
  if (!isAudit) writeU8(writer, chance() < 0.8 ? 0 : Math.floor(chance() * 256))
  return writer.bytes.slice(0, writer.length)
}

/** Somebody who wants to go on with another's session, or answers what nobody asked; or asks what no server asks. */
const credentials = (chance: Chance): Uint8Array => {
  const nonce = Math.floor(chance() * 3)
  const bytes = randomBytes(64, chance)
  const token = Uint8Array.from({ length: TOKEN }, () => Math.floor(chance() * 256))
  const packet = pick(
    [
      encodeResume({ nonce, clientId: 1 + Math.floor(chance() * 6), token }),
      encodeChallenge({ nonce, timeLimit: 1, bytes }),
      encodeResponse({ nonce, bytes }),
    ],
    chance,
  )
  return chance() < 0.5 ? packet : mutate(packet, chance).subarray(0, MAX_PACKET)
}

/** One hostile end: it keeps count of what a receiver expects next, so that it is listened to. */
const createAttacker = (
  chance: Chance,
  pool: readonly Uint8Array[],
  doIds: () => readonly number[],
  usesBefore: boolean,
) => {
  // Ahead of every recorded one: else a replay, once accepted, would make what we number ourselves look old.
  let sequence = 0x6000
  let fragments = 0
  return (): Uint8Array => {
    const recorded = pool.length > 0 ? pick(pool, chance) : new Uint8Array()
    const { chunks, tick } = openData(recorded)
    const luck = chance()
    if (luck < 0.02) return credentials(chance)
    if (luck < 0.1) return randomBytes(MAX_PACKET, chance)
    if (luck < 0.2) return recorded
    if (luck < 0.35) return mutate(recorded, chance).subarray(0, MAX_PACKET)
    if (luck < 0.55) return dataPacket(sequence++, mutate(chunks, chance).subarray(0, MAX_PACKET - HEADER), tick)
    if (luck < 0.65) return dataPacket(sequence++, chunks, tick)
    if (luck < 0.75) return dataPacket(sequence++, stateChunk(chance, usesBefore), tick)
    return dataPacket(sequence++, chance() < 0.5 ? fragmentChunk(fragments++, chance) : looseChunk(chance, doIds()))
  }
}

/** A transport that also tells what connection the client got. */
const spied = (transport: ClientTransport, onConnection: (connection: Connection) => void): ClientTransport => ({
  async connect() {
    const connection = await transport.connect()
    onConnection(connection)
    return connection
  },
})

/**
 * Runs a game of honest clients while attackers send the server, and a made-up server sends sacrificed clients, `count`
 * hostile datagrams in total: noise, replays, mutations of real ones, and rubbish in sound packets.
 */
export const fuzz = async (count: number, seed: number): Promise<FuzzCounts> => {
  const chance = random(seed)
  const usesBefore = seed % 2 === 0
  const worlds = createWorlds(ARENA, {
    seed,
    // Attackers come and go all the time: their places must not stay taken for long.
    server: { codec: usesBefore ? 'range' : 'plain', resumeTime: 1 },
    conditions: { lag: 0.03, jitter: 0.02, loss: 0.02, reorder: 0.05, duplicate: 0.05 },
  })
  const { network, server } = worlds
  const pools = { up: [] as Uint8Array[], down: [] as Uint8Array[] }
  let isAttacking = false
  network.tap = (direction, packet) => {
    // Real ones only: what attackers send would breed rubbish from rubbish.
    if (isAttacking) return
    const pool = pools[direction]
    if (pool.length < POOL) pool.push(packet)
    else pool[Math.floor(chance() * POOL)] = packet
  }
  const chaos = createChaos(worlds, seed)
  for (let objects = 0; objects < 12; objects++) chaos.spawn()
  worlds.game = chaos.step
  const honest: Guest[] = []
  for (let guest = 0; guest < 2; guest++) {
    const joined = await worlds.join({ name: `g${guest}` })
    joined.client.interest.set([1, 2, 3]).catch(() => {})
    honest.push(joined)
  }
  worlds.run(120)
  // Who joins from now on is given something to write to; the newest objects are the likeliest to be a cheat's.
  server.onJoin(client => {
    for (let objects = 0; objects < 3; objects++) server.place(chaos.spawn(), 1, client)
  })
  const doIds = () =>
    [...query(worlds.world, [worlds.schema.dclasses.Node])]
      .map(eid => worlds.schema.DistributedObject.doId[eid]!)
      .slice(-20)

  const counts: FuzzCounts = {
    toServer: 0,
    violations: { ...server.violations },
    toClients: 0,
    victims: 0,
    malformedAtClients: 0,
    undecodable: 0,
    attacks: 0,
    differences: [],
    states: [],
  }
  const attackers: { connection: Connection; next: () => Uint8Array; isClosed: boolean }[] = []
  const openAttack = async (index: number) => {
    const connection = await network.client().connect()
    const attacker = { connection, next: createAttacker(chance, pools.up, doIds, usesBefore), isClosed: false }
    connection.onPacket = packet => {
      if (readU8(byteReader(packet)) === Kind.bye) attacker.isClosed = true
    }
    connection.onClose = () => (attacker.isClosed = true)
    attackers[index]?.connection.close()
    attackers[index] = attacker
    counts.attacks++
    // A recorded hello lets it in; a quarter stays a stranger.
    const hello = pools.up.find(packet => packet[0] === Kind.hello)
    if (hello && chance() < 0.75) connection.send(hello)
  }
  let victim: { guest: Guest; connection: Connection; next: () => Uint8Array } | undefined
  const openVictim = async () => {
    let connection: Connection | undefined
    const guest = worlds.addGuest({ transport: spied(network.client(), each => (connection = each)) })
    await worlds.settle(guest.client.connect({ name: 'victim' }))
    guest.client.interest.set([1, 2, 3, 4]).catch(() => {})
    victim = { guest, connection: connection!, next: createAttacker(chance, pools.down, doIds, usesBefore) }
    counts.victims++
  }
  const closeVictim = () => {
    if (!victim) return
    const { client } = victim.guest
    counts.malformedAtClients += client.stats.malformed
    counts.undecodable += client.stats.undecodable
    client.disconnect()
    worlds.guests.splice(worlds.guests.indexOf(victim.guest), 1)
    victim = undefined
  }

  for (let frame = 0; counts.toServer + counts.toClients < count; frame++) {
    for (let index = 0; index < ATTACKERS; index++) {
      if (!attackers[index] || attackers[index]!.isClosed || chance() < 0.005) await openAttack(index)
      isAttacking = true
      const size = chance() < 0.05 ? BURST : 20
      for (let sent = 0; sent < size; sent++, counts.toServer++)
        attackers[index]!.connection.send(attackers[index]!.next())
      isAttacking = false
    }
    if (frame % 120 === 0 || victim?.guest.client.state !== 'connected') {
      closeVictim()
      await openVictim()
    }
    for (let sent = 0; sent < 40; sent++, counts.toClients++) victim!.connection.onPacket(victim!.next().slice())
    worlds.run(1)
  }

  closeVictim()
  for (const { connection } of attackers) connection.close()
  worlds.game = () => {}
  worlds.run(300)
  Object.assign(counts.violations, server.violations)
  for (const guest of honest) {
    const { client } = guest
    counts.states.push(client.state)
    counts.differences.push([
      sorted(visible(guest)),
      sorted(projection(worlds, client.interest.zones, client.clientId)),
    ])
  }
  await worlds.end()
  return counts
}
