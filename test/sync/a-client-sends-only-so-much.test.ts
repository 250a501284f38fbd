import type { ServerOptions } from 'bitecs-pipes/server'
import { expect, test } from 'vitest'
import { clientOf, createWorlds, seenBy, spawn } from '../support/worlds.ts'

const DC = `
keyword unreliable;
dclass Avatar {
  string(0-200) mood broadcast ram ownsend;
  say(string(0-200) text) ownsend;
  said(string(0-200) text) broadcast;
  note(blob text) ownsend;
  blink(uint8 eye) ownsend unreliable;
};
`

/** One who sends a lot, and one who does not; the server passes on what is said. */
const stage = async (server: Partial<ServerOptions> = {}) => {
  const worlds = createWorlds(DC, { server })
  const [loud, quiet] = [await worlds.join({}, { commandRate: 60 }), await worlds.join()]
  await worlds.settle(quiet.client.interest.set([1]))
  const eid = spawn(worlds, 'Avatar', {}, 1, clientOf(worlds, loud))
  worlds.run(30)
  const { Avatar } = worlds.schema.dclasses
  const left: unknown[] = []
  worlds.server.onLeave((client, reason) => left.push([client.id, reason]))
  const heard = { say: 0, blink: 0 }
  worlds.server.on<{ text: string }>(Avatar.say, (at, { text }) => {
    heard.say++
    worlds.server.sendUpdate(at, Avatar.said, { text })
  })
  worlds.server.on(Avatar.blink, () => {
    heard.blink++
  })
  const mine = seenBy(worlds, loud, eid)
  /** Sends so many a second, for so many seconds. */
  const send = (name: 'say' | 'blink' | 'note', rate: number, seconds: number, args: object) => {
    let owed = 0
    loud.play = () => {
      for (owed += rate / 60; owed >= 1; owed--)
        if (loud.client.state === 'connected') loud.client.sendUpdate(mine, loud.schema.dclasses.Avatar[name], args)
    }
    worlds.run(seconds * 60)
    loud.play = () => {}
    worlds.run(60)
  }
  return { worlds, loud, quiet, eid, mine, left, heard, send, flooded: () => worlds.server.violations.flooded }
}
const said = { text: 'x' }

test('whoever sends reliable messages far beyond the rate has to go, the others stay', async () => {
  const { worlds, loud, quiet, left, send, flooded } = await stage()
  let why = ''
  loud.client.onDisconnect(reason => (why = reason))
  const id = loud.client.clientId
  const start = worlds.now()
  send('say', 400, 5, said)
  expect([left, why, loud.client.state]).toEqual([[[id, 'flooded']], 'flooded', 'closed'])
  expect(flooded(), 'counted').toBeGreaterThan(0)
  expect(worlds.now() - start, 'soon enough').toBeLessThan(7)
  worlds.run(600)
  expect([quiet.client.state, worlds.server.clients.size, left.length], 'the other one').toEqual(['connected', 1, 1])
  expect(quiet.client.stats.objects, 'sees that they left').toBe(0)
  await worlds.end()
})

test('a steady 50 a second and a burst of 200 are within the default rate', async () => {
  const { worlds, loud, left, heard, send, flooded } = await stage()
  send('say', 50, 20, said)
  expect(heard.say).toBe(1000)
  worlds.run(300)
  send('say', 200 * 60, 1 / 60, said)
  worlds.run(120)
  expect(heard.say).toBe(1200)
  expect([left, flooded(), loud.client.state]).toEqual([[], 0, 'connected'])
  await worlds.end()
})

test('unreliable messages beyond the rate are dropped and counted', async () => {
  const { worlds, loud, left, heard, send, flooded } = await stage()
  send('blink', 300, 10, { eye: 1 })
  // Nine seconds' worth at once (a dead link holds back five, the timeout), then 60 a second.
  expect(heard.blink, 'about what the rate lets through').toBeGreaterThanOrEqual(1100)
  expect(heard.blink).toBeLessThan(1260)
  expect(heard.blink + flooded(), 'the rest is counted').toBe(3000)
  expect([left, loud.client.state]).toEqual([[], 'connected'])
  await worlds.end()
})

test('a lower or a higher messageRate is obeyed', async () => {
  const slow = await stage({ messageRate: 5 })
  slow.send('say', 20, 10, said)
  expect(slow.left, 'too much for 5 a second').toEqual([[1, 'flooded']])
  await slow.worlds.end()

  const fast = await stage({ messageRate: 600 })
  fast.send('say', 500, 10, said)
  expect([fast.left, fast.heard.say, fast.flooded()], 'not for 600').toEqual([[], 5000, 0])
  await fast.worlds.end()
})

