import { addComponent, addEntity, query } from 'bitecs'
import { expect, test } from 'vitest'
import { turn } from '../../src/testing/worlds.ts'
import { createBreakable } from '../support/breakable.ts'
import { createWorlds } from '../support/worlds.ts'

const DC = 'dclass Crate { uint8 x broadcast; };'

const stage = async () => {
  const worlds = createWorlds(DC)
  const line = createBreakable(worlds.network)
  const guest = worlds.addGuest({ transport: line.transport })
  await worlds.settle(guest.client.connect())
  const reasons: string[] = []
  guest.client.onDisconnect(reason => reasons.push(reason))
  return { worlds, line, guest, reasons }
}

test('a client that is kicked as it comes back over another connection is told so', async () => {
  const { worlds, line, guest, reasons } = await stage()
  worlds.server.onResume(client => worlds.server.kick(client))
  line.isReachable = false
  line.silence()
  await worlds.settle(new Promise(resolve => guest.client.onSuspend(resolve)))
  worlds.run(30)
  line.isReachable = true
  for (let count = 0; count < 200 && reasons.length === 0; count++) {
    await turn()
    worlds.run(6)
  }
  expect([reasons, worlds.server.clients.size]).toEqual([['kicked'], 0])
  await worlds.end()
})

test('whom the first handler of onJoin kicks, the others do not hear of as a client', async () => {
  const worlds = createWorlds(DC)
  const { Crate } = worlds.schema.dclasses
  worlds.server.onJoin(client => worlds.server.kick(client))
  worlds.server.onJoin(client => {
    const eid = addEntity(worlds.world)
    addComponent(worlds.world, eid, Crate)
    worlds.server.place(eid, 1, client)
  })
  const guest = worlds.addGuest()
  await expect(worlds.settle(guest.client.connect()), 'nor is it let in').rejects.toMatchObject({ reason: 'kicked' })
  worlds.run(30)
  expect([guest.client.state, query(worlds.world, [Crate]).length]).toEqual(['closed', 0])
  await worlds.end()
})
