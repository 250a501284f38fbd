import { query } from 'bitecs'
import { createDice } from 'bitecs-pipes/testing'
import type { LinkConditions } from '../../src/net/conditioner.ts'
import { createWorlds, spawn, type Guest, type Worlds } from '../support/worlds.ts'

export const dc = `
keyword interp_linear;
struct Vec2 { int16/10 x; int16/10 y; };
dclass Avatar {
  Vec2 position broadcast ram ownsend interp_linear;
  string(0-24) name required broadcast ram;
  string(0-4000) story broadcast;
  uint8(0-100) health = 100 broadcast ram;
  uint16 gold ownrecv;
  say(string(1-200) text) ownsend;
  said(string(1-200) text) broadcast;
};
dclass Rock { Vec2 position broadcast ram; uint8 size broadcast; };
`

/** A server with creatures that walk about in zone 1, and one guest that sees them and owns one. */
export const openScene = async (conditions: Partial<LinkConditions> = {}, server = {}) => {
  const worlds: Worlds = createWorlds(dc, { conditions, server, seed: 7 })
  const { Avatar, Rock } = worlds.schema.dclasses as any
  const dice = createDice(5)
  const first = spawn(worlds, 'Avatar', { name: 'the storyteller' }, 1)
  for (let count = 1; count < 20; count++)
    spawn(worlds, 'Avatar', { position: { x: dice.below(1000), y: dice.below(1000) }, name: `creature ${count}` }, 1)
  for (let count = 0; count < 70; count++) spawn(worlds, 'Rock', { position: { x: count, y: 2 }, size: count }, 1)
  const heading = new Map<number, number>()
  let ticks = 0
  worlds.game = () => {
    // In many pieces, so that a recording begins in the middle of one.
    if (++ticks % 20 === 0) Avatar.story[first] = String(ticks).repeat(900)
    for (const eid of query(worlds.world, [Avatar])) {
      if (worlds.schema.DistributedObject.owner[eid] !== 0) continue
      const turned = (heading.get(eid) ?? 0) + (dice.below(100) - 50) / 100
      heading.set(eid, turned)
      Avatar.position.x[eid] += Math.cos(turned)
      Avatar.position.y[eid] += Math.sin(turned)
      if (dice.chance(0.01)) Avatar.health[eid] = dice.below(100)
    }
    for (const eid of query(worlds.world, [Rock])) if (dice.chance(0.002)) Rock.size[eid] = dice.below(200)
  }
  return { worlds, Avatar, Rock }
}

/** What a guest's world shows: each object's numbers as text, by doId, sorted. */
export const shownBy = ({ world, schema }: Guest): string[] => {
  const { doId, zone, owner } = schema.DistributedObject
  const { Avatar, Rock } = schema.dclasses as any
  const avatars = Array.from(query(world, [Avatar]), eid =>
    [doId[eid], zone[eid], owner[eid], Avatar.name[eid], Avatar.health[eid], Avatar.story[eid].slice(0, 8)].join(' '),
  )
  const rocks = Array.from(query(world, [Rock]), eid => [doId[eid], zone[eid], Rock.size[eid]].join(' '))
  return [...avatars, ...rocks].sort()
}
