import { createWorld, observe, onAdd, onRemove, query, type World } from 'bitecs'
import { Alive, createClient, Owned } from 'bitecs-pipes/client'
import { geckos } from 'bitecs-pipes/geckos/client'
import schema, { Avatar, Lobby, Npc } from '../../../dc/lobby.dc'
import { headingOf, keepInGarden, WALK_SPEED, type Point } from '../garden.ts'
import type { Guest } from './join.ts'

/** Seconds without a step after which a player's animal dozes off. */
const DOZE_AFTER = 25
/** Seconds that creatures out of sight stay on the map, `Disabled`, where they were seen last. */
const REMEMBERED = 60

/** What the session tells the page. */
export interface SessionEvents {
  avatarCame(eid: number, own: boolean): void
  avatarWent(eid: number): void
  npcWent(eid: number): void
  said(eid: number, text: string): void
  emoted(eid: number, kind: number): void
  chirped(eid: number): void
  announced(kind: string, name: string): void
  /** The connection broke, and the client tries to come back; then whether it is back. */
  away(isAway: boolean): void
  lost(reason: string): void
}

/** One visit to the garden: a world, a client and the player's own avatar. */
export async function startSession(guest: Guest, port: number, events: SessionEvents) {
  const world: World = createWorld()
  const client = createClient(world, schema, {
    transport: geckos({ port }),
    commandRate: 30,
    disabledTime: REMEMBERED,
    ...(guest.password ? { password: guest.password } : {}),
  })

  observe(world, onAdd(Avatar, Alive), eid => events.avatarCame(eid, query(world, [Avatar, Owned]).includes(eid)))
  observe(world, onRemove(Avatar, Alive), events.avatarWent)
  observe(world, onRemove(Npc, Alive), events.npcWent)
  client.on(Avatar.said, (eid, { text }) => events.said(eid, text))
  client.on(Npc.chirp, eid => events.chirped(eid))
  client.on(Lobby.announce, (_eid, { kind, name }) => events.announced(kind, name))
  client.on(Avatar.emote, (eid, { kind }) => {
    if (eid !== me()) events.emoted(eid, kind)
  })
  client.onSuspend(() => events.away(true))
  client.onResume(() => events.away(false))
  client.onDisconnect(reason => events.lost(String(reason)))

  await client.connect({ name: guest.name, look: guest.look })

  const me = (): number | undefined => query(world, [Avatar, Owned])[0]
  /** The same in a recording, where it is nobody's to walk. */
  const mine = (): number | undefined =>
    query(world, [Avatar]).find(eid => schema.DistributedObject.owner[eid] === client.clientId)
  let idle = 0

  /** Walks the player's own avatar: its owner writes its position. */
  function walk(direction: Point, dt: number): void {
    const eid = me()
    if (eid === undefined) return
    const pace = Math.hypot(direction.x, direction.y)
    idle = pace > 0 ? 0 : idle + dt
    Avatar.mood[eid] = idle > DOZE_AFTER ? 1 : 0
    if (pace === 0) return
    const next = {
      x: Avatar.position.x[eid]! + direction.x * WALK_SPEED * dt,
      y: Avatar.position.y[eid]! + direction.y * WALK_SPEED * dt,
    }
    keepInGarden(next)
    Avatar.position.x[eid] = next.x
    Avatar.position.y[eid] = next.y
    Avatar.heading[eid] = headingOf(direction.x, direction.y)
  }

  function say(text: string): void {
    const eid = me()
    if (eid !== undefined) client.sendUpdate(eid, Avatar.say, { text })
  }

  function emote(kind: number): void {
    const eid = me()
    if (eid === undefined) return
    idle = 0
    client.sendUpdate(eid, Avatar.emote, { kind })
    events.emoted(eid, kind)
  }

  const population = (): number => {
    const lobby = query(world, [Lobby])[0]
    return lobby === undefined ? 0 : Lobby.population[lobby]!
  }

  return { world, client, me, mine, walk, say, emote, population }
}

export type Session = Awaited<ReturnType<typeof startSession>>
