import { random } from '../../src/net/random.ts'
import { CUBE_WORDS, recordCubes } from '../scenes/cubes.ts'

/** What a game does, tick by tick, already in whole numbers: the same for every peer. */
export interface Scene {
  readonly name: string
  /** Ticks a second. */
  readonly hz: number
  /** Slots; an object keeps its slot while it lives. */
  readonly capacity: number
  readonly fields: readonly { readonly name: string; readonly bits: number }[]
  readonly hasNames: boolean
  /** Zones a row; 1: every client sees everything. */
  readonly grid: number
  /** The next tick; the frame is valid until the one after. */
  step(): Frame
}

/** The world after a tick, and what changed in it. */
export interface Frame {
  tick: number
  /** Value by field and slot. */
  readonly columns: readonly Uint32Array[]
  readonly names: string[]
  /** Zone of the object in each slot, 1 and up; 0: nobody is there. */
  readonly zones: Uint32Array
  /** Slots: new objects, gone ones, and others that changed. */
  spawned: number[]
  despawned: number[]
  changed: number[]
  /** Of changed slots: bit i, field i did. */
  readonly masks: Uint32Array
  readonly clients: View[]
}

/** What one client sees: slots now, and those that came into sight or went out of it. */
export interface View {
  zones: readonly number[]
  visible: readonly number[]
  entered: readonly number[]
  left: readonly number[]
}

/** Ticks that a slot rests before another object gets it. */
const REST = 64
/** Cm of a zone's side. */
const ZONE = 6400

const emptyFrame = (capacity: number, fields: number, clients: number): Frame => ({
  tick: -1,
  columns: Array.from({ length: fields }, () => new Uint32Array(capacity)),
  names: Array.from({ length: capacity }, () => ''),
  zones: new Uint32Array(capacity),
  spawned: [],
  despawned: [],
  changed: [],
  masks: new Uint32Array(capacity),
  clients: Array.from({ length: clients }, () => ({ zones: [], visible: [], entered: [], left: [] })),
})

const startFrame = (frame: Frame): void => {
  frame.tick++
  frame.spawned = []
  frame.despawned = []
  frame.changed = []
}

/** Writes an object's values and notes what that changed. */
const put = (frame: Frame, slot: number, values: readonly number[], isNew: boolean): void => {
  let mask = 0
  for (let field = 0; field < values.length; field++) {
    const column = frame.columns[field]!
    if (column[slot] === values[field]) continue
    column[slot] = values[field]!
    mask |= 1 << field
  }
  if (isNew) frame.spawned.push(slot)
  else if (mask !== 0) frame.changed.push(slot)
  frame.masks[slot] = mask
}

/** Brings up to date what each client sees: the 3 x 3 zones around `centres[client]`. */
const look = (frame: Frame, grid: number, centres: (client: number) => number): void => {
  const here: number[][] = Array.from({ length: grid * grid + 1 }, () => [])
  frame.zones.forEach((zone, slot) => zone > 0 && here[zone]!.push(slot))
  frame.clients.forEach((view, client) => {
    const before = new Set(view.visible)
    const x = (centres(client) - 1) % grid
    const y = Math.floor((centres(client) - 1) / grid)
    const zones: number[] = []
    for (let row = Math.max(0, y - 1); row <= Math.min(grid - 1, y + 1); row++)
      for (let column = Math.max(0, x - 1); column <= Math.min(grid - 1, x + 1); column++)
        zones.push(row * grid + column + 1)
    if (zones.join() !== view.zones.join()) view.zones = zones
    view.visible = zones.flatMap(zone => here[zone]!)
    const now = new Set(view.visible)
    view.entered = view.visible.filter(slot => !before.has(slot))
    view.left = [...before].filter(slot => !now.has(slot))
    // A slot that got another object is seen anew.
    const renewed = frame.spawned.filter(slot => before.has(slot) && now.has(slot))
    if (renewed.length > 0) throw new Error('a slot was used again too soon')
  })
}

/** 901 cubes, all of which every client sees: a ball rolls through them, 60 ticks a second. */
export const cubes = async (clients: number, ticks: number): Promise<Scene> => {
  const { count, rows, words } = await recordCubes(7, ticks)
  const frame = emptyFrame(count, words.length, clients)
  const all = Array.from({ length: count }, (_, slot) => slot)
  frame.zones.fill(1)
  return {
    name: 'cubes',
    hz: 60,
    capacity: count,
    fields: CUBE_WORDS.map(({ name, bits }) => ({ name, bits })),
    hasNames: false,
    grid: 1,
    step() {
      startFrame(frame)
      const at = frame.tick * count * words.length
      for (let slot = 0; slot < count; slot++) {
        const row = at + slot * words.length
        put(frame, slot, Array.from(rows.subarray(row, row + words.length)), frame.tick === 0)
      }
      for (const view of frame.clients) {
        view.zones = [1]
        view.visible = all
        view.entered = frame.tick === 0 ? all : []
      }
      return frame
    },
  }
}

