import { addComponent, addEntity, observe, onAdd, onRemove, removeEntity, type EntityId } from 'bitecs'
import type { ServerClient, Visibility } from 'bitecs-pipes/server'
import { newestFrame } from '../../src/net/frames.ts'
import { random } from '../../src/net/random.ts'
import { ticksSince } from '../../src/net/ticks.ts'
import { clientStates } from '../../src/systems/client-state.ts'
import type { Guest, Worlds } from './worlds.ts'

/** What every object of these tests has: a text and a number, both new with every write, for everyone and for its owner. */
export const SIGHT = `
dclass Thing {
  string mark required broadcast ram;
  uint32 serial broadcast ram;
  string deed ownrecv ram;
  uint32 purse ownrecv ram;
};
`

interface Thing {
  readonly eid: EntityId
  readonly doId: number
  readonly rules: Map<number, Visibility>
  serial: number
  isAlive: boolean
}

interface Eye {
  readonly guest: Guest
  readonly client: ServerClient
  /** Everything that was sent to it, as text in which any string can be found. */
  sent: string
  /** Serials of what it may know, and of what only owners may. */
  readonly allowed: Set<number>
  readonly allowedOwn: Set<number>
  readonly known: Set<number>
  readonly knownOwn: Set<number>
  /** By doId: when it last did not see it, when its entity was made, and what is wrong about its entities. */
  readonly unseen: Map<number, number>
  readonly made: Map<number, number>
  /** Its zones after the last tick, and when it lost one. */
  zones: readonly number[]
  lostZone: number
}

