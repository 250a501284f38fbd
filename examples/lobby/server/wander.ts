import { addComponent, addEntity, query, type World } from 'bitecs'
import { Avatar, Npc } from '../../../dc/lobby.dc'
import { headingOf, keepInGarden, NPC_KINDS, PLOT, SIZE, type Point } from '../garden.ts'

/** What each kind is like: snail, beetle, hedgehog, moth, frog, duckling. Speeds are units a second, rests seconds. */
const KINDS = [
  { speed: 9, rest: 3, reach: 60, shy: 0, fond: 0 },
  { speed: 26, rest: 2, reach: 120, shy: 26, fond: 0 },
  { speed: 22, rest: 4, reach: 160, shy: 34, fond: 0 },
  { speed: 34, rest: 0.2, reach: 140, shy: 0, fond: 150 },
  { speed: 46, rest: 2.5, reach: 70, shy: 40, fond: 0 },
  { speed: 24, rest: 1.5, reach: 130, shy: 0, fond: 90 },
] as const

interface Mind {
  home: Point
  target: Point
  /** Seconds until it sets off again. */
  rest: number
  /** Seconds until it may chirp again. */
  quiet: number
}

/** The creatures of the garden: `spawn` them once, run the `system` each tick. */
export function createWander(onChirp: (eid: number) => void, chance: () => number = Math.random) {
  const between = (low: number, high: number): number => low + chance() * (high - low)
  const minds = new Map<number, Mind>()
  const point: Point = { x: 0, y: 0 }

  function spawn(world: World, count: number, place: (eid: number, x: number, y: number) => void): void {
    // One in each plot in turn, so that no plot is empty.
    for (let n = 0; n < count; n++) {
      const plot = n % (SIZE / PLOT) ** 2
      point.x = ((plot % (SIZE / PLOT)) + between(0.1, 0.9)) * PLOT
      point.y = (Math.floor(plot / (SIZE / PLOT)) + between(0.1, 0.9)) * PLOT
      keepInGarden(point)
      const eid = addEntity(world)
      addComponent(world, eid, Npc)
      Npc.kind[eid] = Math.floor(chance() * NPC_KINDS)
      Npc.position.x[eid] = point.x
      Npc.position.y[eid] = point.y
      Npc.heading[eid] = between(0, 360)
      minds.set(eid, { home: { ...point }, target: { ...point }, rest: between(0, 4), quiet: between(2, 8) })
      place(eid, point.x, point.y)
    }
  }

  function nearestAvatar(players: Iterable<number>, x: number, y: number, within: number): number {
    let nearest = -1
    let best = within
    for (const eid of players) {
      const distance = Math.hypot(Avatar.position.x[eid]! - x, Avatar.position.y[eid]! - y)
      if (distance < best) {
        best = distance
        nearest = eid
      }
    }
    return nearest
  }

  function think(eid: number, mind: Mind, players: Iterable<number>): void {
    const kind = KINDS[Npc.kind[eid]!]!
    const x = Npc.position.x[eid]!
    const y = Npc.position.y[eid]!
    const friend = kind.fond ? nearestAvatar(players, x, y, kind.fond) : -1
    const around = friend < 0 ? mind.home : { x: Avatar.position.x[friend]!, y: Avatar.position.y[friend]! }
    const reach = friend < 0 ? kind.reach : 46
    mind.target.x = around.x + between(-reach, reach)
    mind.target.y = around.y + between(-reach, reach)
    keepInGarden(mind.target)
    mind.rest = friend < 0 ? between(0.3, 1) * kind.rest : between(0.1, 0.6)
  }

  function flee(eid: number, mind: Mind, from: number): void {
    const x = Npc.position.x[eid]!
    const y = Npc.position.y[eid]!
    const dx = x - Avatar.position.x[from]!
    const dy = y - Avatar.position.y[from]!
    const distance = Math.hypot(dx, dy) || 1
    mind.target.x = x + (dx / distance) * 50
    mind.target.y = y + (dy / distance) * 50
    keepInGarden(mind.target)
    mind.rest = between(0.6, 1.4)
  }

  function walk(eid: number, mind: Mind, dt: number): boolean {
    const dx = mind.target.x - Npc.position.x[eid]!
    const dy = mind.target.y - Npc.position.y[eid]!
    const distance = Math.hypot(dx, dy)
    if (distance < 1.5) return false
    const step = Math.min(distance, KINDS[Npc.kind[eid]!]!.speed * dt)
    point.x = Npc.position.x[eid]! + (dx / distance) * step
    point.y = Npc.position.y[eid]! + (dy / distance) * step
    keepInGarden(point)
    // A pond in the way: think of somewhere else to go.
    const stuck = Math.hypot(point.x - Npc.position.x[eid]!, point.y - Npc.position.y[eid]!) < step * 0.3
    Npc.position.x[eid] = point.x
    Npc.position.y[eid] = point.y
    Npc.heading[eid] = headingOf(dx, dy)
    return !stuck
  }

  function system(world: World, dt: number): void {
    const players = query(world, [Avatar])
    for (const [eid, mind] of minds) {
      const shy = KINDS[Npc.kind[eid]!]!.shy
      const threat = shy ? nearestAvatar(players, Npc.position.x[eid]!, Npc.position.y[eid]!, shy) : -1
      if (threat >= 0) flee(eid, mind, threat)
      mind.quiet -= dt
      if (mind.quiet < 0) {
        mind.quiet = between(4, 12)
        if (nearestAvatar(players, Npc.position.x[eid]!, Npc.position.y[eid]!, 110) >= 0) onChirp(eid)
      }
      if (walk(eid, mind, dt)) continue
      mind.rest -= dt
      if (mind.rest <= 0) think(eid, mind, players)
    }
  }

  return { spawn, system }
}
