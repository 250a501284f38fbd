import { createWorld, query, type World } from 'bitecs'
import { createClient, Owned } from 'bitecs-pipes/client'
import { geckos } from 'bitecs-pipes/geckos/client'
import schema, { Cube, Player, Scene } from '../../../dc/cubes.dc'
import { CODECS, SMALL_CUBES, ZONE, type Codec } from '../scene.ts'

/** One world and one client, which sees the cubes through the one server or the other. */
export const createSession = (
  port: number,
  { onAway, onLost }: { onAway: (isAway: boolean) => void; onLost: () => void },
  world: World = createWorld(),
) => {
  /** By this the simulation knows a player again who comes back to the other server. */
  const ticket = Array.from(crypto.getRandomValues(new Uint8Array(12)), byte => byte.toString(36)).join('')
  let codec: Codec = 'range'
  let attempts = 0
  let isLeaving = false
  const client = createClient(world, schema, {
    transport: { connect: () => geckos({ port: port + CODECS.indexOf(codec) }).connect() },
    updateRate: 60,
    commandRate: 60,
  })
  client.onSuspend(() => onAway(true))
  client.onResume(() => onAway(false))
  client.onDisconnect(() => {
    if (!isLeaving) onLost()
  })

  const leave = (): void => {
    isLeaving = true
    client.disconnect()
    client.receive(world)
    isLeaving = false
  }

  return {
    world,
    client,
    get codec() {
      return codec
    },
    /** Resolves once the cubes are here; with false when it was called again before that. Rejects with a `ConnectError`. */
    async enter(wanted: Codec): Promise<boolean> {
      const attempt = ++attempts
      leave()
      codec = wanted
      try {
        await client.connect({ ticket })
        await client.interest.set([ZONE])
      } catch (error) {
        if (attempt === attempts) throw error
      }
      return attempt === attempts
    },
    leave,
    me: (): number | undefined => query(world, [Player, Owned])[0],
    cubes: () => query(world, [Cube]),
    players: () => query(world, [Player]),
    /** Whether all of the scene is here; while the server is changed it is not. */
    isWhole: (): boolean => client.state === 'connected' && query(world, [Cube]).length > SMALL_CUBES,
    /** What the servers count: see `dc/cubes.dc`. */
    counts(): { ticks: number; changes: number } {
      const eid = query(world, [Scene])[0]
      return eid === undefined ? { ticks: 0, changes: 0 } : { ticks: Scene.ticks[eid]!, changes: Scene.changes[eid]! }
    },
    steer(x: number, y: number, force: number): void {
      const eid = query(world, [Player, Owned])[0]
      if (eid === undefined) return
      Player.steering.x[eid] = x
      Player.steering.y[eid] = y
      Player.steering.force[eid] = force
    },
  }
}

export type Session = ReturnType<typeof createSession>
