import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createImpostor } from '../support/impostor.ts'
import { clientOf, createWorlds, seenBy, spawn, type Guest } from '../support/worlds.ts'
import { bitWriter, writeBits, writtenBytes } from '../../src/net/bits.ts'

const DC = `
struct Pose { float32 height; quat48 turn; int16/10 tilt; };
dclass Ship {
  float32 mass = <0000803f> broadcast;
  float16 heat broadcast;
  quat32 turn broadcast;
  Pose pose broadcast;
  bool isOpen = 1 broadcast;
  float16 path[] broadcast;
  float32 throttle broadcast ownsend;
  quat32 aim broadcast ownsend;
  turned(quat48 to, float32 by, bool isFast) broadcast;
};
`

const rotation = (columns: any, eid: number) => ['x', 'y', 'z', 'w'].map(part => columns[part][eid] as number)

/** Degrees between two rotations of any length. */
const angle = (a: number[], b: number[]) => {
  const [p, q] = [a, b].map(parts => parts.map(part => part / Math.hypot(...parts)))
  const sign = p!.reduce((sum, part, at) => sum + part * q![at]!, 0) < 0 ? -1 : 1
  return (4 * Math.asin(Math.min(1, Math.hypot(...p!.map((part, at) => part - sign * q![at]!)) / 2)) * 180) / Math.PI
}

const start = async () => {
  const worlds = createWorlds(DC)
  const guests = [await worlds.join(), await worlds.join()] as const
  const eid = spawn(worlds, 'Ship', {}, 1, clientOf(worlds, guests[0]))
  for (const guest of guests) await worlds.settle(guest.client.interest.set([1]))
  worlds.run(4)
  const ship = (guest: Guest) => guest.schema.dclasses.Ship
  const mine = (guest: Guest) => seenBy(worlds, guest, eid)
  return { worlds, guests, eid, Ship: worlds.schema.dclasses.Ship, ship, mine }
}

test('columns are Float32Arrays, of a quaternion one for each part; defaults arrive', async () => {
  const { worlds, guests, ship, mine } = await start()
  for (const guest of guests) {
    const Ship = ship(guest)
    const eid = mine(guest)
    expect([Ship.mass, Ship.heat, Ship.turn.w, Ship.pose.turn.x].map(each => each.constructor.name)).toEqual(
      Array(4).fill('Float32Array'),
    )
    expect(Ship.isOpen).toBeInstanceOf(Uint8Array)
    expect([Ship.mass[eid], Ship.heat[eid], Ship.isOpen[eid], Ship.path[eid]]).toEqual([1, 0, 1, []])
    expect([rotation(Ship.turn, eid), rotation(Ship.pose.turn, eid)]).toEqual([
      [0, 0, 0, 1],
      [0, 0, 0, 1],
    ])
  }
  await worlds.end()
})

test('any float arrives as its nearest one, any rotation within its bound, and alike at all clients', async () => {
  const { worlds, guests, eid, Ship, ship, mine } = await start()
  const real = fc.double({ min: -1e30, max: 1e30, noNaN: true })
  const half = fc.double({ min: -65504, max: 65504, noNaN: true })
  const turn = fc
    .tuple(...Array.from({ length: 4 }, () => fc.double({ min: -1, max: 1, noNaN: true })))
    .filter(parts => Math.hypot(...parts) > 0.1)
  fc.assert(
    fc.property(real, half, turn, turn, fc.boolean(), (mass, heat, first, second, isOpen) => {
      Ship.mass[eid] = mass
      Ship.heat[eid] = heat
      Ship.pose.height[eid] = -mass
      Ship.isOpen[eid] = isOpen
      ;['x', 'y', 'z', 'w'].forEach((part, at) => {
        Ship.turn[part][eid] = first[at]
        Ship.pose.turn[part][eid] = second[at]
      })
      worlds.run(8)
      const seen = guests.map(guest => {
        const Here = ship(guest)
        const here = mine(guest)
        return {
          mass: Here.mass[here],
          height: Here.pose.height[here],
          heat: Here.heat[here],
          isOpen: Here.isOpen[here],
          turn: rotation(Here.turn, here),
          pose: rotation(Here.pose.turn, here),
        }
      })
      expect(seen[0], 'bit by bit the same').toEqual(seen[1])
      expect([seen[0]!.mass, seen[0]!.height, seen[0]!.isOpen]).toEqual([
        Math.fround(mass),
        Math.fround(-mass),
        +isOpen,
      ])
      expect(Math.abs(seen[0]!.heat - heat)).toBeLessThanOrEqual(Math.max(2 ** -25, Math.abs(heat) * 2 ** -11))
      expect(angle(seen[0]!.turn, first)).toBeLessThan(0.28)
      expect(angle(seen[0]!.pose, second)).toBeLessThan(0.0087)
      for (const each of [seen[0]!.turn, seen[0]!.pose]) expect(Math.abs(Math.hypot(...each) - 1)).toBeLessThan(1e-6)
    }),
    { numRuns: 40 },
  )
  await worlds.end()
})