/**
 * Walkers on hilly ground, 20 ticks a second: about 60 % of them walk; each second 1 % vanish and as many come; now and then
 * one is hurt. The first ones are the clients' own, which never stop and never vanish.
 */
export const walkers = (count: number, grid: number, clients: number): Scene => {
  const chance = random(count)
  const hz = 20
  const side = grid * ZONE
  const capacity = count + Math.ceil(count * 0.1) + 32
  const frame = emptyFrame(capacity, 5, clients)
  interface Walker {
    x: number
    y: number
    heading: number
    turn: number
    speed: number
    health: number
  }
  const slots: (Walker | undefined)[] = Array.from({ length: capacity })
  const freed = new Float64Array(capacity).fill(-REST)
  const isPlayer = (slot: number) => slot < clients
  const pace = () => 150 + chance() * 500
  const height = (x: number, y: number) =>
    2000 + 900 * Math.sin(x * 0.0005) * Math.cos(y * 0.0004) + 500 * Math.sin(x * 0.0013)

  const spawn = (slot: number): void => {
    const speed = isPlayer(slot) || chance() < 0.6 ? pace() : 0
    slots[slot] = { x: chance() * side, y: chance() * side, heading: chance(), turn: 0, speed, health: 255 }
    frame.names[slot] = `${isPlayer(slot) ? 'Player' : 'Walker'}-${Math.floor(chance() * 10_000)}`
  }
  const walk = (walker: Walker, slot: number): void => {
    if (walker.speed === 0) {
      if (chance() < 0.015) walker.speed = pace()
    } else {
      if (chance() < 0.06) walker.turn = chance() * 0.5 - 0.25
      else if (chance() < 0.1) walker.turn = 0
      walker.heading = (walker.heading + 1 + walker.turn / hz) % 1
      walker.x += (Math.cos(walker.heading * 2 * Math.PI) * walker.speed) / hz
      walker.y += (Math.sin(walker.heading * 2 * Math.PI) * walker.speed) / hz
      const isOut = walker.x < 0 || walker.y < 0 || walker.x > side - 1 || walker.y > side - 1
      walker.x = Math.max(0, Math.min(side - 1, walker.x))
      walker.y = Math.max(0, Math.min(side - 1, walker.y))
      if (isOut) walker.heading = chance()
      if (!isPlayer(slot) && chance() < 0.01) walker.speed = 0
    }
    if (chance() < 0.005) walker.health = chance() < 0.2 ? 255 : Math.max(1, walker.health - Math.floor(chance() * 20))
  }
  const valuesOf = ({ x, y, heading, health }: Walker) => [
    Math.round(x),
    Math.round(y),
    Math.max(0, Math.min(4095, Math.round(height(x, y)))),
    Math.floor(heading * 1024) & 1023,
    health,
  ]
  const zoneOf = (slot: number) =>
    1 + Math.floor(frame.columns[1]![slot]! / ZONE) * grid + Math.floor(frame.columns[0]![slot]! / ZONE)

  return {
    name: `arena${count}`,
    hz,
    capacity,
    fields: [
      { name: 'x', bits: 16 },
      { name: 'y', bits: 16 },
      { name: 'z', bits: 12 },
      { name: 'heading', bits: 10 },
      { name: 'health', bits: 8 },
    ],
    hasNames: true,
    grid,
    step() {
      startFrame(frame)
      const { tick } = frame
      const isNew = new Set<number>()
      let missing = tick === 0 ? count : 0
      for (let slot = 0; slot < capacity && tick > 0; slot++) {
        const walker = slots[slot]
        if (!walker) continue
        if (!isPlayer(slot) && chance() < 0.01 / hz) {
          slots[slot] = undefined
          freed[slot] = tick
          frame.zones[slot] = 0
          frame.despawned.push(slot)
          missing++
        } else walk(walker, slot)
      }
      for (let slot = 0; slot < capacity && missing > 0; slot++) {
        if (slots[slot] || tick - freed[slot]! < REST) continue
        spawn(slot)
        isNew.add(slot)
        missing--
      }
      for (let slot = 0; slot < capacity; slot++) {
        const walker = slots[slot]
        if (!walker) continue
        put(frame, slot, valuesOf(walker), isNew.has(slot))
        frame.zones[slot] = zoneOf(slot)
      }
      look(frame, grid, client => frame.zones[client]!)
      return frame
    },
  }
}

/** Makes a scene by its name, for so many clients. */
export const createScene = async (name: string, clients: number, ticks: number): Promise<Scene> => {
  if (name === 'cubes') return cubes(clients, ticks)
  if (name === 'arena200') return walkers(200, 4, clients)
  if (name === 'arena2000') return walkers(2000, 9, clients)
  throw new Error(`There is no scene ${name}: cubes, arena200 and arena2000 are there.`)
}
