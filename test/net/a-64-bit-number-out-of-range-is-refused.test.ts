import { expect, test } from 'vitest'
import { createImpostor } from '../support/impostor.ts'
import { createWorlds, spawn } from '../support/worlds.ts'

test.each([
  ['int64(0-10)', [0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0], 1],
  ['int64/10', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], 1],
  ['float64(0-1)', [0, 0, 0, 0, 0, 0, 0xf8, 0x7f], 1],
  ['float64', [0, 0, 0, 0, 0, 0, 0xf8, 0x7f], 1],
  ['float64', [0, 0, 0, 0, 0, 0, 0xf0, 0x3f], 0],
])('%s: a cheat uploads what it cannot be, and the server ticks on', async (type, words, refused) => {
  const worlds = createWorlds(`dclass Thing { ${type} value broadcast ownsend; };`)
  worlds.server.onJoin(client => void spawn(worlds, 'Thing', {}, 1, client))
  const impostor = await createImpostor(worlds.network, worlds.schema, worlds.now)
  impostor.hello()
  worlds.run(6)
  impostor.upload(1, 1, Uint8Array.from(words))
  worlds.run(6)
  expect(worlds.server.violations.outOfRange).toBe(refused)
  if (refused === 0) expect(worlds.schema.dclasses.Thing.value[worlds.server.entityOf(1)]).toBe(1)
  await worlds.end()
})
