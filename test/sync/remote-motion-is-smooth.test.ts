import { expect, test } from 'vitest'
import { createWorlds, FRAME, seenBy, spawn } from '../support/worlds.ts'

const DC = `
keyword interp_linear;
keyword interp_angle;
dclass Avatar {
  int32/1000 x broadcast ram interp_linear;
  int16/10%360 heading broadcast ram interp_angle;
  int32/1000 step broadcast ram;
};
`
/** Units a second. */
const SPEED = 6

const stage = async (conditions: object, fields = {}, server = {}) => {
  const worlds = createWorlds(DC, { conditions, server, client: { timeout: 30 } })
  const guest = await worlds.join()
  const eid = spawn(worlds, 'Avatar', fields, 1)
  await worlds.settle(guest.client.interest.set([1]))
  const mine = seenBy(worlds, guest, eid)
  const { Avatar: Ours } = worlds.schema.dclasses
  const { Avatar: Theirs } = guest.schema.dclasses
  /** Runs so many frames and tells what each showed. */
  const film = (frames: number, column: () => number) => {
    const shown: number[] = []
    guest.play = () => shown.push(column())
    worlds.run(frames)
    return shown
  }
  return { worlds, guest, eid, mine, Ours, Theirs, film }
}

const steps = (shown: number[]) => shown.slice(1).map((value, index) => value - shown[index]!)

test.each([
  ['a steady link', { lag: 0.05 }],
  ['a jittery link', { lag: 0.05, jitter: 0.03 }],
  ['a link that loses and reorders', { lag: 0.05, jitter: 0.02, loss: 0.02, reorder: 0.02 }],
  ['a link that doubles and reorders', { lag: 0.05, duplicate: 0.5, reorder: 0.1 }],
])('constant speed on the server is constant speed on the screen (%s)', async (_name, conditions) => {
  const { worlds, eid, mine, Ours, Theirs, film } = await stage(conditions)
  worlds.game = () => {
    Ours.x[eid] += SPEED / 30
  }
  worlds.run(600)
  const moved = steps(film(600, () => Theirs.x[mine]))
  const even = moved.filter(step => Math.abs(step / (SPEED * FRAME) - 1) < 0.05)
  expect(Math.min(...moved), 'it never goes backwards').toBeGreaterThanOrEqual(0)
  expect(even.length / moved.length, 'share of frames within 5 % of the speed').toBeGreaterThan(0.95)
  expect(Math.max(...moved), 'no frame jumps').toBeLessThan(SPEED * FRAME * 2.5)
  await worlds.end()
})

test('an object that starts to move after a long rest does not jump', async () => {
  const { worlds, eid, mine, Ours, Theirs, film } = await stage({ lag: 0.05, jitter: 0.02 }, { x: 50 })
  worlds.run(900)
  expect(Theirs.x[mine], 'at rest').toBe(50)
  worlds.game = () => {
    Ours.x[eid] += SPEED / 30
  }
  const shown = film(120, () => Theirs.x[mine])
  const moved = steps(shown)
  expect(shown[0], 'it starts where it stood').toBe(50)
  expect(Math.max(...moved), 'no frame moves much farther than the speed').toBeLessThan(SPEED * FRAME * 1.5)
  expect(Math.min(...moved), 'none goes back').toBeGreaterThanOrEqual(0)
  expect(shown.at(-1), 'and it got going').toBeGreaterThan(55)
  await worlds.end()
})

test('and it is shown resting for as long as it rested', async () => {
  const { worlds, eid, mine, Ours, Theirs, film } = await stage({ lag: 0.05 })
  worlds.run(300)
  // Moves for a tenth of a second in each second.
  let tick = 0
  worlds.game = () => {
    if (tick++ % 30 < 3) Ours.x[eid] += 1
  }
  worlds.run(300)
  const moved = steps(film(600, () => Theirs.x[mine]))
  const resting = moved.filter(step => step === 0).length / moved.length
  expect(resting, 'share of frames at rest').toBeGreaterThan(0.65)
  expect(resting).toBeLessThan(0.92)
  await worlds.end()
})

