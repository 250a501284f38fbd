import { addComponent, addEntity } from 'bitecs'
import { expect, test, vi } from 'vitest'
import { createWorlds, turn, type Worlds } from '../../src/testing/worlds.ts'

// As in a page: a memory link would bring them.
vi.mock('../../src/net/all-decoders.ts', () => ({ takeAllDecoders() {} }))
const web = vi.hoisted(() => ({ isGone: false }))
vi.mock(import('../../src/net/decoders.ts'), async original => {
  const decoders = await original()
  return {
    ...decoders,
    loadDecoder: name => (web.isGone ? Promise.reject(new Error('404')) : decoders.loadDecoder(name)),
  }
})

const ROOM = 'dclass Lamp { uint8 light broadcast; };'

/** Runs until the server has let the client in, which has not got the code to read what it sends. */
const untilWelcomed = async (worlds: Worlds<any>): Promise<void> => {
  for (let frames = 0; worlds.server.clients.size === 0; frames++) {
    if (frames > 60) throw new Error('the server does not answer within a second')
    await turn()
    worlds.run(1)
  }
}

const connect = async (codec: 'plain' | 'range') => {
  const worlds = createWorlds(ROOM, { server: { codec } })
  const { Lamp } = worlds.schema.dclasses
  const lamp = addEntity(worlds.world)
  addComponent(worlds.world, lamp, Lamp)
  Lamp.light[lamp] = 77
  worlds.server.onJoin(client => worlds.server.place(lamp, 1, client))
  const guest = worlds.addGuest()
  const connecting = guest.client.connect()
  connecting.catch(() => {})
  await untilWelcomed(worlds)
  worlds.run(10)
  await vi.dynamicImportSettled()
  return { worlds, guest, lamp, connecting }
}

test('a client that cannot load it is told so, and may try again', async () => {
  web.isGone = true
  const { worlds, guest, connecting } = await connect('range')
  await expect(worlds.settle(connecting)).rejects.toMatchObject({
    reason: 'unreachable',
    message: expect.stringMatching(/could not be loaded/),
  })
  expect(guest.client.state).toBe('closed')
  web.isGone = false
  const again = guest.client.connect()
  await untilWelcomed(worlds)
  await vi.dynamicImportSettled()
  await worlds.settle(again)
  expect(guest.client.state).toBe('connected')
})

test.for(['plain', 'range'] as const)('what %s said before it was there is said again', async codec => {
  const { worlds, guest, lamp, connecting } = await connect(codec)
  await worlds.settle(connecting)
  worlds.until(() => worlds.seenBy(guest, lamp) !== 0, 'the lamp is seen', 2)
  expect(guest.schema.dclasses['Lamp'].light[worlds.seenBy(guest, lamp)]).toBe(77)
  expect(guest.client.stats.undecodable, 'nothing that nobody could read was read').toBe(0)
})
