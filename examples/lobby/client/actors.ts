import { Container, type Sprite } from 'pixi.js'
import { hasComponent, query, type World } from 'bitecs'
import { Alive, Owned } from 'bitecs-pipes/client'
import { Avatar, Npc } from '../../../dc/lobby.dc'
import { avatarPictures, npcPictures } from './critters.ts'
import { glow, sprite, type Stage } from './stage.ts'

interface AvatarView {
  root: Container
  own: boolean
  body: Sprite
  feet: [Sprite, Sprite]
  lantern: Sprite
  glow: Sprite
  look: number
  x: number
  y: number
  /** Steps walked; its fraction is the phase of the stride. */
  stride: number
  /** 0 still to 1 walking. */
  pace: number
  /** Seconds since it appeared. */
  age: number
  /** Seconds left of a hop. */
  hop: number
  facing: number
  away: boolean
}

interface NpcView {
  root: Container
  body: Sprite
  shadow: Sprite
  kind: number
  x: number
  y: number
  stride: number
  pace: number
  age: number
  facing: number
  height: number
}

const ENTER_SECONDS = 0.55
const HOP_SECONDS = 0.5
const MOTH = 3
const FROG = 4
/** Units walked for a whole stride, by kind. */
const NPC_STRIDE = [10, 9, 10, 16, 34, 9] as const

/** Overshoots a little, then settles: 0 to 1. */
function settle(t: number): number {
  if (t >= 1) return 1
  const back = t - 1
  return 1 + 2.7 * back * back * back + 1.7 * back * back
}