test('an angle passes 360 the short way', async () => {
  const { worlds, eid, mine, Ours, Theirs, film } = await stage({ lag: 0.05, jitter: 0.01 }, { heading: 300 })
  worlds.game = () => {
    Ours.heading[eid] += 3
  }
  worlds.run(300)
  const shown = film(600, () => Theirs.heading[mine])
  const turned = steps(shown).map(step => (step < -180 ? step + 360 : step))
  expect(Math.max(...shown), 'it comes close to 360').toBeGreaterThan(355)
  expect(Math.min(...shown), 'and passes 0').toBeLessThan(5)
  expect(Math.max(...turned), 'it never swings round the long way').toBeLessThan(3 * 2)
  expect(Math.min(...turned), 'nor back').toBeGreaterThanOrEqual(0)
  expect(
    shown.every(angle => angle >= 0 && angle < 360),
    'and stays within 0 to 360',
  ).toBe(true)
  await worlds.end()
})

test('what came to rest is shown exactly where it rests', async () => {
  const { worlds, eid, mine, Ours, Theirs } = await stage({ lag: 0.08, jitter: 0.05, loss: 0.2, reorder: 0.2 })
  worlds.game = () => {
    Ours.x[eid] += 0.137
    Ours.heading[eid] -= 7.3
  }
  worlds.run(301)
  worlds.game = () => {}
  Ours.x[eid] = 123.457
  Ours.heading[eid] = 359.9
  worlds.run(120)
  expect(Theirs.x[mine], 'x').toBe(123.457)
  expect(Theirs.heading[mine], 'heading').toBe(Math.fround(359.9))
  await worlds.end()
})

test('what is not interpolated is shown as it arrives', async () => {
  const { worlds, eid, mine, Ours, Theirs, film } = await stage({ lag: 0.05 })
  let tick = 0
  worlds.game = () => {
    Ours.step[eid] = tick++ % 60 < 30 ? 0 : 1000
  }
  const shown = film(300, () => Theirs.step[mine])
  expect(new Set(shown), 'no value in between').toEqual(new Set([0, 1000]))
  await worlds.end()
})

test('while ticks wrap at 2^32 nothing is to be seen of it', async () => {
  const { worlds, eid, mine, Ours, Theirs, film } = await stage({ lag: 0.05 }, {}, { firstTick: 0xffffffff - 450 })
  worlds.game = () => {
    Ours.x[eid] += SPEED / 30
  }
  worlds.run(600)
  const before = worlds.server.tick
  const moved = steps(film(600, () => Theirs.x[mine]))
  expect(worlds.server.tick, 'it did wrap').toBeLessThan(before)
  for (const step of moved) expect(step / (SPEED * FRAME)).toBeCloseTo(1, 1)
  await worlds.end()
})

test('ten seconds of silence, then it goes on where the object is', async () => {
  const { worlds, eid, mine, Ours, Theirs, film } = await stage({ lag: 0.05 }, {}, { timeout: 30 })
  worlds.game = () => {
    Ours.x[eid] += SPEED / 30
  }
  worlds.run(300)
  const { down } = worlds.network.conditions
  down.loss = 1
  const silent = film(600, () => Theirs.x[mine])
  expect(silent.at(-1), 'it comes to a halt').toBe(silent[200])
  expect(silent.at(-1)! - silent[0]!, 'after no more than half a second').toBeLessThan(SPEED * 0.6)
  down.loss = 0
  worlds.run(90)
  const shown = film(120, () => Theirs.x[mine])
  for (const step of steps(shown)) expect(step / (SPEED * FRAME)).toBeCloseTo(1, 1)
  expect(Ours.x[eid] - shown.at(-1)!).toBeLessThan(SPEED * 0.25)
  await worlds.end()
})
