import { addComponent, addEntity } from 'bitecs'
import { expect, test } from 'vitest'
import { createWorlds, drain, type Worlds } from '../support/worlds.ts'

const DC = 'dclass Avatar { setName(string name) required broadcast ram; };'

const stage = (onJoin: (worlds: Worlds) => unknown) => {
  const heard: string[] = []
  const worlds = createWorlds(DC, {
    server: { onError: (error, where) => heard.push(`${where}: ${(error as Error).message}`) },
  })
  worlds.server.onLeave((_, reason) => heard.push(`left: ${reason}`))
  worlds.server.onJoin(() => onJoin(worlds) as void)
  return { worlds, heard }
}

test('an avatar that cannot be placed is told, and its player is not let in, with a reason', async () => {
  const { worlds, heard } = stage(({ server, world, schema }) => {
    const eid = addEntity(world)
    addComponent(world, eid, schema.dclasses.Avatar)
    server.place(eid, 1)
  })
  worlds.server.onJoin(() => heard.push('the handler behind it'))
  const guest = worlds.addGuest()
  await expect(worlds.settle(guest.client.connect()), 'the page hears why').rejects.toMatchObject({ reason: 'failed' })
  worlds.run(20)
  expect(heard).toEqual([expect.stringMatching(/^onJoin: .*setName.*provide/), 'left: failed'])
  expect(worlds.server.clients.size).toBe(0)
  await worlds.end()
})

test('so it is when what was promised fails later, unless the player has gone by then', async () => {
  const { worlds, heard } = stage(async () => {
    await drain()
    throw new Error('no such account')
  })
  const [ada, bob] = [await worlds.join(), await worlds.join()]
  const ends: string[] = []
  ada.client.onDisconnect(reason => ends.push(reason))
  bob.client.disconnect()
  worlds.run(20)
  await drain()
  await drain()
  worlds.run(20)
  expect(ends).toEqual(['failed'])
  expect(heard.sort()).toEqual(['left: closed', 'left: failed', 'onJoin: no such account', 'onJoin: no such account'])
  await worlds.end()
})
