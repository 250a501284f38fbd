import { addComponent, addEntity, createWorld, query } from 'bitecs'
import { Alive, createClient } from 'bitecs-pipes/client'
import { memoryNetwork } from 'bitecs-pipes/memory'
import { dclass, defineSchema, field, int16, struct, uint8 } from 'bitecs-pipes/schema'
import { createServer } from 'bitecs-pipes/server'
import { KINDS, poseAt, type Pose } from './paths.ts'

/** Ticks and datagrams a second. */
export const TICK_RATE = 60
export const UPDATE_RATE = 20

const ZONE = 1

/** A set of components; the two worlds of this page need one each. Metres to a centimetre, degrees to a tenth. */
const makeSchema = () => {
  const Point = struct({ x: int16({ divisor: 100 }), y: int16({ divisor: 100 }) })
  const Mover = dclass({
    position: field(Point, 'broadcast', 'interp_hermite'),
    heading: field(int16({ divisor: 10, modulus: 360 }), 'broadcast', 'interp_angle'),
    kind: field(uint8(), 'broadcast'),
  })
  return defineSchema({ Point, Mover }, { capacity: 64 })
}

/** A server and a client in this page, and a bad link between them: each has a world and columns of its own. */
export const createStage = (now: () => number) => {
  const network = memoryNetwork()
  const ours = makeSchema()
  const theirs = makeSchema()
  const serverWorld = createWorld()
  const world = createWorld()
  const server = createServer(serverWorld, ours, { transport: network.server, tickRate: TICK_RATE, now })
  const client = createClient(world, theirs, { transport: network.client(), updateRate: UPDATE_RATE, now })
  const { Mover } = theirs.dclasses
  const movers = Array.from({ length: KINDS }, (_, kind) => {
    const eid = addEntity(serverWorld)
    addComponent(serverWorld, eid, ours.dclasses.Mover)
    ours.dclasses.Mover.kind[eid] = kind
    server.place(eid, ZONE)
    return eid
  })
  const pose: Pose = { x: 0, y: 0, heading: 0 }
  let ticks = 0
  const startedAt = now()

  return {
    network,
    client,
    world,
    Mover,
    /** Seconds of the server's story: what `poseAt` is asked for. */
    serverTime: () => now() - startedAt,
    /** The server's ticks that are due. */
    step() {
      const due = Math.floor((now() - startedAt) * TICK_RATE)
      // A hidden tab has missed some: nobody saw them.
      if (due - ticks > TICK_RATE) ticks = due - 1
      while (ticks < due) {
        ticks++
        server.receive(serverWorld)
        movers.forEach((eid, kind) => {
          poseAt(kind, ticks / TICK_RATE, pose)
          ours.dclasses.Mover.position.x[eid] = pose.x
          ours.dclasses.Mover.position.y[eid] = pose.y
          ours.dclasses.Mover.heading[eid] = pose.heading
        })
        server.replicate(serverWorld)
      }
    },
    /** Seconds by which a server tick is older than the newest one. */
    ageOfTick: (tick: number) => (server.tick - tick) / TICK_RATE,
    tick: () => server.tick,
    async connect() {
      await client.connect()
      await client.interest.set([ZONE])
    },
    /** The entities of the client's world by kind. */
    shown(): number[] {
      const eids: number[] = []
      for (const eid of query(world, [Mover, Alive])) eids[Mover.kind[eid]!] = eid
      return eids
    },
  }
}
