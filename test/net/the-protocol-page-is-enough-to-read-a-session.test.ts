import { expect, test } from 'vitest'
import type { Layout } from '../../src/net/layout.ts'
import { random } from '../../src/net/random.ts'
import { removeRow, type Place } from '../../src/net/store.ts'
import { createDuo } from './duo.ts'
import { LAYOUTS } from './support.ts'

// A second implementation of the reading side, written from PROTOCOL.md: "Data packet", "State chunk", "Segment", "Audit".
// It shares no code with the library but the layouts' numbers, and does everything the plain way.

interface State {
  readonly ids: number[]
  /** Words of each slot; none when it is empty. */
  readonly rows: number[][]
}

const size = (span: number): number => (span === 0 ? 0 : Math.floor(Math.log2(span)) + 1)

/** Bits of a segment, one by one. */
const bitsOf = (bytes: readonly number[]) => {
  const bits = bytes.flatMap(byte => Array.from({ length: 8 }, (_, index) => (byte >> index) & 1))
  let at = 0
  const take = (count: number): number => {
    let value = 0
    for (let index = 0; index < count; index++) {
      if (at === bits.length) throw new Error('bits are missing')
      value += bits[at++]! * 2 ** index
    }
    return value
  }
  const isOver = () => bits.length - at < 8 && bits.slice(at).every(bit => bit === 0)
  return { take, isOver }
}

const readSegment = (bytes: readonly number[], layout: Layout, base: State | undefined): State => {
  const { take, isOver } = bitsOf(bytes)
  const { slots } = layout
  const spans = [...layout.spans]
  const ids = base ? [...base.ids] : Array.from({ length: slots }, () => 0)
  const rows = base ? base.rows.map(row => [...row]) : Array.from({ length: slots }, () => [])
  const slotSize = size(slots - 1)
  const isList = take(1) === 1
  const count = isList ? take(slotSize) : 0
  const bitmap = isList
    ? []
    : Array.from({ length: slots }, (_, slot) => (take(1) === 1 ? slot : -1)).filter(slot => slot >= 0)
  const word = (old: number, span: number): number => {
    const bits = size(span)
    if (bits === 0 || take(1) === 0) return old
    if (bits <= 4) return take(bits)
    const sizes = bits <= 20 ? [2, 3, 4, 5, 6, 8, 11, 32] : [2, 3, 5, 7, 9, 12, 18, 32]
    const zigzag = take(Math.min(bits, sizes[take(3)]!))
    const difference = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2
    return (((old + difference) % (span + 1)) + span + 1) % (span + 1)
  }
  const row = (old: readonly number[]): number[] => {
    const isWhole = take(1) === 1
    return old.map((each, index) => (index < 2 && !isWhole ? each : word(each, spans[index]!)))
  }
  let last = 0
  const object = (slot: number) => {
    ids[slot] = last = take(1) === 1 ? last + 1 + take(4) : take(32)
    rows[slot] = row([...layout.defaults])
  }
  for (let index = 0; index < (isList ? count : bitmap.length); index++) {
    const slot = isList ? take(slotSize) : bitmap[index]!
    if (ids[slot] === 0) object(slot)
    else if (take(1) === 1) rows[slot] = row(rows[slot]!)
    else {
      const isReplaced = take(1) === 1
      if (take(1) === 1) take(32)
      ids[slot] = 0
      rows[slot] = []
      if (isReplaced) object(slot)
    }
  }
  if (!isOver()) throw new Error('something is left over')
  return { ids, rows }
}

const hashOf = ({ ids, rows }: State, width: number): number => {
  const wrap = (value: bigint) => value & 0xffffffffn
  let h = 0x811c9dc5n
  for (const id of ids) h = wrap((h ^ BigInt(id)) * 0x01000193n)
  for (const row of rows)
    for (let index = 0; index < width; index++) {
      h = wrap((h ^ BigInt(row[index] ?? 0)) * 0x01000193n)
      h ^= h >> 15n
    }
  return Number((h ^ (h >> 16n)) & 0xffffn)
}

