import { expect, test } from 'vitest'
import { clientOf, createWorlds, drain, spawn } from '../support/worlds.ts'

const DC = `
dclass Avatar {
  string name required broadcast ram;
  told(uint8 n) broadcast;
};
`
const fail = () => {
  throw new Error('careless')
}

test('what an async handler of a client rejects with is reported', async () => {
  const errors: string[] = []
  const worlds = createWorlds(DC)
  const guest = await worlds.join({}, { onError: (error, where) => errors.push(`client: ${where}: ${error}`) })
  const eid = spawn(worlds, 'Avatar', { name: 'Ada' }, 1, clientOf(worlds, guest))
  worlds.run(20)
  const failLater = async () => {
    await drain()
    fail()
  }
  guest.client.on(guest.schema.dclasses.Avatar.told, failLater)
  worlds.server.sendUpdate(eid, worlds.schema.dclasses.Avatar.told, { n: 1 })
  worlds.run(20)
  await drain()
  await drain()
  expect(errors).toEqual(['client: Avatar.told: Error: careless'])
  await worlds.end()
})
