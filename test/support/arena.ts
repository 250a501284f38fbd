import { addComponent, addEntity, query, removeEntity } from 'bitecs'
import { random } from '../../src/net/random.ts'
import type { Guest, Worlds } from './worlds.ts'

/** A schema with one of everything that state can be. */
export const ARENA = `
keyword interp_linear interp_angle;
struct Vec3 { int16/100 x; int16/100 y; int32/1000(-4000 - 4000) z; };
dclass Node { Vec3 position broadcast ram ownsend interp_linear; };
dclass Avatar : Node {
  string(0-24) name required broadcast ram;
  int16/10%360 heading broadcast ram ownsend interp_angle;
  uint8(0-100) health = 100 broadcast ram;
  uint16 gold ownrecv;
  string(0-40) secret ownrecv;
  string(0-24) motto broadcast ram ownsend;
  uint16 aim ownrecv ownsend;
  uint32 internal airecv;
};
dclass Crate : Node { float64 weight broadcast; int64 serial broadcast; uint8 contents[] broadcast; uint8 open broadcast; };
`

/** A server game that moves, spawns, removes and hands things round at random. */
export const createChaos = (worlds: Worlds, seed: number) => {
  const { world, schema, server } = worlds
  const { Avatar, Crate, Node } = schema.dclasses
  const chance = random(seed)
  const pick = (count: number) => Math.floor(chance() * count)
  const zone = () => 1 + pick(4)

  const spawn = () => {
    const eid = addEntity(world)
    if (chance() < 0.6) {
      addComponent(world, eid, Avatar)
      Avatar.name[eid] = `n${pick(1000)}`
    } else {
      addComponent(world, eid, Crate)
      Crate.weight[eid] = chance() * 10
      Crate.serial[eid] = BigInt(pick(1e9)) * 7_000_000_001n
      Crate.contents[eid] = Array.from({ length: pick(5) }, () => pick(256))
    }
    const clients = [...server.clients.values()]
    const owner = chance() < 0.3 ? clients[pick(clients.length)] : undefined
    server.place(eid, zone(), owner ?? 0)
    return eid
  }

  const step = () => {
    const eids = [...query(world, [Node])]
    if (eids.length < 30 && chance() < 0.2) spawn()
    for (const eid of eids) {
      const luck = chance()
      if (luck < 0.3) {
        Node.position.x[eid] = chance() * 600 - 300
        Node.position.z[eid] += chance() < 0.5 ? 0.01 : -0.01
      }
      if (luck < 0.02) server.place(eid, zone())
      else if (luck < 0.025) removeEntity(world, eid)
      else if (luck < 0.035 && 'name' in Avatar) server.place(eid, zone(), 0)
    }
    for (const eid of query(world, [Avatar])) {
      if (chance() < 0.05) Avatar.health[eid] = pick(101)
      if (chance() < 0.1) Avatar.heading[eid] = chance() * 1000 - 500
      if (chance() < 0.02) Avatar.name[eid] = `r${pick(1000)}`
      if (chance() < 0.05) Avatar.gold[eid] = pick(60000)
      if (chance() < 0.02) Avatar.secret[eid] = `s${pick(1000)}`
      // These are the owner's to write, too: the server overrules it.
      if (chance() < 0.02) Avatar.motto[eid] = `server ${pick(1000)}`
      if (chance() < 0.02) Avatar.aim[eid] = pick(60000)
    }
    for (const eid of query(world, [Crate])) {
      if (chance() < 0.02) Crate.contents[eid] = Array.from({ length: pick(6) }, () => pick(256))
      if (chance() < 0.05) Crate.weight[eid] = chance() * 10
    }
  }
  return { spawn, step }
}

const quantised = (value: number, divisor: number) => Math.floor(value * divisor + 0.5)
const turned = (value: number) => Math.floor(((((value * 10) % 3600) + 3600) % 3600) + 0.5) % 3600

type Side = { readonly world: any; readonly schema: any }

/** Everything that a viewer may know of an object, as plain data. */
export const describe = ({ world, schema }: Side, eid: number, isOwner: boolean): Record<string, unknown> => {
  const { Avatar, Crate, Node } = schema.dclasses
  const { DistributedObject } = schema
  const { position } = Node
  const isAvatar = query(world, [Avatar]).includes(eid as never)
  const common = {
    class: isAvatar ? 'Avatar' : 'Crate',
    zone: DistributedObject.zone[eid],
    owner: DistributedObject.owner[eid],
    x: quantised(position.x[eid], 100),
    y: quantised(position.y[eid], 100),
    z: quantised(position.z[eid], 1000),
  }
  if (!isAvatar)
    return {
      ...common,
      weight: Crate.weight[eid],
      serial: Crate.serial[eid],
      contents: [...Crate.contents[eid]],
      open: Crate.open[eid],
    }
  return {
    ...common,
    name: Avatar.name[eid],
    heading: turned(Avatar.heading[eid]),
    health: Avatar.health[eid],
    gold: isOwner ? Avatar.gold[eid] : 0,
    secret: isOwner ? Avatar.secret[eid] : '',
    motto: Avatar.motto[eid],
    aim: isOwner ? Avatar.aim[eid] : 0,
  }
}

/** What the server's world holds in these zones, by doId, as client `clientId` may know it. */
export const projection = (worlds: Worlds, zones: ReadonlySet<number>, clientId: number): Map<number, unknown> => {
  const { DistributedObject, dclasses } = worlds.schema
  const seen = new Map<number, unknown>()
  for (const eid of query(worlds.world, [dclasses.Node])) {
    const isOwner = DistributedObject.owner[eid] === clientId
    if (!zones.has(DistributedObject.zone[eid]!) && !isOwner) continue
    seen.set(DistributedObject.doId[eid]!, describe(worlds, eid, isOwner))
  }
  return seen
}

/** What a client's world holds, by doId. */
export const visible = (guest: Guest): Map<number, unknown> => {
  const { DistributedObject, dclasses } = guest.schema
  const seen = new Map<number, unknown>()
  for (const eid of query(guest.world, [dclasses.Node]))
    seen.set(DistributedObject.doId[eid]!, describe(guest, eid, DistributedObject.owner[eid] === guest.client.clientId))
  return seen
}

/** A map as a sorted list, for comparison with a readable difference. */
export const sorted = (objects: Map<number, unknown>) => [...objects].sort(([a], [b]) => a - b)
