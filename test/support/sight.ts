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

/** What is known of a client from its first tick on. */
interface Account {
  readonly client: ServerClient
  /** Everything that was sent to it, as text in which any string can be found. */
  sent: string
  /** Serials of what it may know, and of what only owners may. */
  readonly allowed: Set<number>
  readonly allowedOwn: Set<number>
  /** By doId: when it last did not see it. */
  readonly unseen: Map<number, number>
  /** Its zones after the last tick, and when it lost one. */
  zones: readonly number[]
  lostZone: number
  /** Its session ended: what it was sent counts, what it shows does not. */
  isOver: boolean
}

/** A client whose world is looked at. */
interface Eye {
  readonly guest: Guest
  readonly account: Account
  /** Serials that it could read, were it to look behind the curtain: of everyone's rows, and of its own. */
  readonly known: Set<number>
  readonly knownOwn: Set<number>
  /** By doId: when its entity was made. */
  readonly made: Map<number, number>
}

/** The guest is signed in as this client. That of one who left is kept for a while if the goodbye was lost. */
export const isSignedIn = ({ guest: { client }, account }: Eye): boolean =>
  client.state === 'connected' && client.clientId === account.client.id && !account.isOver

/** Keeps account of who may see what, tick by tick, by rules of its own. */
export const createSight = (worlds: Worlds) => {
  const { server, schema, world, network } = worlds
  const { Thing } = schema.dclasses
  const { zone, owner, doId } = schema.DistributedObject
  const things: Thing[] = []
  const eyes: Eye[] = []
  const accounts = new Map<string, Account>()
  const faults: string[] = []
  let serials = 1000

  server.onJoin(client => {
    accounts.set(client.address, {
      client,
      sent: '',
      allowed: new Set([0]),
      allowedOwn: new Set([0]),
      unseen: new Map(),
      zones: [],
      lostZone: -1000,
      isOver: false,
    })
  })
  network.tap = (direction, packet, address) => {
    const account = direction === 'down' ? accounts.get(address) : undefined
    if (account) account.sent += Buffer.from(packet).toString('latin1') + '\n'
  }

  const isOwner = ({ client }: Account, thing: Thing) => owner[thing.eid] === client.id

  const maySee = (account: Account, thing: Thing): boolean => {
    if (!thing.isAlive || zone[thing.eid] === 0) return false
    if (isOwner(account, thing)) return true
    const rule = thing.rules.get(account.client.id) ?? thing.rules.get(0) ?? 'zone'
    return rule === 'always' || (rule === 'zone' && account.client.zones.has(zone[thing.eid]!))
  }

  const endAccount = (account: Account) => {
    account.isOver = true
    for (const thing of things) thing.rules.delete(account.client.id)
  }

  /** After each tick: who saw what in it. */
  const note = () => {
    // The objects of a client that left went with it.
    for (const thing of things) if (server.entityOf(thing.doId) === 0) thing.isAlive = false
    for (const account of accounts.values()) {
      const { client } = account
      if (account.isOver) continue
      if (server.clients.get(client.id) !== client) {
        endAccount(account)
        continue
      }
      if (account.zones.some(each => !client.zones.has(each))) account.lostZone = server.tick
      account.zones = [...client.zones]
      for (const thing of things) {
        if (!maySee(account, thing)) account.unseen.set(thing.doId, server.tick)
        else {
          account.allowed.add(thing.serial)
          if (isOwner(account, thing)) account.allowedOwn.add(thing.serial)
        }
      }
    }
  }

  const { replicate } = server
  server.replicate = given => {
    replicate(given)
    note()
  }

  /** Everything that a client could read, were it to look behind the curtain. */
  const look = ({ account, guest, known, knownOwn }: Eye) => {
    const session = clientStates.get(guest.client)!.session
    if (!session || guest.client.clientId !== account.client.id) return
    for (const group of session.replica.groups.values()) {
      const frame = newestFrame(group.history)
      if (!frame) continue
      const serials = group.layout.audience === 'owner' ? knownOwn : known
      for (let slot = 0; slot < group.layout.slots; slot++)
        if (frame.ids[slot] !== 0) serials.add(frame.rows[slot * group.layout.width + group.layout.width - 1]!)
    }
  }

  const sight = {
    things,
    eyes,
    faults,
    /** Looks at a guest that is signed in, until its session ends. */
    watch(guest: Guest): Eye {
      const account = accounts.get(worlds.clientOf(guest).address)!
      const eye: Eye = { guest, account, known: new Set(), knownOwn: new Set(), made: new Map() }
      eyes.push(eye)
      const state = clientStates.get(guest.client)!
      const ids = guest.schema.DistributedObject.doId
      observe(guest.world, onAdd(guest.schema.dclasses.Thing), eid => {
        const id = ids[eid]!
        eye.made.set(id, state.session?.objects.get(id)?.seenTick ?? server.tick)
      })
      observe(guest.world, onRemove(guest.schema.dclasses.Thing), eid => {
        const id = ids[eid]!
        const made = eye.made.get(id)
        const unseen = account.unseen.get(id) ?? -1
        const isOwn = owner[server.entityOf(id)] === account.client.id
        // What moves on while the zone that it comes from is lost is remade, if it is not one's own: nobody can tell.
        if (!isOwn && ticksSince(server.tick, account.lostZone) < 30) return
        if (!isSignedIn(eye) || made === undefined) return
        if (unseen < 0 || ticksSince(unseen, made) < 0)
          faults.push(
            `tick ${server.tick}: client ${account.client.id} lost ${id}, made at ${made}, last unseen at ${unseen}`,
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
      const list = (what: string, { client }: Account, found: Iterable<number>, may: Set<number>) =>
        [...new Set(found)].filter(serial => !may.has(serial)).map(serial => `client ${client.id}: ${what} ${serial}`)
      const texts = (sent: string, pattern: RegExp) => [...sent.matchAll(pattern)].map(([, serial]) => Number(serial))
      return [
        ...[...accounts.values()].flatMap(account => [
          ...list('mark', account, texts(account.sent, /<m(\d+)>/g), account.allowed),
          ...list('deed', account, texts(account.sent, /<d(\d+)>/g), account.allowedOwn),
        ]),
        ...eyes.flatMap(({ account, known, knownOwn }) => [
          ...list('serial', account, known, account.allowed),
          ...list('purse', account, knownOwn, account.allowedOwn),
        ]),
      ]
    },
    /** Where clients' worlds differ from what they should be. */
    differences(): string[] {
      return eyes.filter(isSignedIn).flatMap(({ guest, account }) => {
        const its = guest.schema.dclasses.Thing
        const name = `client ${account.client.id}`
        return things.flatMap(thing => {
          const eid = guest.client.entityOf(thing.doId)
          if (!maySee(account, thing)) return eid === 0 ? [] : [`${name} still sees ${thing.doId}`]
          if (eid === 0) return [`${name} does not see ${thing.doId}`]
          const isOwn = isOwner(account, thing)
          const is = [its.mark[eid], its.serial[eid], guest.schema.DistributedObject.zone[eid]]
          const should = [`<m${thing.serial}>`, thing.serial, zone[thing.eid]]
          if (isOwn) {
            is.push(its.deed[eid], its.purse[eid])
            should.push(`<d${thing.serial}>`, thing.serial)
          }
          return String(is) === String(should) ? [] : [`${name}, ${thing.doId}: ${is} is not ${should}`]
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
