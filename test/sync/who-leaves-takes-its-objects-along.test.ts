import { query } from 'bitecs'
import type { Connection } from 'bitecs-pipes/client'
import { expect, test } from 'vitest'
import { clientOf, createWorlds, seenBy, spawn } from '../support/worlds.ts'

const DC = 'dclass Avatar { string name required broadcast ram; };'

const stage = async () => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.02 }, server: { resumeTime: 0 } })
  const transport = worlds.network.client()
  let connection: Connection | undefined
  const leaver = worlds.addGuest({ transport: { connect: async () => (connection = await transport.connect()) } })
  await worlds.settle(leaver.client.connect({ name: 'leaver' }))
  const stayer = await worlds.join({ name: 'stayer' })
  await worlds.settle(stayer.client.interest.set([1]))
  const mine = spawn(worlds, 'Avatar', { name: 'mine' }, 1, clientOf(worlds, leaver))
  const theirs = spawn(worlds, 'Avatar', { name: 'theirs' }, 1, clientOf(worlds, stayer))
  worlds.run(30)
  expect(seenBy(worlds, stayer, mine), 'at first both are seen').not.toBe(0)
  const id = leaver.client.clientId
  const left: unknown[] = []
  worlds.server.onLeave((client, reason) => left.push([client.id, client.data.name, reason]))
  const farewells: unknown[] = []
  leaver.client.onDisconnect(reason => farewells.push(reason))
  const names = () => {
    const { Avatar } = worlds.schema.dclasses
    const { Avatar: Seen } = stayer.schema.dclasses
    return {
      server: [...query(worlds.world, [Avatar])].map(eid => Avatar.name[eid]),
      stayer: [...query(stayer.world, [Seen])].map(eid => Seen.name[eid]),
    }
  }
  return { worlds, leaver, stayer, theirs, connection: connection!, id, left, farewells, names }
}

const REST = { server: ['theirs'], stayer: ['theirs'] }

test('by disconnect()', async () => {
  const { worlds, leaver, id, left, farewells, names } = await stage()
  leaver.client.disconnect()
  worlds.run(20)
  expect(left, 'onLeave gets client and reason').toEqual([[id, 'leaver', 'closed']])
  expect(farewells, 'onDisconnect is told').toEqual(['closed'])
  expect(names(), 'its object is gone, the other stays').toEqual(REST)
  await worlds.end()
})

test('by a connection that breaks', async () => {
  const { worlds, connection, id, left, farewells, names } = await stage()
  connection.close()
  worlds.run(20)
  expect(left).toEqual([[id, 'leaver', 'closed']])
  expect(names()).toEqual(REST)
  expect(farewells, 'the client notices by itself, later').toEqual([])
  worlds.run(6 * 60)
  expect(farewells).toEqual(['timeout'])
  await worlds.end()
})

test('by five seconds of silence, and not before', async () => {
  const { worlds, leaver, connection, id, left, names } = await stage()
  worlds.guests.splice(worlds.guests.indexOf(leaver), 1)
  // Whatever a page hears it answers, without frames and timers.
  connection.onPacket = () => {}
  worlds.run(4.5 * 60)
  expect(left, 'four and a half seconds are no reason').toEqual([])
  worlds.run(60)
  expect(left).toEqual([[id, 'leaver', 'timeout']])
  expect(names()).toEqual(REST)
  await worlds.end()
})

test('by kick()', async () => {
  const { worlds, leaver, id, left, farewells, names } = await stage()
  const pending = leaver.client.interest.set([9])
  worlds.server.kick(clientOf(worlds, leaver))
  await expect(worlds.settle(pending), 'what it waited for is over').rejects.toMatchObject({ reason: 'lost' })
  worlds.run(20)
  expect(left).toEqual([[id, 'leaver', 'kicked']])
  expect(farewells, 'the client knows why').toEqual(['kicked'])
  expect(leaver.client.state).toBe('closed')
  expect(query(leaver.world, [leaver.schema.dclasses.Avatar]), 'and has an empty world').toHaveLength(0)
  expect(names()).toEqual(REST)
  await worlds.end()
})

test('a kick is heard although datagrams get lost', async () => {
  const { worlds, leaver, farewells } = await stage()
  Object.assign(worlds.network.conditions.down, { loss: 0.3 })
  worlds.server.kick(clientOf(worlds, leaver))
  worlds.run(60)
  expect(farewells).toHaveLength(1)
  await worlds.end()
})

test('server.close() tells everybody', async () => {
  const { worlds, leaver, stayer, farewells, left } = await stage()
  await worlds.server.close()
  worlds.run(10)
  expect(farewells, 'each client is told').toEqual(['closed'])
  expect([leaver.client.state, stayer.client.state]).toEqual(['closed', 'closed'])
  expect(left, 'so is the game').toMatchObject([
    [1, 'leaver', 'closed'],
    [2, 'stayer', 'closed'],
  ])
  await expect(stayer.client.connect(), 'and nobody listens any more').rejects.toMatchObject({ reason: 'unreachable' })
})
