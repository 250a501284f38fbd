import RAPIER from '@dimforge/rapier3d-compat'
import { encodeQuaternion } from '../../src/dc/index.ts'
import { random } from '../../src/net/random.ts'
import type { Recording, RecordedWord } from './recording.ts'

/** One big cube that is driven about, and 30 x 30 small ones. */
const CUBES = 901
/** Ticks that are simulated before the recording starts, so that everything lies still. */
const SETTLING = 60
const HZ = 60
/** How far the big cube draws small ones, in metres: so that about 81 cubes differ from 100 ms before, as in that article's scene. */
const REACH = 5.25
/** Steps a metre, and the metres that 0 stands for: 18 bits hold 512 m. */
const STEPS = 512
const OFFSET = 256
/** Bits of one of the three smallest components of a quaternion. */
export const COMPONENT_BITS = 9

export const CUBE_WORDS: readonly RecordedWord[] = [
  { name: 'x', bits: 18, kind: 'linear' },
  { name: 'y', bits: 18, kind: 'linear' },
  { name: 'z', bits: 14, kind: 'linear' },
  { name: 'index', bits: 2, kind: 'quaternion' },
  { name: 'a', bits: COMPONENT_BITS, kind: 'component' },
  { name: 'b', bits: COMPONENT_BITS, kind: 'component' },
  { name: 'c', bits: COMPONENT_BITS, kind: 'component' },
  { name: 'interacting', bits: 1, kind: 'still' },
]

const clamp = (value: number, most: number): number => Math.min(most, Math.max(0, Math.floor(value + 0.5)))

/**
 * Simulates the scene of Glenn Fiedler's "Snapshot Compression" with Rapier, 60 ticks a second: a cube of 1.5 m rolls
 * between chosen points, draws the small ones near it to itself for 5 of 9 seconds, and hops for 1.5.
 */
export const recordCubes = async (seed: number, ticks = 1200): Promise<Recording> => {
  await RAPIER.init()
  const chance = random(seed)
  const world = new RAPIER.World({ x: 0, y: 0, z: -20 })
  world.timestep = 1 / HZ
  const ground = world.createRigidBody(RAPIER.RigidBodyDesc.fixed())
  world.createCollider(RAPIER.ColliderDesc.cuboid(200, 200, 1).setTranslation(0, 0, -1).setFriction(0.8), ground)
  for (const [x, y] of [
    [41, 0],
    [-41, 0],
    [0, 41],
    [0, -41],
  ] as const)
    world.createCollider(
      RAPIER.ColliderDesc.cuboid(x === 0 ? 42 : 1, y === 0 ? 42 : 1, 20).setTranslation(x, y, 20),
      ground,
    )

  const bodies = Array.from({ length: CUBES }, (_, index) => {
    const half = index === 0 ? 0.75 : 0.2
    const small = index - 1
    const description =
      index === 0
        ? RAPIER.RigidBodyDesc.dynamic().setTranslation(-15.5, -15.5, 1.25).setCanSleep(false)
        : RAPIER.RigidBodyDesc.dynamic()
            .setTranslation((small % 30) - 14.5, Math.floor(small / 30) - 14.5, half + 0.002)
            .setLinearDamping(0.05)
            .setAngularDamping(0.1)
    const body = world.createRigidBody(description)
    world.createCollider(
      RAPIER.ColliderDesc.cuboid(half, half, half)
        .setDensity(1)
        .setFriction(index === 0 ? 0.9 : 0.7)
        .setRestitution(0.05),
      body,
    )
    return body
  })
  const player = bodies[0]!
  const mass = player.mass()

  const width = CUBE_WORDS.length
  const ids = new Uint32Array(ticks * CUBES)
  const rows = new Uint32Array(ticks * CUBES * width)
  const quaternion = [0, 0, 0, 0]
  let goal = { x: -6, y: -6 }
  let chosen = 0
  for (let step = 0; step < ticks + SETTLING; step++) {
    const at = player.translation()
    const velocity = player.linvel()
    if (step - chosen > 150 || Math.hypot(goal.x - at.x, goal.y - at.y) < 1.5) {
      goal = { x: (chance() - 0.5) * 26, y: (chance() - 0.5) * 26 }
      chosen = step
    }
    const phase = step % 540
    if (step >= SETTLING) {
      player.resetForces(true)
      player.resetTorques(true)
      const x = goal.x - at.x
      const y = goal.y - at.y
      const push = (26 * mass) / (Math.hypot(x, y) || 1)
      if (Math.hypot(velocity.x, velocity.y) < 6) {
        player.addForce({ x: push * x, y: push * y, z: 0 }, true)
        player.addTorque({ x: -0.5 * push * y, y: 0.5 * push * x, z: 0 }, true)
      }
      if (phase >= 450 && step % 45 === 0) player.applyImpulse({ x: 0, y: 0, z: mass * 7 }, true)
      if (phase >= 150 && phase < 450)
        for (const body of bodies.slice(1)) {
          const from = body.translation()
          const pull = { x: at.x - from.x, y: at.y - from.y, z: at.z + 0.3 - from.z }
          const distance = Math.hypot(pull.x, pull.y, pull.z)
          if (distance >= REACH) continue
          const impulse = (body.mass() * (REACH - distance) * 9) / distance / HZ
          body.applyImpulse({ x: pull.x * impulse, y: pull.y * impulse, z: pull.z * impulse }, true)
        }
    }
    world.step()
    if (step < SETTLING) continue
    const tick = step - SETTLING
    bodies.forEach((body, slot) => {
      const { x, y, z } = body.translation()
      const turn = body.rotation()
      ids[tick * CUBES + slot] = slot + 1
      const row = (tick * CUBES + slot) * width
      rows[row] = clamp((x + OFFSET) * STEPS, 2 ** 18 - 1)
      rows[row + 1] = clamp((y + OFFSET) * STEPS, 2 ** 18 - 1)
      rows[row + 2] = clamp(z * STEPS, 2 ** 14 - 1)
      encodeQuaternion(turn.x, turn.y, turn.z, turn.w, COMPONENT_BITS, quaternion)
      rows.set(quaternion, row + 3)
      rows[row + 7] = body.isSleeping() ? 0 : 1
    })
  }
  world.free()
  return { name: `cubes seed ${seed}`, hz: HZ, ticks, count: CUBES, words: CUBE_WORDS, ids, rows }
}
