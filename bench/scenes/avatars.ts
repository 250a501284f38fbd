import { random } from '../../src/net/random.ts'
import type { Recording, RecordedWord } from './recording.ts'

const HZ = 20
/** Metres of the square that the avatars walk in. */
const SIDE = 256
/** A slot rests this many ticks before another object gets it. */
const REST = 64

export const AVATAR_WORDS: readonly RecordedWord[] = [
  { name: 'x', bits: 16, kind: 'linear' },
  { name: 'y', bits: 16, kind: 'linear' },
  { name: 'heading', bits: 9, kind: 'angle', span: 359 },
  { name: 'health', bits: 7, kind: 'still' },
  { name: 'state', bits: 3, kind: 'still' },
  { name: 'target', bits: 10, kind: 'still' },
]

const STATES = { idle: 0, walk: 1, run: 2, fight: 3, dead: 4 } as const

/**
 * Avatars that walk, run, stand, fight and die on a plane, 20 ticks a second: positions in cm, headings in degrees. About
 * 60 % of them move; 2 % a second vanish and as many appear.
 */
export const recordAvatars = (seed: number, ticks = 1200, alive = 512): Recording => {
  const chance = random(seed)
  const width = AVATAR_WORDS.length
  const count = alive + 64
  const ids = new Uint32Array(ticks * count)
  const rows = new Uint32Array(ticks * count * width)
  let nextId = 1
  const spawn = () => {
    const isMoving = chance() < 0.6
    return {
      id: nextId++,
      x: chance() * SIDE,
      y: chance() * SIDE,
      heading: chance() * 360,
      turn: 0,
      speed: 0,
      wanted: isMoving ? 1.2 + chance() * 4 : 0,
      health: 100,
      state: STATES.idle as number,
      target: 0,
    }
  }
  type Avatar = ReturnType<typeof spawn>
  const slots: (Avatar | undefined)[] = Array.from({ length: count }, (_, slot) => (slot < alive ? spawn() : undefined))
  const freed = new Int32Array(count).fill(-REST)

  const step = (avatar: Avatar): void => {
    const isMoving = avatar.wanted > 0
    if (isMoving) {
      if (chance() < 0.012) avatar.wanted = 0
      else if (chance() < 0.02) avatar.wanted = 1.2 + chance() * 4
      if (chance() < 0.06) avatar.turn = (chance() - 0.5) * 240
      else if (chance() < 0.1) avatar.turn = 0
    } else if (chance() < 0.018) {
      avatar.wanted = 1.2 + chance() * 4
      avatar.turn = (chance() - 0.5) * 240
    } else avatar.turn = 0
    // Accelerates by 12 m/s2.
    avatar.speed += Math.max(-0.6, Math.min(0.6, avatar.wanted - avatar.speed))
    avatar.heading = (avatar.heading + (avatar.speed > 0 ? avatar.turn / HZ : 0) + 360) % 360
    const angle = (avatar.heading * Math.PI) / 180
    const x = avatar.x + (Math.cos(angle) * avatar.speed) / HZ
    const y = avatar.y + (Math.sin(angle) * avatar.speed) / HZ
    if (x < 0 || x > SIDE || y < 0 || y > SIDE) avatar.heading = (avatar.heading + 180) % 360
    else {
      avatar.x = x
      avatar.y = y
    }
    if (avatar.target !== 0) {
      if (chance() < 0.1) avatar.health = Math.max(0, avatar.health - 1 - Math.floor(chance() * 12))
      if (chance() < 0.02) avatar.target = 0
    } else {
      if (chance() < 0.004) avatar.target = 1 + Math.floor(chance() * 1000)
      if (avatar.health < 100 && chance() < 0.05) avatar.health++
    }
    if (avatar.health === 0) {
      avatar.wanted = 0
      avatar.target = 0
    }
    const gait = avatar.speed > 3 ? STATES.run : avatar.speed > 0 ? STATES.walk : STATES.idle
    avatar.state = avatar.health === 0 ? STATES.dead : avatar.target !== 0 && gait === STATES.idle ? STATES.fight : gait
  }

  for (let tick = 0; tick < ticks; tick++) {
    let gone = 0
    for (let slot = 0; slot < count; slot++) {
      const avatar = slots[slot]
      if (!avatar) continue
      if (tick > 0 && chance() < 0.02 / HZ) {
        slots[slot] = undefined
        freed[slot] = tick
        gone++
      } else if (tick > 0) step(avatar)
    }
    for (let slot = 0; slot < count && gone > 0; slot++)
      if (!slots[slot] && tick - freed[slot]! >= REST) {
        slots[slot] = spawn()
        gone--
      }
    slots.forEach((avatar, slot) => {
      if (!avatar) return
      ids[tick * count + slot] = avatar.id
      const { x, y, heading, health, state, target } = avatar
      const quantised = [x * 100, y * 100, heading % 359.4, health, state, target].map(Math.round)
      rows.set(quantised, (tick * count + slot) * width)
    })
  }
  return { name: `avatars seed ${seed}`, hz: HZ, ticks, count, words: AVATAR_WORDS, ids, rows }
}