test('the owner writes them, and so do messages and lists', async () => {
  const { worlds, guests, eid, Ship, ship, mine } = await start()
  const [owner, other] = guests
  const here = mine(owner)
  ship(owner).throttle[here] = 0.1
  const spin = [Math.SQRT1_2, 0, 0, -Math.SQRT1_2]
  ;['x', 'y', 'z', 'w'].forEach((part, at) => (ship(owner).aim[part][here] = spin[at]))
  worlds.run(10)
  for (const [Class, id] of [
    [Ship, eid],
    [ship(other), mine(other)],
  ]) {
    expect(Class.throttle[id]).toBe(Math.fround(0.1))
    expect(angle(rotation(Class.aim, id), spin)).toBeLessThan(0.28)
  }
  expect(rotation(ship(owner).aim, here), "the owner's own are as it wrote them").toEqual(spin.map(Math.fround))
  Ship.path[eid] = [0.5, 1, 65504]
  const heard: any[] = []
  other.client.on(ship(other).turned, (_eid, args) => heard.push(args))
  worlds.server.sendUpdate(eid, Ship.turned, { to: [0, 1, 0, 0], by: 1.5, isFast: true })
  worlds.run(10)
  expect(ship(other).path[mine(other)]).toEqual([0.5, 1, 65504])
  expect(heard).toEqual([{ to: [0, 1, 0, 0], by: 1.5, isFast: true }])
  await worlds.end()
})

test('what is no rotation, or beyond a half float, stays behind and is told', async () => {
  const complaints: string[] = []
  const worlds = createWorlds(DC, { server: { onError: error => complaints.push(String(error)) } })
  const guest = await worlds.join()
  const eid = spawn(worlds, 'Ship', {}, 1)
  await worlds.settle(guest.client.interest.set([1]))
  const { Ship } = worlds.schema.dclasses
  Ship.turn.x[eid] = NaN
  Ship.mass[eid] = 5
  worlds.run(6)
  Ship.turn.x[eid] = 0
  Ship.heat[eid] = 70000
  worlds.run(6)
  expect(complaints).toEqual([
    expect.stringContaining('Ship.turn: [NaN, 0, 0, 1] is no rotation'),
    expect.stringContaining('Ship.heat: 70000 is outside float16 (-65504 to 65504)'),
  ])
  const here = seenBy(worlds, guest, eid)
  expect([guest.schema.dclasses.Ship.mass[here], rotation(guest.schema.dclasses.Ship.turn, here)]).toEqual([
    5,
    [0, 0, 0, 1],
  ])
  await worlds.end()
})

test('a cheat uploads no NaN and no infinity', async () => {
  const worlds = createWorlds('dclass Ship { float32 throttle broadcast ownsend; float16 heat broadcast ownsend; };')
  worlds.server.onJoin(client => void spawn(worlds, 'Ship', {}, 1, client))
  const impostor = await createImpostor(worlds.network, worlds.schema, worlds.now)
  impostor.hello()
  worlds.run(6)
  const upload = (throttle: number, heat: number) => {
    const bits = bitWriter()
    writeBits(bits, throttle, 32)
    writeBits(bits, heat, 16)
    impostor.upload(1, 1, writtenBytes(bits))
    worlds.run(4)
    return worlds.server.violations.outOfRange
  }
  expect([upload(0x7fc00000, 0), upload(0x7f800000, 0), upload(0, 0xfc00), upload(0, 0x7e00)]).toEqual([1, 2, 3, 4])
  expect(upload(0x3f800000, 0x3c00), 'numbers are taken').toBe(4)
  const [eid] = [...worlds.server.clients.keys()].map(() => worlds.server.entityOf(1))
  expect([worlds.schema.dclasses.Ship.throttle[eid!], worlds.schema.dclasses.Ship.heat[eid!]]).toEqual([1, 1])
  await worlds.end()
})

test('a rotation is smoothed as one, the short way round', async () => {
  const worlds = createWorlds('dclass Ship { quat48 turn broadcast interp_quat; };')
  const guest = await worlds.join()
  const eid = spawn(worlds, 'Ship', {}, 1)
  await worlds.settle(guest.client.interest.set([1]))
  const { Ship } = worlds.schema.dclasses
  let turned = 0
  worlds.game = () => {
    turned += 0.1
    Ship.turn.z[eid] = Math.sin(turned / 2)
    Ship.turn.w[eid] = Math.cos(turned / 2)
  }
  worlds.run(60)
  const here = seenBy(worlds, guest, eid)
  let before = rotation(guest.schema.dclasses.Ship.turn, here)
  for (let frame = 0; frame < 240; frame++) {
    worlds.run(1)
    const now = rotation(guest.schema.dclasses.Ship.turn, here)
    expect(Math.abs(Math.hypot(...now) - 1)).toBeLessThan(1e-3)
    // Three radians a second: 2.9 degrees a frame.
    expect(angle(now, before)).toBeGreaterThan(1)
    expect(angle(now, before)).toBeLessThan(6)
    before = now
  }
  await worlds.end()
})
