import {
  byteWriter,
  readU16,
  readU32,
  readU8,
  readVarint,
  writeU16,
  writeU32,
  writeU8,
  writeVarint,
  type ByteReader,
} from './bytes.ts'
import { Control } from './packet.ts'

/** The most zones that a client may see at once. */
export const MAX_ZONES = 256

export const INTEREST_OPERATIONS = ['set', 'add', 'remove'] as const
export type InterestOperation = (typeof INTEREST_OPERATIONS)[number]

/** A client's wish to see other zones. */
export interface InterestRequest {
  readonly request: number
  readonly operation: InterestOperation
  readonly zones: readonly number[]
}

const zoneWriter = (zones: readonly number[]) => byteWriter(16 + zones.length * 5)

const readZones = (reader: ByteReader, most: number): number[] | undefined => {
  const count = readU16(reader)
  if (count > most) return undefined
  const zones: number[] = []
  for (let index = 0; index < count && !reader.failed; index++) zones.push(readVarint(reader))
  return reader.failed ? undefined : zones
}

export const encodeInterest = ({ request, operation, zones }: InterestRequest): Uint8Array => {
  const writer = zoneWriter(zones)
  writeU8(writer, Control.interest)
  writeU16(writer, request)
  writeU8(writer, INTEREST_OPERATIONS.indexOf(operation))
  writeU16(writer, zones.length)
  for (const zone of zones) writeVarint(writer, zone)
  return writer.bytes.slice(0, writer.length)
}

export const decodeInterest = (reader: ByteReader): InterestRequest | undefined => {
  const request = readU16(reader)
  const operation = INTEREST_OPERATIONS[readU8(reader)]
  const zones = readZones(reader, MAX_ZONES)
  return operation && zones ? { request, operation, zones } : undefined
}

/** The zones that the server sends from `tick` on. */
export const encodeZones = (tick: number, zones: readonly number[]): Uint8Array => {
  const writer = zoneWriter(zones)
  writeU8(writer, Control.zones)
  writeU32(writer, tick)
  writeU16(writer, zones.length)
  for (const zone of zones) writeVarint(writer, zone)
  return writer.bytes.slice(0, writer.length)
}

export const decodeZones = (reader: ByteReader): { tick: number; zones: number[] } | undefined => {
  const tick = readU32(reader)
  // Those of the client's own objects come on top of what it asked for, however many they are.
  const zones = readZones(reader, 0xffff)
  return zones && { tick, zones }
}

/** The request is complete: everything of the granted zones has been acknowledged. */
export const encodeInterestDone = (request: number, refused: readonly number[]): Uint8Array => {
  const writer = zoneWriter(refused)
  writeU8(writer, Control.interestDone)
  writeU16(writer, request)
  writeU16(writer, refused.length)
  for (const zone of refused) writeVarint(writer, zone)
  return writer.bytes.slice(0, writer.length)
}

export const decodeInterestDone = (reader: ByteReader): { request: number; refused: number[] } | undefined => {
  const request = readU16(reader)
  const refused = readZones(reader, MAX_ZONES)
  return refused && { request, refused }
}

/** A group whose frames the client has not, or mistrusts: the server starts it again. */
export const encodeResync = (group: number): Uint8Array => {
  const writer = byteWriter(8)
  writeU8(writer, Control.resync)
  writeVarint(writer, group)
  return writer.bytes.slice(0, writer.length)
}

export const decodeResync = (reader: ByteReader): number | undefined => {
  const group = readVarint(reader)
  return reader.failed || reader.position < reader.end ? undefined : group
}

/** The group of an object with its own rule of who sees it is not sent any more, as of `tick`. */
export interface Leave {
  readonly tick: number
  readonly doId: number
  readonly group: number
  /** Whether the client sees the object no more; else it is, or will be, in another group. */
  readonly isGone: boolean
  /** Whether that is because the object is no more. */
  readonly isDeleted: boolean
}

export const encodeLeave = ({ tick, doId, group, isGone, isDeleted }: Leave): Uint8Array => {
  const writer = byteWriter(20)
  writeU8(writer, Control.leave)
  writeU32(writer, tick)
  writeU32(writer, doId)
  writeVarint(writer, group)
  writeU8(writer, isDeleted ? 2 : isGone ? 1 : 0)
  return writer.bytes.slice(0, writer.length)
}

export const decodeLeave = (reader: ByteReader): Leave | undefined => {
  const tick = readU32(reader)
  const doId = readU32(reader)
  const group = readVarint(reader)
  const flag = readU8(reader)
  return reader.failed || flag > 2 ? undefined : { tick, doId, group, isGone: flag > 0, isDeleted: flag === 2 }
}

/** The zone that an object with its own rule is in from `tick` on. */
export interface Placed {
  readonly tick: number
  readonly doId: number
  readonly zone: number
}

export const encodePlaced = ({ tick, doId, zone }: Placed): Uint8Array => {
  const writer = byteWriter(16)
  writeU8(writer, Control.placed)
  writeU32(writer, tick)
  writeU32(writer, doId)
  writeVarint(writer, zone)
  return writer.bytes.slice(0, writer.length)
}

export const decodePlaced = (reader: ByteReader): Placed | undefined => {
  const tick = readU32(reader)
  const doId = readU32(reader)
  const zone = readVarint(reader)
  return reader.failed ? undefined : { tick, doId, zone }
}
