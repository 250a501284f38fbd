import { expect, test } from 'vitest'
import { createSight, dice, isSignedIn, SIGHT, type Sight } from '../support/sight.ts'
import { turn } from '../../src/testing/worlds.ts'
import { createWorlds, type Worlds } from '../support/worlds.ts'

const SEEDS = Number(process.env.SEEDS ?? 4)
const FIRST = Number(process.env.SEED ?? 1)
const ZONES = [1, 2, 3]
const BAD = { lag: 0.05, jitter: 0.04, loss: 0.15, reorder: 0.2, duplicate: 0.1 }

type Deed = (sight: Sight, worlds: Worlds, luck: ReturnType<typeof dice>) => void

const each =
  (
    share: number,
    act: (thing: Sight['things'][number], sight: Sight, worlds: Worlds, luck: ReturnType<typeof dice>) => void,
  ): Deed =>
  (sight, worlds, luck) => {
    for (const thing of sight.things) if (isThere(worlds, thing) && luck.chance(share)) act(thing, sight, worlds, luck)
  }
/** The objects of a client that left are gone already. */
const isThere = (worlds: Worlds, thing: Sight['things'][number]) =>
  thing.isAlive && worlds.server.entityOf(thing.doId) !== 0

const eachClient =
  (share: number, act: (eye: Sight['eyes'][number], worlds: Worlds, luck: ReturnType<typeof dice>) => void): Deed =>
  (sight, worlds, luck) => {
    for (const eye of sight.eyes)
      if (worlds.server.clients.get(eye.account.client.id) === eye.account.client && luck.chance(share))
        act(eye, worlds, luck)
  }
const some = ({ chance }: ReturnType<typeof dice>) => ZONES.filter(() => chance(0.5))

/** A client that is here, or nobody in every second case. */
const someone = (sight: Sight, worlds: Worlds, { pick, chance }: ReturnType<typeof dice>) => {
  const here = sight.eyes.filter(({ account: { client } }) => worlds.server.clients.get(client.id) === client)
  return chance(0.5) && here.length > 0 ? pick(here).account.client : undefined
}

/** What a game does, by the shares of objects or clients that it happens to in a tick. */
const write = each(0.3, (thing, sight) => sight.write(thing))
const show = each(0.04, (thing, sight, worlds, luck) =>
  sight.show(thing, luck.pick(['zone', 'always', 'never']), someone(sight, worlds, luck)),
)
const move = each(0.05, (thing, _sight, worlds, { pick }) => worlds.server.place(thing.eid, pick(ZONES)))
const own = each(0.02, (thing, sight, worlds, luck) => {
  const zone = worlds.schema.DistributedObject.zone[thing.eid]!
  worlds.server.place(thing.eid, zone, someone(sight, worlds, luck) ?? 0)
})
const replace = each(0.005, (thing, sight, _worlds, { pick }) => {
  sight.remove(thing)
  sight.spawn(pick(ZONES))
})
const ask = eachClient(0.02, (eye, _worlds, luck) => void eye.guest.client.interest.set(some(luck)))
const give = eachClient(0.01, (eye, worlds, luck) => worlds.server.setZones(eye.account.client, some(luck)))
const revoke = eachClient(0.01, (eye, worlds, { pick }) => worlds.server.revokeZone(eye.account.client, pick(ZONES)))

/** Who leaves comes back as somebody else sooner or later, even while the server, without a goodbye, keeps who it was. */
const leave = eachClient(0.01, eye => {
  if (isSignedIn(eye)) eye.guest.client.disconnect()
})
const comeBack: Deed = (sight, worlds, luck) => {
  if (sight.things.filter(thing => isThere(worlds, thing)).length < 5) sight.spawn(luck.pick(ZONES))
  for (const guest of worlds.guests) {
    if (guest.client.state === 'closed' && luck.chance(0.1)) guest.client.connect().catch(() => {})
    const isKnown = sight.eyes.some(eye => eye.guest === guest && isSignedIn(eye))
    if (isKnown || guest.client.state !== 'connected' || !worlds.server.clients.has(guest.client.clientId)) continue
    sight.watch(guest)
    void guest.client.interest.set(some(luck))
  }
}

