import { readFileSync } from 'node:fs'
import * as exported from 'bitecs-pipes'
import { zoneAt, zonesAround } from 'bitecs-pipes'
import { expect, test } from 'vitest'
import { clientOf, createWorlds, seenBy, spawn } from '../support/worlds.ts'

const pipes: Record<string, unknown> = { ...exported }
const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

/** The code blocks of the section, and the DC file above it. */
const section = README.slice(README.indexOf('## Who sees what'), README.indexOf('## Options'))
const [serverCode, pageCode] = [...section.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!)
const dc = /```dc\n([\s\S]*?)```/.exec(README)![1]!

/** Runs a block with what it takes for granted, and gives back what it declares. */
const runBlock = (code: string, given: Record<string, unknown>, names: string[]): Record<string, any> => {
  const imported = [...code.matchAll(/import \{ (.*?) \} from 'bitecs-pipes'/g)].flatMap(([, list]) =>
    list!.split(', '),
  )
  const all: Record<string, unknown> = { ...given }
  for (const name of imported) all[name] = pipes[name]
  const body = code.replace(/^import .*$/gm, '')
  return new Function(...Object.keys(all), `${body}\nreturn { ${names.join(', ')} }`)(...Object.values(all))
}

test('the code of "Who sees what" does what it says', async () => {
  const worlds = createWorlds(dc)
  const { server, world, schema } = worlds
  const { Avatar } = schema.dclasses
  const { grid, tick } = runBlock(serverCode!, { server, schema, world, Avatar }, ['grid', 'tick'])
  // The harness runs receive and replicate itself: the block's own are left to the middle of its tick.
  const { receive, replicate } = server
  worlds.game = () => {
    Object.assign(server, { receive() {}, replicate() {} })
    tick()
    Object.assign(server, { receive, replicate })
  }
  const guest = await worlds.join()
  const { client } = guest
  const page = { client, schema: guest.schema, world: guest.world, Avatar: guest.schema.dclasses.Avatar, grid }
  const { frame } = runBlock(pageCode!, page, ['frame'])
  const clientReceive = client.receive
  const clientSend = client.send
  guest.play = () => {
    Object.assign(client, { receive() {}, send() {} })
    frame()
    Object.assign(client, { receive: clientReceive, send: clientSend })
  }
  const far = spawn(worlds, 'Avatar', { position: { x: 1500, y: 900 }, name: 'far' }, zoneAt(grid, 1500, 900))
  const mine = spawn(
    worlds,
    'Avatar',
    { position: { x: 500, y: 900 }, name: 'mine' },
    zoneAt(grid, 500, 900),
    clientOf(worlds, guest),
  )
  worlds.run(30)
  const around = [...client.interest.zones].sort((a, b) => a - b)
  expect(around, 'radius and a quarter of a cell').toEqual(zonesAround(grid, 500, 900, 350))
  expect(seenBy(worlds, guest, far)).toBe(0)
  const own = seenBy(worlds, guest, mine)
  const { x } = guest.schema.dclasses.Avatar.position
  for (; x[own] < 1260; x[own] += 10) worlds.run(1)
  worlds.run(30)
  expect(schema.DistributedObject.zone[mine], 'its zone follows its position').toBe(zoneAt(grid, 1260, 900))
  expect(seenBy(worlds, guest, far), 'and it sees who is there').not.toBe(0)
  await worlds.end()
})

test('what the section names is there', async () => {
  const worlds = createWorlds(dc)
  for (const name of ['followViews', 'zonesAround', 'distanceToZone', 'createFollow', 'createGrid']) {
    expect(section).toContain(`\`${name}`)
    expect(typeof pipes[name]).toBe('function')
  }
  for (const name of ['revokeZone', 'setVisibility', 'setZones'] as const) {
    expect(section).toContain(`server.${name}`)
    expect(typeof worlds.server[name]).toBe('function')
  }
  await worlds.end()
})