/** Keeps account of who may see what, tick by tick, by rules of its own. */
export const createSight = (worlds: Worlds) => {
  const { server, schema, world, network } = worlds
  const { Thing } = schema.dclasses
  const { zone, owner, doId } = schema.DistributedObject
  const things: Thing[] = []
  const eyes: Eye[] = []
  const faults: string[] = []
  let serials = 1000

  network.tap = (direction, packet, address) => {
    if (direction !== 'down') return
    for (const eye of eyes)
      if (eye.client.address === address) eye.sent += Buffer.from(packet).toString('latin1') + '\n'
  }

  const isOwner = (eye: Eye, thing: Thing) => owner[thing.eid] === eye.client.id

  const maySee = (eye: Eye, thing: Thing): boolean => {
    if (!thing.isAlive || zone[thing.eid] === 0) return false
    if (isOwner(eye, thing)) return true
    const rule = thing.rules.get(eye.client.id) ?? thing.rules.get(0) ?? 'zone'
    return rule === 'always' || (rule === 'zone' && eye.client.zones.has(zone[thing.eid]!))
  }

  /** Everything that a client could read, were it to look behind the curtain. */
  const look = (eye: Eye) => {
    const session = clientStates.get(eye.guest.client)!.session
    if (!session) return
    for (const group of session.replica.groups.values()) {
      const frame = newestFrame(group.history)
      if (!frame) continue
      const known = group.layout.audience === 'owner' ? eye.knownOwn : eye.known
      for (let slot = 0; slot < group.layout.slots; slot++)
        if (frame.ids[slot] !== 0) known.add(frame.rows[slot * group.layout.width + group.layout.width - 1]!)
    }
  }

  const note = () => {
    for (const eye of eyes) {
      if (eye.zones.some(each => !eye.client.zones.has(each))) eye.lostZone = server.tick
      eye.zones = [...eye.client.zones]
      for (const thing of things) {
        if (!maySee(eye, thing)) eye.unseen.set(thing.doId, server.tick)
        else {
          eye.allowed.add(thing.serial)
          if (isOwner(eye, thing)) eye.allowedOwn.add(thing.serial)
        }
      }
    }
  }

  const { replicate } = server
  server.replicate = given => {
    replicate(given)
    note()
  }

  const sight = {
    things,
    eyes,
    faults,
    maySee,
    isOwner,
    watch(guest: Guest): Eye {
      const eye: Eye = {
        guest,
        client: worlds.clientOf(guest),
        sent: '',
        allowed: new Set([0]),
        allowedOwn: new Set([0]),
        known: new Set(),
        knownOwn: new Set(),
        unseen: new Map(),
        made: new Map(),
        zones: [],
        lostZone: -1000,
      }
      eyes.push(eye)
      const state = clientStates.get(guest.client)!
      const ids = guest.schema.DistributedObject.doId
      observe(guest.world, onAdd(guest.schema.dclasses.Thing), eid => {
        const id = ids[eid]!
        eye.made.set(id, state.session?.objects.get(id)?.seenTick ?? server.tick)
      })
      observe(guest.world, onRemove(guest.schema.dclasses.Thing), eid => {
        const id = ids[eid]!
        const unseen = eye.unseen.get(id) ?? -1
        const isOwn = owner[server.entityOf(id)] === eye.client.id
        // What moves on while the zone that it comes from is lost is remade, if it is not one's own: nobody can tell.
        if (!isOwn && ticksSince(server.tick, eye.lostZone) < 30) return
        if (guest.client.state === 'connected' && (unseen < 0 || ticksSince(unseen, eye.made.get(id)!) < 0))
          faults.push(
            `tick ${server.tick}: client ${eye.client.id} lost ${id}, made at ${eye.made.get(id)}, last unseen at ${unseen}`,
          )
      })
      const { play } = guest
      guest.play = () => {
        look(eye)
        play()
      }
      return eye
    },
    write(thing: Thing) {
      thing.serial = serials++
      Thing.mark[thing.eid] = `<m${thing.serial}>`
      Thing.serial[thing.eid] = thing.serial
      Thing.deed[thing.eid] = `<d${thing.serial}>`
      Thing.purse[thing.eid] = thing.serial
      server.markDirty(thing.eid)
    },
    spawn(at: number, whose: ServerClient | 0 = 0): Thing {
      const eid = addEntity(world)
      addComponent(world, eid, Thing)
      const thing: Thing = { eid, doId: doId[eid]!, rules: new Map(), serial: 0, isAlive: true }
      things.push(thing)
      sight.write(thing)
      server.place(eid, at, whose)
      return thing
    },
    show(thing: Thing, visibility: Visibility, client?: ServerClient) {
      server.setVisibility(thing.eid, visibility, client)
      thing.rules.set(client?.id ?? 0, visibility)
    },
    remove(thing: Thing) {
      thing.isAlive = false
      removeEntity(world, thing.eid)
    },
    /** What clients were sent and may not know: texts in the bytes, numbers in the decoded rows. */
    leaks(): string[] {
      return eyes.flatMap(({ client, sent, allowed, allowedOwn, known, knownOwn }) => {
        const marks = [...sent.matchAll(/<m(\d+)>/g)].map(([, serial]) => Number(serial))
        const deeds = [...sent.matchAll(/<d(\d+)>/g)].map(([, serial]) => Number(serial))
        const list = (what: string, found: Iterable<number>, may: Set<number>) =>
          [...new Set(found)].filter(serial => !may.has(serial)).map(serial => `client ${client.id}: ${what} ${serial}`)
        return [
          ...list('mark', marks, allowed),
          ...list('serial', known, allowed),
          ...list('deed', deeds, allowedOwn),
          ...list('purse', knownOwn, allowedOwn),
        ]
      })
    },
    /** Where clients' worlds differ from what they should be. */
    differences(): string[] {
      return eyes.flatMap(eye => {
        const { guest, client } = eye
        if (guest.client.state !== 'connected') return []
        const its = guest.schema.dclasses.Thing
        return things.flatMap(thing => {
          const eid = guest.client.entityOf(thing.doId)
          if (!maySee(eye, thing)) return eid === 0 ? [] : [`client ${client.id} still sees ${thing.doId}`]
          if (eid === 0) return [`client ${client.id} does not see ${thing.doId}`]
          const is = [its.mark[eid], its.serial[eid], guest.schema.DistributedObject.zone[eid]]
          const should = [`<m${thing.serial}>`, thing.serial, zone[thing.eid]]
          const lines =
            String(is) === String(should) ? [] : [`client ${client.id}, ${thing.doId}: ${is} is not ${should}`]
          const deed = isOwner(eye, thing) ? [`<d${thing.serial}>`, thing.serial] : undefined
          if (deed && String([its.deed[eid], its.purse[eid]]) !== String(deed))
            lines.push(`client ${client.id}, ${thing.doId}: ${its.deed[eid]}, ${its.purse[eid]} is not ${deed}`)
          return lines
        })
      })
    },
  }
  return sight
}

export type Sight = ReturnType<typeof createSight>

/** Dice for tests. */
export const dice = (seed: number) => {
  const next = random(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!
  return { chance: (share: number) => next() < share, pick }
}
