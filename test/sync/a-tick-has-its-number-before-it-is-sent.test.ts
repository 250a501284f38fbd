import { query } from 'bitecs'
import { expect, test } from 'vitest'
import { createWorlds, spawn } from '../support/worlds.ts'

const DC = 'dclass Clock { uint32 at broadcast ram; };'

test('what is written before `replicate` is of `nextTick`, across the end of the numbers too', async () => {
  const worlds = createWorlds(DC, { server: { firstTick: 0xfffffff0 } })
  const { server, schema } = worlds
  const eid = spawn(worlds, 'Clock', {}, 1)
  const written: number[] = []
  worlds.game = () => {
    if (written.length > 0) expect(server.tick, 'it was replicated as that').toBe(written.at(-1))
    schema.dclasses.Clock.at[eid] = server.nextTick
    written.push(server.nextTick)
  }
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1]))
  worlds.run(120)
  expect(written).toContain(0)
  const [seen] = query(guest.world, [guest.schema.dclasses.Clock])
  expect(written.slice(-20), 'the client has it lately').toContain(guest.schema.dclasses.Clock.at[seen!])
  await worlds.end()
})
