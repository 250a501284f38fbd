import { SnapshotInterpolation } from '@geckos.io/snapshot-interpolation'
import { BufferSchema, Model, string8, uint16, uint32, uint64, uint8 } from '@geckos.io/typed-array-buffer-schema'
import type { Scene } from '../scene.ts'
import { NOTHING, type CreatePeer } from '../peer.ts'

// What geckos.io offers itself: a whole snapshot of what a client sees in each tick, packed by a schema of typed arrays.
// Bears loss; packs once while all see the same.

const modelOf = (scene: Scene): any => {
  const fields: Record<string, any> = { id: uint16 }
  for (const { name, bits } of scene.fields) fields[name] = bits <= 8 ? uint8 : bits <= 16 ? uint16 : uint32
  if (scene.hasNames) fields.name = { type: string8, length: 12 }
  // Decoding changes the schema: each side has its own.
  const unit = BufferSchema.schema('unit', fields)
  return new Model(
    BufferSchema.schema('snapshot', { id: { type: string8, length: 6 }, time: uint64, state: { units: [unit] } }),
    64,
  )
}

export const geckosSi: CreatePeer = (scene, clients) => {
  const interpolation = new SnapshotInterpolation()
  const model = modelOf(scene)
  const names = scene.fields.map(({ name }) => name)
  const units: any[] = []
  return {
    update(frame) {
      for (const slot of frame.spawned) units[slot] = { id: slot, ...(scene.hasNames && { name: frame.names[slot] }) }
      for (const slots of [frame.spawned, frame.changed])
        for (const slot of slots)
          for (let field = 0; field < names.length; field++) units[slot][names[field]!] = frame.columns[field]![slot]
    },
    encode(frame) {
      const pack = (client: number) => [
        new Uint8Array(
          model.toBuffer(
            interpolation.snapshot.create({ units: frame.clients[client]!.visible.map(slot => units[slot]) }),
          ),
        ),
      ]
      if (scene.grid > 1) return frame.clients.map((_, client) => pack(client))
      const shared = pack(0)
      return Array.from({ length: clients }, () => shared)
    },
    view() {
      const own = new SnapshotInterpolation(scene.hz)
      const decoder = modelOf(scene)
      let known = new Map<number, any>()
      return {
        receive([message]) {
          const snapshot = decoder.fromBuffer(message!.slice().buffer)
          own.snapshot.add(snapshot)
          known = new Map(snapshot.state.units.map((unit: any) => [unit.id, unit]))
          return NOTHING
        },
        count: () => known.size,
        has: slot => known.has(slot),
        value: (slot, field) => known.get(slot)[names[field]!],
        name: slot => known.get(slot).name.trimEnd(),
      }
    },
  }
}