const play = async (seed: number, deeds: readonly Deed[], server: object) => {
  const worlds = createWorlds(SIGHT, { seed, capacity: 200, conditions: BAD, server, client: { updateRate: 30 } })
  const sight = createSight(worlds)
  const luck = dice(seed)
  for (let count = 0; count < 3; count++) sight.watch(await worlds.join())
  for (let count = 0; count < 5; count++) sight.spawn(luck.pick(ZONES))
  for (const eye of sight.eyes) void eye.guest.client.interest.set(some(luck))
  worlds.game = () => {
    for (const deed of deeds) deed(sight, worlds, luck)
  }
  for (let frame = 0; frame < 240; frame++) {
    worlds.run(1)
    // Who comes back waits for promises.
    await turn()
  }
  worlds.game = () => {}
  let last: string[] = []
  worlds.run(60)
  for (let time = 0; time < 60 && (last = sight.differences()).length > 0; time++) worlds.run(10)
  await worlds.end()
  return { sight, differences: last }
}

test.each([
  ['rules come and go', [write, show], {}],
  ['objects move and are hidden', [write, show, move], {}],
  ['objects move and change owners', [write, move, own], {}],
  ['zones are asked for, given and revoked', [write, move, ask, give, revoke], {}],
  ['all of it', [write, show, move, own, replace, ask, give, revoke], {}],
  ['all of it, and zones linger', [write, show, move, own, replace, ask, give, revoke], { linger: 0.5 }],
  ['clients leave and come back', [write, show, move, own, leave, comeBack], {}],
  ['all of it, marked by the game', [write, show, move, own, replace, ask, give, revoke], { detect: 'mark' }],
] as const)('%s: what a client may not see is never sent to it', async (_name, deeds, server) => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const { sight, differences } = await play(seed, deeds, server)
    expect(sight.leaks(), `seed ${seed}`).toEqual([])
    expect(differences, `seed ${seed}: what it may see it does`).toEqual([])
    const known = sight.eyes.reduce((sum, eye) => sum + eye.known.size, 0)
    expect(known, 'they could have looked behind the curtain').toBeGreaterThan(0)
    for (const { account, guest } of sight.eyes) {
      expect(account.sent.length).toBeGreaterThan(0)
      expect(guest.client.stats.malformed + guest.client.stats.desyncs).toBe(0)
    }
  }
})

test('what it sees all along stays the same entity, whatever is done to it', async () => {
  let seen = 0
  for (let seed = 1; seed <= 3; seed++) {
    const { sight } = await play(seed, [write, show, move], {})
    expect(sight.faults, `seed ${seed}`).toEqual([])
    for (const { made } of sight.eyes) seen += made.size
  }
  expect(seen).toBeGreaterThan(0)
})

test('the account that these tests keep finds what it is for', async () => {
  const worlds = createWorlds(SIGHT, { conditions: { lag: 0.02 } })
  const sight = createSight(worlds)
  const eye = sight.watch(await worlds.join())
  const thing = sight.spawn(1)
  worlds.server.setZones(eye.account.client, [1])
  worlds.run(20)
  expect([...sight.leaks(), ...sight.differences(), ...sight.faults]).toEqual([])
  // The account believes that it is hidden, and the server was not told.
  thing.rules.set(0, 'never')
  sight.write(thing)
  worlds.run(20)
  expect(sight.leaks()).toEqual([`client 1: mark ${thing.serial}`, `client 1: serial ${thing.serial}`])
  expect(sight.differences()).toEqual(['client 1 still sees 1'])
  thing.rules.set(0, 'zone')
  eye.account.unseen.clear()
  worlds.server.setVisibility(thing.eid, 'never')
  worlds.run(20)
  expect(sight.faults).toHaveLength(1)
  await worlds.end()
})
