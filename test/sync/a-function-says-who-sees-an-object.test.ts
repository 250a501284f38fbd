import { expect, test } from 'vitest'
import type { ServerClient } from 'bitecs-pipes/server'
import { clientOf, createWorlds, seenBy, spawn, type Guest, type Worlds } from '../support/worlds.ts'

const DC = 'dclass Mine { string(0-9) label required broadcast ram; poke() clsend; };'

/** Ada and Bob see zone 1; what team each is of, and whom the rules were asked about. */
const stage = async () => {
  const errors: string[] = []
  const worlds = createWorlds(DC, { server: { onError: (error, where) => errors.push(`${where}: ${error}`) } })
  const teams = new Map<number, string>()
  const asked: number[] = []
  const join = async (team: string): Promise<Guest> => {
    const stop = worlds.server.onJoin(({ id }) => teams.set(id, team))
    const guest = await worlds.join()
    stop()
    await worlds.settle(guest.client.interest.set([1]))
    return guest
  }
  const only =
    (team: string) =>
    (client: ServerClient): boolean => {
      asked.push(client.id)
      return teams.get(client.id) === team
    }
  const [ada, bob] = [await join('red'), await join('blue')]
  const eid = spawn(worlds, 'Mine', { label: 'm' }, 1)
  return { worlds, server: worlds.server, errors, teams, asked, join, only, ada, bob, eid }
}

const sight = (worlds: Worlds, guests: Guest[], eid: number) => {
  worlds.run(40)
  return guests.map(guest => seenBy(worlds, guest, eid) !== 0)
}

test('only whom it is true of sees the object, and who joins later is asked about after onJoin', async () => {
  const { worlds, server, only, join, ada, bob, eid, asked } = await stage()
  server.setVisibility(eid, only('red'))
  expect(sight(worlds, [ada, bob], eid)).toEqual([true, false])
  const [cat, dan] = [await join('red'), await join('blue')]
  expect(sight(worlds, [ada, bob, cat, dan], eid), 'the third and the fourth').toEqual([true, false, true, false])
  worlds.run(300)
  expect(asked, 'once of each client, in no tick of its own').toEqual([1, 2, 3, 4])
  server.setVisibility(eid, 'zone')
  expect(sight(worlds, [ada, bob, dan], eid), 'it is over').toEqual([true, true, true])
  await worlds.end()
})

test('true is by its zone, as ever; the names of the rules mean what they mean', async () => {
  const { worlds, server, ada, bob, eid } = await stage()
  server.place(eid, 7)
  server.setVisibility(eid, () => true)
  expect(sight(worlds, [ada, bob], eid), 'nobody sees zone 7').toEqual([false, false])
  server.setVisibility(eid, client => (client.id === 2 ? 'always' : undefined))
  expect(sight(worlds, [ada, bob], eid)).toEqual([false, true])
  server.setVisibility(eid, 'always', clientOf(worlds, ada))
  server.setVisibility(eid, () => false)
  expect(sight(worlds, [ada, bob], eid), 'what is said of one client goes before').toEqual([true, false])
  await worlds.end()
})

test('it is asked again when the game says so, of one client and one object or of all', async () => {
  const { worlds, server, teams, only, ada, bob, eid, asked } = await stage()
  const other = spawn(worlds, 'Mine', { label: 'o' }, 1)
  for (const each of [eid, other]) server.setVisibility(each, only('red'))
  expect(sight(worlds, [ada, bob], eid)).toEqual([true, false])
  teams.set(1, 'blue').set(2, 'red')
  expect(sight(worlds, [ada, bob], eid), 'nothing changes by itself').toEqual([true, false])
  asked.length = 0
  server.refreshVisibility(clientOf(worlds, bob), other)
  expect(asked).toEqual([2])
  expect(sight(worlds, [ada, bob], other)).toEqual([true, true])
  expect(sight(worlds, [ada, bob], eid)).toEqual([true, false])
  server.refreshVisibility()
  for (const each of [eid, other]) expect(sight(worlds, [ada, bob], each)).toEqual([false, true])
  await worlds.end()
})

test('what was sent before it hides the object is late, not forbidden', async () => {
  const { worlds, server, teams, only, ada, eid } = await stage()
  server.setVisibility(eid, only('red'))
  worlds.run(600)
  ada.client.sendUpdate(seenBy(worlds, ada, eid), ada.schema.dclasses.Mine.poke, {})
  teams.set(1, 'blue')
  server.refreshVisibility()
  worlds.run(40)
  expect(server.violations.forbidden).toBe(0)
  await worlds.end()
})

test('what it throws, and answers that are none, are told, and hide the object', async () => {
  const { worlds, server, errors, ada, bob, eid } = await stage()
  server.setVisibility(eid, ({ id }) => {
    if (id === 1) throw new Error('careless')
    return Promise.resolve(true) as never
  })
  expect(sight(worlds, [ada, bob], eid)).toEqual([false, false])
  expect(errors).toEqual([
    `setVisibility(${eid}): Error: careless`,
    `setVisibility(${eid}): TypeError: the function returned [object Promise]: give true, false, 'zone', 'always' or 'never'.`,
  ])
  expect(() => server.setVisibility(eid, (() => true) as never, clientOf(worlds, ada))).toThrow(/leave the client out/)
  expect(() => server.refreshVisibility({ id: 99 } as never)).toThrow(/client 99 is not connected/)
  await worlds.end()
})
