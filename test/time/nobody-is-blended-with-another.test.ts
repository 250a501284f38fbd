import { removeEntity } from 'bitecs'
import { expect, test } from 'vitest'
import { createWorlds, FRAME, spawn, type Guest, type Worlds } from '../support/worlds.ts'

const DC = `
keyword interp_hermite;
keyword interp_teleport;
struct Vec2 { int32/1000 x; int32/1000 y; };
dclass Runner {
  Vec2 position broadcast interp_hermite;
  uint8 moves broadcast interp_teleport;
};
`
/** Units a second. */
const SPEED = 6

const stage = async (conditions: object = { lag: 0.05, jitter: 0.02, loss: 0.05, reorder: 0.05 }) => {
  const worlds = createWorlds(DC, { conditions })
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1, 2, 3]))
  return { worlds, guest, Ours: worlds.schema.dclasses.Runner, Theirs: guest.schema.dclasses.Runner }
}

/** Runs so many frames and tells what each showed of one of the server's entities: nothing while it is not there. */
const film = (worlds: Worlds, guest: Guest, frames: number, doId: number) => {
  const shown: { x: number; y: number }[] = []
  guest.play = () => {
    const eid = guest.client.entityOf(doId)
    if (eid === 0) return
    const { position } = guest.schema.dclasses.Runner
    shown.push({ x: position.x[eid], y: position.y[eid] })
  }
  worlds.run(frames)
  guest.play = () => {}
  return shown
}

const doIdOf = (worlds: Worlds, eid: number) => worlds.schema.DistributedObject.doId[eid]!

test('an object is shown where it appeared from its first frame on, never at zero or where it is not', async () => {
  const { worlds, guest, Ours } = await stage()
  for (let round = 0; round < 10; round++) {
    const eid = spawn(worlds, 'Runner', { position: { x: 100 + round, y: -50 } }, 1)
    worlds.game = () => {
      Ours.position.y[eid] += SPEED / 30
    }
    const shown = film(worlds, guest, 60, doIdOf(worlds, eid))
    expect(shown.length).toBeGreaterThan(30)
    for (const { x, y } of shown) {
      expect(x).toBe(100 + round)
      expect(y).toBeGreaterThanOrEqual(-50)
    }
    worlds.game = () => {}
    removeEntity(worlds.world, eid)
    worlds.run(30)
  }
  await worlds.end()
})

test('one that takes the place of another shows nothing of it', async () => {
  const { worlds, guest, Ours } = await stage()
  let last = spawn(worlds, 'Runner', { position: { x: -1000 } }, 1)
  worlds.run(60)
  for (let round = 0; round < 12; round++) {
    // In the same tick: the new one gets the entity, and the slot, of the old one.
    removeEntity(worlds.world, last)
    const eid = spawn(worlds, 'Runner', { position: { x: 1000 } }, 1)
    const sign = round % 2 === 0 ? 1 : -1
    worlds.game = () => {
      Ours.position.x[eid] += (sign * SPEED) / 30
    }
    const shown = film(worlds, guest, 45, doIdOf(worlds, eid))
    expect(shown.length).toBeGreaterThan(20)
    for (const { x } of shown) expect(Math.abs(x - 1000)).toBeLessThan(SPEED)
    Ours.position.x[eid] = -1000
    worlds.game = () => {}
    worlds.run(45)
    last = eid
  }
  await worlds.end()
})

test('one that was out of sight and comes back shows nothing of the time before', async () => {
  const { worlds, guest, Ours } = await stage()
  const eid = spawn(worlds, 'Runner', { position: { x: 10 } }, 1)
  worlds.game = () => {
    Ours.position.x[eid] += SPEED / 30
  }
  worlds.run(120)
  await worlds.settle(guest.client.interest.set([2]))
  worlds.run(30)
  Ours.position.x[eid] = 5000
  guest.client.interest.set([1])
  const shown = film(worlds, guest, 120, doIdOf(worlds, eid)).filter((_, index) => index > 2)
  const back = shown.filter(({ x }) => x > 100)
  expect(back.length).toBeGreaterThan(60)
  for (const { x } of back) expect(x).toBeGreaterThanOrEqual(5000)
  for (const { x } of shown) expect(x < 100 || x >= 5000).toBe(true)
  await worlds.end()
})

test('who is moved elsewhere is shown there or here, at no place in between', async () => {
  const { worlds, guest, Ours } = await stage()
  const eid = spawn(worlds, 'Runner', {}, 1)
  let tick = 0
  worlds.game = () => {
    Ours.position.x[eid] += SPEED / 30
    if (++tick % 20 !== 0) return
    Ours.position.y[eid] += 500
    Ours.moves[eid]++
  }
  worlds.run(120)
  const shown = film(worlds, guest, 900, doIdOf(worlds, eid))
  for (const { y } of shown) expect(y % 500).toBe(0)
  expect(new Set(shown.map(({ y }) => y)).size, 'and it does get about').toBeGreaterThan(18)
  const steps = shown.slice(1).map(({ x }, index) => x - shown[index]!.x)
  expect(Math.max(...steps), 'and walks on meanwhile').toBeLessThan(SPEED * FRAME * 12)
  await worlds.end()
})

test('who walks from zone to zone walks on, also into one where nobody was', async () => {
  const { worlds, guest, Ours } = await stage({ lag: 0.05, jitter: 0.01 })
  spawn(worlds, 'Runner', { position: { x: 7 } }, 3)
  const eid = spawn(worlds, 'Runner', {}, 1)
  let tick = 0
  worlds.game = () => {
    Ours.position.x[eid] += SPEED / 30
    if (++tick % 25 === 0) worlds.server.place(eid, 1 + ((tick / 25) % 3))
  }
  worlds.run(300)
  const shown = film(worlds, guest, 900, doIdOf(worlds, eid))
  const steps = shown.slice(1).map(({ x }, index) => (x - shown[index]!.x) / (SPEED * FRAME))
  expect(shown.length).toBe(900)
  expect(Math.min(...steps), 'it never stops').toBeGreaterThan(0.5)
  expect(Math.max(...steps), 'nor jumps').toBeLessThan(1.5)
  await worlds.end()
})

test('what a client owns is left alone, and shown like others when it is handed on', async () => {
  const worlds = createWorlds(
    `
    keyword interp_hermite;
    dclass Boat { int32/1000 x broadcast ownsend interp_hermite; };
    `,
    { conditions: { lag: 0.05 } },
  )
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1]))
  const { Boat: Ours } = worlds.schema.dclasses
  const { Boat: Theirs } = guest.schema.dclasses
  const owner = [...worlds.server.clients.values()][0]!
  const eid = spawn(worlds, 'Boat', { x: 5 }, 1, owner)
  worlds.run(60)
  const mine = guest.client.entityOf(doIdOf(worlds, eid))
  for (let frame = 0; frame < 120; frame++) {
    Theirs.x[mine] = frame
    worlds.run(1)
    expect(Theirs.x[mine]).toBe(frame)
  }
  worlds.server.place(eid, 1, 0)
  worlds.game = () => {
    Ours.x[eid] += SPEED / 30
  }
  worlds.run(120)
  let last = Theirs.x[mine]
  guest.play = () => {
    expect((Theirs.x[mine] - last) / (SPEED * FRAME)).toBeCloseTo(1, 1)
    last = Theirs.x[mine]
  }
  worlds.run(60)
  await worlds.end()
})