test('so is messageBytes', async () => {
  const note = { text: new Uint8Array(20_000) }
  const narrow = await stage({ messageBytes: 10_000 })
  narrow.send('note', 2, 30, note)
  expect(narrow.left, 'too much for 10 KB a second').toEqual([[1, 'flooded']])
  await narrow.worlds.end()

  const wide = await stage({ messageBytes: 60_000 })
  wide.send('note', 2, 30, note)
  expect([wide.left, wide.flooded()], 'not for 60 KB').toEqual([[], 0])
  await wide.worlds.end()
})

test('what an owner writes of its strings counts by its bytes, not by how often', async () => {
  const often = await stage({ messageRate: 5 })
  let step = 0
  often.loud.play = () => {
    often.loud.schema.dclasses.Avatar.mood[often.mine] = `${step++}`
  }
  often.worlds.run(900)
  expect([often.left, often.loud.client.state], 'in every frame').toEqual([[], 'connected'])
  await often.worlds.end()

  const much = await stage({ messageBytes: 1000 })
  much.loud.play = () => {
    much.loud.schema.dclasses.Avatar.mood[much.mine] = `${step++}`.padStart(200, 'x')
  }
  much.worlds.run(3000)
  expect(much.left, '12 KB a second where 1 KB is allowed').toEqual([[1, 'flooded']])
  await much.worlds.end()
})

test('what a dead link held back is not held against the sender', async () => {
  const { worlds, loud, left, heard, send, flooded } = await stage()
  worlds.network.conditions.up.loss = 1
  send('say', 30, 8, said)
  worlds.network.conditions.up.loss = 0
  worlds.until(() => heard.say === 240, 'every message arrives')
  expect([left, flooded(), loud.client.state]).toEqual([[], 0, 'connected'])
  await worlds.end()
})

test('whoever was ended can come back', async () => {
  const { worlds, loud, left, send } = await stage({ messageRate: 5 })
  send('say', 100, 2, said)
  expect(left).toHaveLength(1)
  worlds.run(60)
  await worlds.settle(loud.client.connect())
  worlds.run(300)
  expect([loud.client.state, left.length]).toEqual(['connected', 1])
  await worlds.end()
})

test('what clients say to all, however much at once, sends nobody else away', async () => {
  const worlds = createWorlds('dclass Room { shout(string text) clsend broadcast; uint16 heat broadcast; };')
  const room = spawn(worlds, 'Room', {}, 1)
  const loud = await Promise.all([1, 2, 3, 4, 5, 6].map(() => worlds.join({}, { commandRate: 60 })))
  const quiet = await worlds.join()
  for (const guest of [...loud, quiet]) await worlds.settle(guest.client.interest.set([1]))
  const left: string[] = []
  const ids = new Set(loud.map(({ client }) => client.clientId))
  worlds.server.onLeave(({ id }, reason) => left.push(ids.has(id) ? reason : `another: ${reason}`))
  const heard: string[] = []
  const { Room } = quiet.schema.dclasses
  quiet.client.on<{ text: string }>(Room.shout, (_, { text }) => heard.push(text.slice(0, 5)))
  // Each within its allowance.
  for (const [index, { client, schema }] of loud.entries())
    for (let count = 0; count < 12; count++)
      client.sendUpdate(seenBy(worlds, loud[index]!, room), schema.dclasses['Room'].shout, {
        text: `${index} ${count} `.padEnd(60_000),
      })
  worlds.game = () => {
    worlds.schema.dclasses.Room.heat[room]++
  }
  worlds.run(900)
  expect(new Set(left), 'only who said more than its share of what one of them can be told').toEqual(
    new Set(['flooded']),
  )
  expect(worlds.server.violations.flooded).toBe(left.length)
  expect(quiet.client.state).toBe('connected')
  worlds.run(1200)
  expect(heard.length, 'what found room was heard').toBeGreaterThan(5)
  for (const index of loud.keys()) {
    const order = heard.filter(text => text.startsWith(`${index}`)).map(text => Number(text.slice(2)))
    expect(order).toEqual([...order].sort((a, b) => a - b))
  }
  // And the game's own words still arrive.
  worlds.server.sendUpdate(room, worlds.schema.dclasses.Room.shout, { text: 'hush' })
  worlds.until(() => heard.at(-1) === 'hush', 'the game is heard', 30)
  const behind = worlds.schema.dclasses.Room.heat[room]! - Room.heat[seenBy(worlds, quiet, room)]!
  expect(behind, 'ticks').toBeLessThan(10)
  await worlds.end()
})
