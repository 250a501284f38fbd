import { expect, test } from 'vitest'
import { clientOf, createWorlds, seenBy, spawn } from '../support/worlds.ts'

const DC = `
keyword unreliable;
dclass Avatar {
  int16 x broadcast ram ownsend;
  string(0-200) mood broadcast ram ownsend;
  uint16 score broadcast ram;
  string(0-600) title broadcast ram;
  said(uint16 number) broadcast;
  shoot(uint16 number) ownsend;
  blink(uint16 number) ownsend unreliable;
};`
const BAD = { lag: 0.05, jitter: 0.04, loss: 0.2, reorder: 0.2, duplicate: 0.2 }

const stage = async (seed: number) => {
  const worlds = createWorlds(DC, { conditions: BAD, seed })
  const guest = await worlds.join()
  const eid = spawn(worlds, 'Avatar', { mood: 'fine' }, 1, clientOf(worlds, guest))
  worlds.until(() => seenBy(worlds, guest, eid) !== 0, 'the object appears')
  worlds.run(60)
  return {
    worlds,
    guest,
    eid,
    mine: seenBy(worlds, guest, eid),
    Ours: worlds.schema.dclasses.Avatar,
    Theirs: guest.schema.dclasses.Avatar,
  }
}

test.each([1, 2, 3])(
  'down: numbers and strings of the tick are in the columns when its handler runs (seed %i)',
  async seed => {
    const { worlds, guest, eid, mine, Ours, Theirs } = await stage(seed)
    const behind: unknown[] = []
    let heard = 0
    guest.client.on<{ number: number }>(Theirs.said, (_, { number }) => {
      heard++
      const seen = [Theirs.score[mine], Number(Theirs.title[mine].split(' ')[0])]
      if (seen.some(value => value < number)) behind.push([number, ...seen])
    })
    let next = 0
    worlds.game = () => {
      if (next >= 150) return
      next++
      // The message first: what counts is the tick.
      worlds.server.sendUpdate(eid, Ours.said, { number: next })
      Ours.score[eid] = next
      Ours.title[eid] = `${next} ${'x'.repeat(next)}`
    }
    worlds.run(600)
    expect([heard, behind]).toEqual([150, []])
    await worlds.end()
  },
)

test.each([1, 2, 3])(
  'up: what the owner wrote before it sent is in the columns when its handler runs (seed %i)',
  async seed => {
    const { worlds, guest, mine, Ours, Theirs } = await stage(seed)
    const behind: unknown[] = []
    let heard = 0
    const look = (eid: number, { number }: { number: number }) => {
      heard++
      const seen = [Ours.x[eid], Number(Ours.mood[eid])]
      if (seen.some(value => value < number)) behind.push([number, ...seen])
    }
    worlds.server.on<{ number: number }>(Ours.shoot, look)
    let next = 0
    guest.play = () => {
      if (next >= 150) return
      next++
      Theirs.x[mine] = next
      Theirs.mood[mine] = String(next)
      guest.client.sendUpdate(mine, Theirs.shoot, { number: next })
    }
    worlds.run(600)
    expect([heard, behind]).toEqual([150, []])
    await worlds.end()
  },
)

test('an unreliable one, too, of the numbers in its packet', async () => {
  const { worlds, guest, mine, Ours, Theirs } = await stage(4)
  const behind: unknown[] = []
  let heard = 0
  worlds.server.on<{ number: number }>(Ours.blink, (eid, { number }) => {
    heard++
    if (Ours.x[eid] < number) behind.push([number, Ours.x[eid]])
  })
  let next = 0
  guest.play = () => {
    Theirs.x[mine] = ++next
    guest.client.sendUpdate(mine, Theirs.blink, { number: next })
  }
  worlds.run(300)
  expect(heard).toBeGreaterThan(100)
  expect(behind).toEqual([])
  await worlds.end()
})
