import {
  hasReferences,
  mapReferences,
  packField,
  unpackField,
  type DCField,
  type DCParameterField,
  type Unpacked,
} from '../dc/index.ts'

/**
 * How the network ids of objects and the entities of this world turn into each other. `DoId` fields hold entities on both
 * sides; the wire carries network ids. 0 stands for none, and for one that is not here.
 */
export interface Links {
  doIdOf(eid: number): number
  entityOf(doId: number): number
  /** Packs a value of a field, as `packField` of the DC language does. */
  pack(field: DCField, value: unknown): Uint8Array
}

/** Leaves network ids as they are. */
export const RAW: Links = { doIdOf: id => id, entityOf: id => id, pack: packField }

/** A value of a field as it is packed: with network ids for entities. An entity that is no object becomes 0. */
export const toWire = (field: DCParameterField, value: unknown, links: Links): unknown =>
  hasReferences(field) ? mapReferences(field, value, eid => links.doIdOf(eid)) : value

/** The arguments of a message as they are packed. Throws for an entity that is no distributed object. */
export const argumentsToWire = (field: DCField, args: unknown, links: Links): unknown =>
  hasReferences(field)
    ? mapReferences(field, args, eid => {
        const doId = links.doIdOf(eid)
        if (doId === 0 && eid !== 0)
          throw new TypeError(
            `${field.owner.name}.${field.name}: entity ${eid} is no distributed object here; 0 is none.`,
          )
        return doId
      })
    : args

/** Unpacks a field, with entities of this world for network ids; 0 for objects that are not here. */
export const unpackHere = (field: DCField, packed: Uint8Array, links: Links): Unpacked => {
  const unpacked = unpackField(field, packed)
  if (!unpacked.ok || !hasReferences(field)) return unpacked
  return { ...unpacked, value: mapReferences(field, unpacked.value, doId => links.entityOf(doId)) }
}
