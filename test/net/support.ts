import fc from 'fast-check'
import { parseDC, type DCFile } from '../../src/dc/index.ts'
import { bitWriter, resetWriter } from '../../src/net/bits.ts'
import type { Frame } from '../../src/net/frames.ts'
import { layoutsOf, type Layout } from '../../src/net/layout.ts'
import { encodeSegment, type MovedTo } from '../../src/net/segment.ts'

/** Reads a schema that is known to be right. */
export const readDC = (text: string): DCFile => {
  const { file, errors } = parseDC([{ name: 'test.dc', text }])
  if (errors.length > 0) throw new Error(errors.map(error => error.message).join('\n'))
  return file
}

/** Classes of all sorts: one field, nothing at all, what DC can do, the largest that one datagram holds. */
const CLASSES = `
dclass Switch { uint8(0-1) on broadcast; };
dclass Marker { };
struct Vec3 { int16/100 x; int16/100 y; int32/1000(-4000 - 4000) z; };
dclass Avatar {
  Vec3 position broadcast ram ownsend;
  int16/10%360 heading broadcast ram ownsend;
  uint8(0-100) health = 100 broadcast ram;
  uint16 gold ownrecv;
  string(0-24) name broadcast ram;
};
dclass Wide { float64 a broadcast; int64 b broadcast; uint64 c broadcast; uint32 d broadcast; int32 e broadcast; };
dclass Narrow {
${Array.from({ length: 16 }, (_, index) => `  uint8(0-${index * 2 + 1}) f${index} broadcast;`).join('\n')}
};
dclass Huge {
${Array.from({ length: 230 }, (_, index) => `  uint32 f${index} broadcast;`).join('\n')}
};
`

/** Every layout of {@link CLASSES}, the ones for owners too. */
export const LAYOUTS: readonly Layout[] = readDC(CLASSES)
  .classes.filter(dclass => !dclass.isStruct)
  .flatMap(dclass => {
    const { interested, owner } = layoutsOf(dclass)
    return owner ? [interested, owner] : [interested]
  })

export const nameOf = (layout: Layout): string => `${layout.dclass.name}/${layout.audience}`

/** An empty frame. */
export const frameOf = (layout: Layout, tick = 0): Frame => ({
  tick,
  until: tick,
  ids: new Uint32Array(layout.slots),
  rows: new Uint32Array(layout.slots * layout.width),
  changedLow: 0,
  changedHigh: 0,
  changedFrom: -1,
})

const writer = bitWriter(8)
/** Any slot may differ. */
const ALL_SLOTS = { low: -1, high: -1 }

/** The bytes of a segment. */
export const segmentOf = (layout: Layout, base: Frame | undefined, frame: Frame, movedTo: MovedTo): Uint8Array => {
  resetWriter(writer)
  const length = encodeSegment(writer, layout, base, frame, ALL_SLOTS, movedTo)
  return writer.bytes.slice(0, length)
}

type Chance = () => number

const randomWord = (layout: Layout, word: number, chance: Chance): number =>
  Math.min(layout.spans[word]!, Math.floor(chance() * (layout.spans[word]! + 1)))

/** A word near the old one, as most changes are; or any, now and then an end of the span. */
const changedWord = (layout: Layout, word: number, from: number, chance: Chance): number => {
  const span = layout.spans[word]!
  const luck = chance()
  if (luck < 0.1) return 0
  if (luck < 0.2) return span
  if (luck < 0.4) return randomWord(layout, word, chance)
  const to = from + Math.floor(chance() * 9) - 4
  return to < 0 || to > span ? from : to
}

const fillSlot = (layout: Layout, frame: Frame, slot: number, chance: Chance): void => {
  frame.ids[slot] = 1 + Math.floor(chance() * 0xffffffff)
  for (let word = 0; word < layout.width; word++)
    frame.rows[slot * layout.width + word] = randomWord(layout, word, chance)
}

const clearSlot = (layout: Layout, frame: Frame, slot: number): void => {
  frame.ids[slot] = 0
  frame.rows.fill(0, slot * layout.width, (slot + 1) * layout.width)
}

/** A frame whose slots are alive with this share. */
export const randomFrame = (layout: Layout, share: number, chance: Chance): Frame => {
  const frame = frameOf(layout)
  for (let slot = 0; slot < layout.slots; slot++) if (chance() < share) fillSlot(layout, frame, slot, chance)
  return frame
}

/** What could follow `base`: each slot as it was, changed a little, freed, filled or replaced. */
export const laterFrame = (layout: Layout, base: Frame, chance: Chance): Frame => {
  const frame = frameOf(layout, base.tick + 1)
  frame.ids.set(base.ids)
  frame.rows.set(base.rows)
  for (let slot = 0; slot < layout.slots; slot++) {
    const luck = chance()
    if (luck < 0.4) continue
    if (luck < 0.5) clearSlot(layout, frame, slot)
    else if (luck < 0.6) fillSlot(layout, frame, slot, chance)
    else if (frame.ids[slot] !== 0)
      for (let word = 0; word < layout.width; word++) {
        const at = slot * layout.width + word
        if (chance() < 0.3) frame.rows[at] = changedWord(layout, word, frame.rows[at]!, chance)
      }
  }
  return frame
}

/** Any of the layouts. */
export const anyLayout = fc.constantFrom(...LAYOUTS)
/** Seeds of {@link random}: shrinking a whole frame would tell nothing more. */
export const anySeed = fc.nat(0xffffffff)

/** Bytes, some of them those of `bytes` with a few changes: flipped bits, cut ends, added rubbish. */
export const mutate = (bytes: Uint8Array, chance: Chance): Uint8Array => {
  const luck = chance()
  if (luck < 0.1) return Uint8Array.from({ length: Math.floor(chance() * 200) }, () => Math.floor(chance() * 256))
  if (luck < 0.3) return bytes.slice(0, Math.floor(chance() * bytes.length))
  const extra = luck < 0.4 ? Math.floor(chance() * 20) : 0
  const mutant = new Uint8Array(bytes.length + extra)
  mutant.set(bytes)
  for (let index = bytes.length; index < mutant.length; index++) mutant[index] = Math.floor(chance() * 256)
  for (let count = 1 + Math.floor(chance() * 4); count > 0 && mutant.length > 0; count--) {
    const at = Math.floor(chance() * mutant.length)
    mutant[at] = chance() < 0.5 ? Math.floor(chance() * 256) : mutant[at]! ^ (1 << Math.floor(chance() * 8))
  }
  return mutant
}
