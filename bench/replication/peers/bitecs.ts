import { addComponent, addEntity, createWorld, removeComponent, removeEntity } from 'bitecs'
import {
  createObserverDeserializer,
  createObserverSerializer,
  createSoADeserializer,
  createSoASerializer,
  str,
} from 'bitecs/serialization'
import type { Scene } from '../scene.ts'
import { NOTHING, type CreatePeer } from '../peer.ts'

// bitECS' own serializers: the observer one for who is there, the SoA one with `diff` for values. The SoA one remembers what it
// wrote last for itself alone, so clients that do not see the same need one each. It cannot be told that an object is new to a client:
// those go through one without `diff`, and the one with it is run over them to remember. Needs a reliable, ordered channel.

const arrayFor = (bits: number, length: number) =>
  bits <= 8 ? new Uint8Array(length) : bits <= 16 ? new Uint16Array(length) : new Uint32Array(length)

/** One component with all fields: what takes the fewest bytes. */
const componentOf = (scene: Scene): Record<string, any> => {
  // Entity numbers go up before removed ones come again.
  const length = scene.capacity * 3
  const fields: Record<string, any> = {}
  for (const { name, bits } of scene.fields) fields[name] = arrayFor(bits, length)
  if (scene.hasNames) fields.name = str([])
  return fields
}

/** Three parts, each behind its length. */
const join = (parts: readonly ArrayBuffer[]): Uint8Array => {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength + 3, 0))
  let at = 0
  for (const part of parts) {
    out[at] = part.byteLength
    out[at + 1] = part.byteLength >>> 8
    out[at + 2] = part.byteLength >>> 16
    out.set(new Uint8Array(part), at + 3)
    at += 3 + part.byteLength
  }
  return out
}

export const bitecs: CreatePeer = (scene, clients) => {
  const world = createWorld()
  const component = componentOf(scene)
  const names = scene.fields.map(({ name }) => name)
  const columns = names.map(name => component[name] as Uint32Array)
  const entities = new Uint32Array(scene.capacity)
  const buffer = new ArrayBuffer(1 << 20)
  const full = createSoASerializer([component], { buffer })
  const senders = Array.from({ length: scene.grid > 1 ? clients : 1 }, () => {
    const tag = {}
    return {
      tag,
      observer: createObserverSerializer(world, tag, [component], { buffer }),
      // With the default, a number that creeps by less than epsilon in each tick is never sent.
      values: createSoASerializer([component], { diff: true, epsilon: 0, buffer }),
    }
  })
  const entityOf = (slot: number) => entities[slot]!
  return {
    update(frame) {
      senders.forEach(({ tag }, client) => {
        for (const slot of frame.clients[client]!.left) removeComponent(world, entityOf(slot), tag)
      })
      for (const slot of frame.despawned) removeEntity(world, entityOf(slot))
      const write = (slot: number, mask: number) => {
        const entity = entityOf(slot)
        for (let field = 0; field < columns.length; field++)
          if ((mask >> field) & 1) columns[field]![entity] = frame.columns[field]![slot]!
      }
      for (const slot of frame.spawned) {
        entities[slot] = addEntity(world)
        addComponent(world, entityOf(slot), component)
        write(slot, 0xff)
        if (scene.hasNames) component.name[entityOf(slot)] = frame.names[slot]
      }
      for (const slot of frame.changed) write(slot, frame.masks[slot]!)
      senders.forEach(({ tag }, client) => {
        for (const slot of frame.clients[client]!.entered) addComponent(world, entityOf(slot), tag)
      })
    },
    encode(frame) {
      const out = senders.map(({ observer, values }, client) => {
        const { entered, visible } = frame.clients[client]!
        const who = observer()
        if (entered.length === 0) return [join([who, new ArrayBuffer(0), values(visible.map(entityOf))])]
        const isNew = new Set(entered)
        const fresh = entered.map(entityOf)
        const whole = full(fresh)
        values(fresh)
        return [join([who, whole, values(visible.filter(slot => !isNew.has(slot)).map(entityOf))])]
      })
      return scene.grid > 1 ? out : Array.from({ length: clients }, () => out[0]!)
    },
    view() {
      const copy = createWorld()
      const shown = componentOf(scene)
      const known = new Map<number, number>()
      const who = createObserverDeserializer(copy, {}, [shown], { idMap: known })
      const whole = createSoADeserializer([shown])
      const values = createSoADeserializer([shown], { diff: true })
      const decoders = [who, (part: ArrayBuffer) => whole(part, known), (part: ArrayBuffer) => values(part, known)]
      const find = (slot: number) => known.get(entityOf(slot))!
      return {
        receive([message]) {
          let at = 0
          for (const decode of decoders) {
            const length = message![at]! | (message![at + 1]! << 8) | (message![at + 2]! << 16)
            at += 3
            if (length > 0) decode(message!.slice(at, at + length).buffer as ArrayBuffer)
            at += length
          }
          return NOTHING
        },
        count: () => known.size,
        has: slot => known.has(entityOf(slot)),
        value: (slot, field) => shown[names[field]!][find(slot)],
        name: slot => shown.name[find(slot)],
      }
    },
  }
}
