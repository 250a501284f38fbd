import RAPIER from '@dimforge/rapier3d-compat'
import { encodeQuaternion, QUATERNION_BITS } from 'bitecs-pipes/dc'
import { ARENA, BIG_HALF, FORCE, ROWS, SEATS, SMALL_CUBES, SMALL_HALF, TICK_RATE } from '../scene.ts'
import { POSE } from './bus.ts'

/** Metres from a player's cube within which it pulls and pushes. */
const REACH = 5.25
/** Metres a second that a player's cube is driven to at most. */
const SPEED = 8

interface Player {
  readonly body: RAPIER.RigidBody
  x: number
  y: number
  force: number
}

/** Rapier's world of the 900 small cubes and those of the players, z up. */
export const createSimulation = async () => {
  await RAPIER.init()
  const world = new RAPIER.World({ x: 0, y: 0, z: -20 })
  world.timestep = 1 / TICK_RATE
  const ground = world.createRigidBody(RAPIER.RigidBodyDesc.fixed())
  world.createCollider(RAPIER.ColliderDesc.cuboid(ARENA * 2, ARENA * 2, 1).setTranslation(0, 0, -1), ground)
  world.createCollider(RAPIER.ColliderDesc.cuboid(ARENA * 2, ARENA * 2, 1).setTranslation(0, 0, 41), ground)
  for (const [x, y] of [
    [ARENA + 1, 0],
    [-ARENA - 1, 0],
    [0, ARENA + 1],
    [0, -ARENA - 1],
  ] as const)
    world.createCollider(
      RAPIER.ColliderDesc.cuboid(x === 0 ? ARENA + 2 : 1, y === 0 ? ARENA + 2 : 1, 20).setTranslation(x, y, 20),
      ground,
    )

  const addCube = (half: number, x: number, y: number, z: number): RAPIER.RigidBody => {
    const body = world.createRigidBody(
      RAPIER.RigidBodyDesc.dynamic().setTranslation(x, y, z).setLinearDamping(0.05).setAngularDamping(0.1),
    )
    const friction = half === BIG_HALF ? 0.9 : 0.7
    world.createCollider(
      RAPIER.ColliderDesc.cuboid(half, half, half).setDensity(1).setFriction(friction).setRestitution(0.05),
      body,
    )
    return body
  }

  const cubes = Array.from({ length: SMALL_CUBES }, (_, index) => {
    const middle = (ROWS - 1) / 2
    return addCube(SMALL_HALF, (index % ROWS) - middle, Math.floor(index / ROWS) - middle, SMALL_HALF + 0.002)
  })
  const players: (Player | undefined)[] = Array.from({ length: SEATS })

  /** Where everything is, `[cubes and seats x POSE]`, and the same as it crosses the wire, to count what differs. */
  const poses = new Float32Array((SMALL_CUBES + SEATS) * POSE)
  const wire = new Int32Array((SMALL_CUBES + SEATS) * POSE)
  const isChanged = new Uint8Array(SMALL_CUBES + SEATS)
  const quaternion = [0, 0, 0, 0]

  /** Reads one body; returns whether a client would see a difference. */
  const read = (index: number, body: RAPIER.RigidBody): boolean => {
    const { x, y, z } = body.translation()
    const turn = body.rotation()
    const isAwake = body.isSleeping() ? 0 : 1
    poses.set([x, y, z, turn.x, turn.y, turn.z, turn.w, isAwake], index * POSE)
    encodeQuaternion(turn.x, turn.y, turn.z, turn.w, QUATERNION_BITS.quat32, quaternion)
    let differs = false
    const next = [Math.round(x * 512), Math.round(y * 512), Math.round(z * 512), ...quaternion, isAwake]
    next.forEach((value, part) => {
      const at = index * POSE + part
      if (wire[at] !== value) differs = true
      wire[at] = value
    })
    return differs
  }

  const drive = ({ body, x, y }: Player): void => {
    body.resetForces(false)
    body.resetTorques(false)
    const push = Math.hypot(x, y)
    if (push < 0.05) return
    const velocity = body.linvel()
    // Never faster along the way that it is pushed; sideways it may slow down at any speed.
    if ((velocity.x * x + velocity.y * y) / push > SPEED * Math.min(1, push)) return
    const mass = body.mass()
    const strength = 26 * mass
    body.addForce({ x: x * strength, y: y * strength, z: 0 }, true)
    body.addTorque({ x: -0.5 * strength * y, y: 0.5 * strength * x, z: 0 }, true)
  }

  const attract = (player: Player): void => {
    if (player.force === FORCE.none) return
    const at = player.body.translation()
    const strength = player.force === FORCE.pull ? 9 : -12
    for (let index = 0; index < SMALL_CUBES; index++) {
      const x = at.x - poses[index * POSE]!
      const y = at.y - poses[index * POSE + 1]!
      const z = at.z + 0.3 - poses[index * POSE + 2]!
      const distance = Math.hypot(x, y, z)
      if (distance >= REACH || distance < 0.1) continue
      const body = cubes[index]!
      const impulse = (body.mass() * (REACH - distance) * strength) / distance / TICK_RATE
      body.applyImpulse({ x: x * impulse, y: y * impulse, z: z * impulse }, true)
    }
  }

  return {
    poses,
    isChanged,
    /** Puts a new cube at a seat, round the field. */
    addPlayer(seat: number): void {
      const angle = seat * 2.4 - Math.PI / 2
      const far = ARENA - 3
      const body = addCube(BIG_HALF, Math.cos(angle) * far, Math.sin(angle) * far, BIG_HALF + 0.5)
      players[seat] = { body, x: 0, y: 0, force: FORCE.none }
    },
    removePlayer(seat: number): void {
      const player = players[seat]
      if (player) world.removeRigidBody(player.body)
      players[seat] = undefined
    },
    steer(seat: number, x: number, y: number, force: number): void {
      const player = players[seat]
      // What comes from a page may be 1 in both.
      const shrink = 1 / Math.max(1, Math.hypot(x, y))
      if (player) Object.assign(player, { x: x * shrink, y: y * shrink, force })
    },
    /** Moves on by a tick and marks what changed in `isChanged`. Returns how many that are. */
    step(): number {
      for (const player of players) {
        if (!player) continue
        drive(player)
        attract(player)
      }
      world.step()
      let changed = 0
      const look = (index: number, body: RAPIER.RigidBody): void => {
        // What sleeps, and slept when it was read last, is where it was.
        isChanged[index] = poses[index * POSE + 7] === 0 && body.isSleeping() ? 0 : Number(read(index, body))
        changed += isChanged[index]!
      }
      cubes.forEach((body, index) => look(index, body))
      players.forEach((player, seat) => {
        if (player) look(SMALL_CUBES + seat, player.body)
        else isChanged[SMALL_CUBES + seat] = 0
      })
      return changed
    },
  }
}