/** A reader of a server's packets that come in order, all of them. */
const createReader = (layoutOf: (classNumber: number, isOwner: boolean) => Layout, firstTick: number) => {
  const groups = new Map<number, { layout: Layout; zone: number; frames: Map<number, State>; until: number }>()
  let newest = firstTick
  let compared = 0
  const read = (packet: Uint8Array) => {
    const bytes = [...packet]
    const u8 = () => {
      if (bytes.length === 0) throw new Error('bytes are missing')
      return bytes.shift()!
    }
    const u16 = () => u8() + u8() * 256
    const u32 = () => u16() + u16() * 65_536
    const varint = () => {
      let value = 0
      for (let shift = 0; ; shift += 7) {
        const byte = u8()
        value += (byte % 128) * 2 ** shift
        if (byte < 128) return value
      }
    }
    const kind = u8()
    u16()
    const low = u16()
    const tick = newest + ((((low - newest) % 65_536) + 65_536 + 32_768) % 65_536) - 32_768
    newest = Math.max(newest, tick)
    if (kind & 4) {
      u16()
      u16()
      u8()
      for (let left = [0, 1, 4, 8][kind & 3]!; left > 0; left--) u8()
    }
    while (bytes.length > 0) {
      const chunk = u8()
      if (chunk === 1) {
        u16()
        u8()
        bytes.splice(0, varint())
      } else if (chunk === 2) {
        u32()
        varint()
        bytes.splice(0, varint())
      } else if (chunk === 3) {
        const defaultSpan = Math.floor(varint() / 16)
        const told = new Set<number>()
        let id = 0
        while (bytes.length > 0) {
          const head = varint()
          if (head === 0) break
          const length = Math.floor(head / 4)
          const far = head % 4 > 0 ? 4 * (head % 4) : varint()
          id += Math.floor(far / 4)
          told.add(id)
          const kindOfEntry = far % 4
          const age = kindOfEntry > 0 ? varint() : 0
          const span = kindOfEntry === 1 ? varint() : defaultSpan
          if (kindOfEntry === 2) {
            const classAndFlags = varint()
            const zone = varint()
            const layout = layoutOf(Math.floor(classAndFlags / 4), (classAndFlags & 1) === 1)
            if (!groups.has(id)) groups.set(id, { layout, zone, frames: new Map(), until: tick })
          }
          const group = groups.get(id)!
          const segment = bytes.splice(0, length)
          const base = kindOfEntry === 2 ? undefined : group.frames.get(tick - age - span)
          if (kindOfEntry !== 2 && !base) throw new Error(`no baseline ${tick - age - span} of group ${id}`)
          group.frames.set(tick - age, readSegment(segment, group.layout, base))
          group.until = tick
        }
        const count = bytes.length > 0 ? u8() : 0
        let deferred = 0
        if (count !== 0xff) for (let index = 0; index < count; index++) told.add((deferred += varint()))
        if (count !== 0xff) for (const [each, group] of groups) if (!told.has(each)) group.until = tick
      } else if (chunk === 4)
        for (let id = varint(); id !== 0; id = varint()) {
          const { frames, layout } = groups.get(id)!
          const frame = frames.get(tick - varint())!
          if (u16() !== hashOf(frame, layout.width)) throw new Error(`the hash of group ${id} differs`)
          compared++
        }
      else throw new Error(`chunk ${chunk}`)
    }
  }
  return { groups, read, compared: () => compared }
}

test('the number of slots of every layout', () => {
  for (const { spans, slots } of LAYOUTS) {
    const bits = [...spans].reduce((sum, span) => sum + size(span), 35)
    expect(slots).toBe(Math.min(64, Math.floor((8480 - 64) / bits)))
  }
})

test('a reader that was written from it has what the library’s client has, frame by frame', async () => {
  const duo = await createDuo(
    `struct Vec3 { int16/100 x; int16/100 y; int32/1000(-4000 - 4000) z; };
    dclass Avatar { Vec3 position broadcast ownsend; int16/10%360 heading broadcast; uint8(0-9) kind = 4 broadcast; float64 weight broadcast; };
    dclass Lever { uint8(0-1) on broadcast; };`,
    { rate: 60, lag: 2, upLag: 2, zones: [1, 2, 3] },
  )
  const { layouts } = duo.store
  const reader = createReader((number, isOwner) => layouts[number]![isOwner ? 'owner' : 'interested']!, duo.tick)
  const chance = random(8)
  const objects: Place[] = []
  let nextId = 1
  duo.change = tick => {
    for (let index = objects.length - 1; index >= 0; index--) {
      const place = objects[index]!
      const { bits, spans, width } = place.group.layout
      if (chance() < 0.01) {
        removeRow(place, tick, chance() < 0.5 ? 2 : undefined)
        objects.splice(index, 1)
      } else if (chance() < 0.3) {
        const word = Math.floor(chance() * width)
        if (bits[word]! > 0) duo.put(place, word, Math.min(spans[word]!, Math.floor(chance() * (spans[word]! + 1))))
      }
    }
    while (objects.length < 90)
      objects.push(duo.add(1 + Math.floor(chance() * 3), (nextId += chance() < 0.5 ? 1 : 40), chance() < 0.5 ? 1 : 2))
  }
  duo.onDeliver = packet => reader.read(packet)
  let frames = 0
  for (let step = 0; step < 150; step++) {
    duo.step()
    for (const { id, layout, history, zone } of duo.session.replica.groups.values()) {
      const own = reader.groups.get(id)!
      const frame = history.frames.at(-1)!
      const state = own.frames.get(frame.tick)!
      expect([own.zone, own.until]).toEqual([zone, frame.until])
      expect(state.ids).toEqual([...frame.ids])
      expect(state.rows.flatMap(row => (row.length > 0 ? row : Array.from({ length: layout.width }, () => 0)))).toEqual(
        [...frame.rows],
      )
      frames++
    }
  }
  expect(frames).toBeGreaterThan(700)
  expect(reader.compared()).toBeGreaterThan(5)
  expect(reader.groups.size).toBe(duo.session.replica.groups.size)
  duo.end()
})
