import { more, readU16, readU8, readVarint, type ByteReader } from './bytes.ts'
import type { SegmentDecoder } from './codec.ts'

/** State chunks entry by entry, as `state-chunk.ts` writes them. */

/** How the server of a session writes segments. */
interface Reading {
  readonly codec: Pick<SegmentDecoder, 'usesBefore'>
}

/** A segment's place in a state chunk. */
export interface StateEntry {
  group: number
  isKeyframe: boolean
  frameTick: number
  baseTick: number
  /** Equal to `baseTick` when there is none. */
  beforeTick: number
  classNumber: number
  isOwner: boolean
  isExclusive: boolean
  zone: number
  /** Of the codec's tables; the same for all entries of a chunk. */
  generation: number
  start: number
  end: number
}

/** The one that {@link readEntry} read last. */
export const entry: StateEntry = {
  group: 0,
  isKeyframe: false,
  frameTick: 0,
  baseTick: 0,
  beforeTick: 0,
  classNumber: 0,
  isOwner: false,
  isExclusive: false,
  zone: 0,
  generation: 0,
  start: 0,
  end: 0,
}

/** Reads the head of the next entry into `entry`. False at the end of the list, or when it is malformed. */
export const readEntry = (reading: Reading, reader: ByteReader, tick: number, lastId: number): boolean => {
  // At the end of a packet nothing stands for the end of the list, and for no deferred groups.
  if (reader.position === reader.end) return false
  const head = readVarint(reader)
  if (head === 0) return false
  const near = head & 3
  const length = head >>> 2
  const far = near === 0 ? readVarint(reader) : near * 4
  const kind = far & 3
  if (reader.failed || length === 0 || kind === 3 || far < 4) {
    reader.failed = true
    return false
  }
  entry.group = lastId + (far >>> 2)
  entry.isKeyframe = kind === 2
  entry.frameTick = (tick - (kind > 0 ? readVarint(reader) : 0)) >>> 0
  entry.baseTick = (entry.frameTick - (kind === 0 ? defaultSpan : kind === 1 ? readVarint(reader) : 0)) >>> 0
  const further = kind === 0 ? defaultBefore : kind === 1 && reading.codec.usesBefore ? readVarint(reader) : 0
  entry.beforeTick = (entry.baseTick - further) >>> 0
  const classAndFlags = kind === 2 ? readVarint(reader) : 0
  entry.classNumber = classAndFlags >>> 2
  entry.isOwner = (classAndFlags & 1) === 1
  entry.isExclusive = (classAndFlags & 2) === 2
  entry.zone = kind === 2 ? readVarint(reader) : 0
  entry.start = reader.position
  entry.end = reader.position + length
  if (entry.end > reader.end) reader.failed = true
  reader.position = entry.end
  return !reader.failed
}

/** The distances of segments that do not say otherwise, in the chunk at hand. */
let defaultSpan = 0
let defaultBefore = 0
/** Reads what a state chunk begins with. */
export const openState = (reading: Reading, reader: ByteReader): void => {
  entry.generation = reading.codec.usesBefore ? readU8(reader) : 0
  const defaults = readVarint(reader)
  defaultSpan = defaults >>> 4
  defaultBefore = defaults & 15
}

/** Reads how many groups a state chunk defers, behind its entries. */
export const readDeferred = (reader: ByteReader): number => (reader.position === reader.end ? 0 : readU8(reader))

/** What stands for "all" in place of the number of deferred groups. */
export const ALL_DEFERRED = 0xff

/** Moves behind a state chunk whose type byte was read. */
export const skipState = (reading: Reading, reader: ByteReader): void => {
  openState(reading, reader)
  while (readEntry(reading, reader, 0, 0));
  const count = readDeferred(reader)
  if (count !== ALL_DEFERRED) for (let index = 0; index < count && more(reader); index++) readVarint(reader)
}

/** The same for an audit chunk. */
export const skipAudit = (reader: ByteReader): void => {
  while (readVarint(reader) !== 0 && !reader.failed) {
    readVarint(reader)
    readU16(reader)
  }
}