/** Draws every avatar and creature of the world from its columns. */
export function createActors(stage: Stage, calm: boolean) {
  const avatarArt = avatarPictures()
  const npcArt = npcPictures()
  const avatars = new Map<number, AvatarView>()
  const npcs = new Map<number, NpcView>()

  function shadow(width: number): Sprite {
    const made = sprite(stage.pictures.shadow)
    made.scale.set(stage.pictures.shadow.scale * width)
    return made
  }

  function addAvatar(eid: number, own: boolean): void {
    const look = Avatar.look[eid]! % avatarArt.length
    const art = avatarArt[look]!
    const root = new Container()
    const body = sprite(art.front)
    const feet: [Sprite, Sprite] = [sprite(art.foot, -4.5, 0), sprite(art.foot, 4.5, 0)]
    const lantern = sprite(stage.pictures.handLantern, 14, -12)
    root.addChild(shadow(38), ...(own ? [sprite(stage.pictures.ring)] : []), ...feet, body, lantern)
    const light = glow(stage.pictures.glow, 0, 0, 1, own ? 0.4 : 0.3)
    stage.pools.addChild(light)
    stage.standing.addChild(root)
    const x = Avatar.position.x[eid]!
    const y = Avatar.position.y[eid]!
    avatars.set(eid, {
      root,
      own,
      body,
      feet,
      lantern,
      glow: light,
      look,
      x,
      y,
      stride: 0,
      pace: 0,
      age: 0,
      hop: 0,
      facing: 1,
      away: false,
    })
  }

  function removeAvatar(eid: number): void {
    const view = avatars.get(eid)
    if (!view) return
    view.root.destroy({ children: true })
    view.glow.destroy()
    avatars.delete(eid)
  }

  function addNpc(eid: number): void {
    const kind = Npc.kind[eid]! % npcArt.length
    const root = new Container()
    const body = sprite(npcArt[kind]!)
    const below = shadow(kind === MOTH ? 18 : 30)
    root.addChild(below, body)
    stage.standing.addChild(root)
    const x = Npc.position.x[eid]!
    const y = Npc.position.y[eid]!
    npcs.set(eid, {
      root,
      body,
      shadow: below,
      kind,
      x,
      y,
      stride: Math.random(),
      pace: 0,
      age: 0,
      facing: 1,
      height: 0,
    })
  }

  function removeNpc(eid: number): void {
    npcs.get(eid)?.root.destroy({ children: true })
    npcs.delete(eid)
  }

  /** Moves a view to where its object is now, and tells how fast it went, in units a second. */
  function follow(view: AvatarView | NpcView, x: number, y: number, dt: number, strideLength: number): number {
    const moved = Math.hypot(x - view.x, y - view.y)
    const speed = dt > 0 ? moved / dt : 0
    if (moved < 60) view.stride += moved / strideLength
    view.pace += ((speed > 4 ? 1 : 0) - view.pace) * Math.min(1, dt * 10)
    if (Math.abs(x - view.x) > 0.02) view.facing = x > view.x ? 1 : -1
    view.x = x
    view.y = y
    view.age += dt
    view.root.position.set(x, y)
    view.root.zIndex = y
    return speed
  }

  function showAvatar(eid: number, view: AvatarView, dt: number, time: number): void {
    follow(view, Avatar.position.x[eid]!, Avatar.position.y[eid]!, dt, 30)
    view.hop = Math.max(0, view.hop - dt)
    const heading = (Avatar.heading[eid]! * Math.PI) / 180
    if (Math.abs(Math.cos(heading)) > 0.2) view.facing = Math.cos(heading) > 0 ? 1 : -1
    view.away = Math.sin(heading) < -0.5
    const dozing = Avatar.mood[eid] === 1
    const art = avatarArt[view.look]!
    view.body.texture = (view.away && !dozing ? art.back : dozing ? art.asleep : art.front).texture

    const swing = Math.sin(view.stride * Math.PI * 2)
    const bob = calm ? 0 : Math.abs(swing) * 3.2 * view.pace
    const hop = calm ? 0 : Math.sin((view.hop / HOP_SECONDS) * Math.PI) * 13
    const breath = calm ? 0 : Math.sin(time * (dozing ? 1.3 : 2.6) + eid) * 0.012
    const enter = calm ? 1 : settle(view.age / ENTER_SECONDS)
    view.body.y = -1 - bob - hop
    view.body.rotation = calm ? 0 : swing * 0.06 * view.pace
    view.body.scale.set(
      art.front.scale * view.facing * enter * (1 - breath),
      art.front.scale * enter * (1 + breath) * (dozing ? 0.94 : 1),
    )
    view.feet.forEach((foot, side) => {
      const step = (side ? swing : -swing) * view.pace
      foot.position.set((side ? 4.5 : -4.5) + step * 1.5, -Math.max(0, step) * 3.2 - hop)
      foot.alpha = enter
    })
    view.lantern.position.set(14 * view.facing, -12 - bob * 0.5 - hop)
    view.lantern.rotation = calm ? 0 : swing * 0.25 * view.pace + Math.sin(time * 2 + eid) * 0.05
    view.lantern.scale.set(stage.pictures.handLantern.scale * enter)
    view.glow.position.set(view.x + 8 * view.facing, view.y - 4)
    view.glow.scale.set(
      stage.pictures.glow.scale * 2 * (view.own ? 92 : 66) * enter * (calm ? 1 : 1 + Math.sin(time * 7 + eid) * 0.02),
    )
  }

  function showNpc(eid: number, view: NpcView, dt: number, time: number): void {
    follow(view, Npc.position.x[eid]!, Npc.position.y[eid]!, dt, NPC_STRIDE[view.kind]!)
    const size = Math.min(1, view.age / 0.3)
    const phase = view.stride * Math.PI * 2
    let lift = 0
    let squash = 0
    let wide = 1
    if (view.kind === MOTH) {
      lift = 15 + (calm ? 0 : Math.sin(time * 2.2 + eid) * 5)
      wide = calm ? 1 : 0.55 + Math.abs(Math.sin(time * 9 + eid)) * 0.45
    } else if (view.kind === FROG) {
      lift = Math.abs(Math.sin(phase / 2)) * 11 * view.pace
      squash = lift * 0.012
    } else if (view.kind === 0) squash = Math.sin(phase) * 0.07 * view.pace
    else lift = Math.abs(Math.sin(phase)) * 1.8 * view.pace
    if (calm && view.kind !== MOTH) lift = 0
    const scale = npcArt[view.kind]!.scale * size
    view.body.y = -lift
    view.body.rotation = calm || view.kind < 1 || view.kind === MOTH ? 0 : Math.sin(phase) * 0.05 * view.pace
    view.body.scale.set(scale * view.facing * wide * (1 - squash), scale * (1 + squash))
    view.shadow.alpha = size * (view.kind === MOTH ? 0.5 : 1 - lift * 0.03)
    view.height = lift
  }

  function update(world: World, dt: number, time: number): void {
    for (const eid of query(world, [Avatar, Alive])) {
      if (!avatars.has(eid)) addAvatar(eid, hasComponent(world, eid, Owned))
      showAvatar(eid, avatars.get(eid)!, dt, time)
    }
    for (const eid of query(world, [Npc, Alive])) {
      if (!npcs.has(eid)) addNpc(eid)
      showNpc(eid, npcs.get(eid)!, dt, time)
    }
  }

  function clear(): void {
    for (const eid of avatars.keys()) removeAvatar(eid)
    for (const eid of npcs.keys()) removeNpc(eid)
  }

  function hop(eid: number): void {
    const view = avatars.get(eid)
    if (view) view.hop = HOP_SECONDS
  }

  return { update, clear, hop, removeAvatar, removeNpc }
}

export type Actors = ReturnType<typeof createActors>
