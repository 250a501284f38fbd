import { Decoder, Encoder, schema, StateView, t } from '@colyseus/schema'
import type { Scene } from '../scene.ts'
import { NOTHING, type CreatePeer } from '../peer.ts'

// @colyseus/schema: setters note what changed. One encode for all while all see the same; else a StateView each, as the
// framework's rooms do it. Needs a reliable, ordered channel.

Encoder.BUFFER_SIZE = 512 * 1024

let made = 0
const definitions = (scene: Scene): { Unit: any; State: any } => {
  const fields: Record<string, unknown> = {}
  for (const { name, bits } of scene.fields)
    fields[name] = bits === 1 ? t.boolean() : bits <= 8 ? t.uint8() : bits <= 16 ? t.uint16() : t.uint32()
  if (scene.hasNames) fields.name = t.string()
  made++
  const Unit = schema(fields as any, `Unit${made}`)
  const units = t.map(Unit as any)
  const State = schema({ units: scene.grid > 1 ? units.view() : units } as any, `State${made}`)
  return { Unit, State }
}

export const colyseus: CreatePeer = (scene, clients) => {
  const { Unit, State } = definitions(scene)
  const state = new State()
  const encoder = new Encoder(state)
  const hasViews = scene.grid > 1
  const views = hasViews ? Array.from({ length: clients }, () => new StateView()) : []
  const names = scene.fields.map(({ name }) => name)
  const isBoolean = scene.fields.map(({ bits }) => bits === 1)
  const units: any[] = []
  return {
    update(frame) {
      views.forEach((view, client) => {
        for (const slot of frame.clients[client]!.left) view.remove(units[slot])
      })
      for (const slot of frame.despawned) state.units.delete(String(slot))
      const write = (unit: any, slot: number, mask: number) => {
        for (let field = 0; field < names.length; field++) {
          if (((mask >> field) & 1) === 0) continue
          const value = frame.columns[field]![slot]!
          unit[names[field]!] = isBoolean[field] ? value === 1 : value
        }
      }
      for (const slot of frame.spawned) {
        const unit = (units[slot] = new Unit())
        write(unit, slot, 0xff)
        if (scene.hasNames) unit.name = frame.names[slot]
        state.units.set(String(slot), unit)
      }
      for (const slot of frame.changed) write(units[slot], slot, frame.masks[slot]!)
      views.forEach((view, client) => {
        for (const slot of frame.clients[client]!.entered) view.add(units[slot])
      })
    },
    encode() {
      const iterator = { offset: 0 }
      const shared = encoder.encode(iterator)
      let out: Uint8Array[][]
      if (hasViews) {
        const end = iterator.offset
        out = views.map(view => [encoder.encodeView(view, end, iterator)])
      } else {
        const copy = shared.slice()
        out = Array.from({ length: clients }, () => [copy])
      }
      encoder.discardChanges()
      return out
    },
    view() {
      const copy = new (definitions(scene).State)()
      const decoder = new Decoder(copy)
      const find = (slot: number) => copy.units.get(String(slot))
      return {
        receive(messages) {
          for (const message of messages) decoder.decode(message as any)
          return NOTHING
        },
        count: () => copy.units?.size ?? 0,
        has: slot => copy.units.has(String(slot)),
        value: (slot, field) => Number(find(slot)[names[field]!]),
        name: slot => find(slot).name,
      }
    },
  }
}
