import { byteWriter, readF32, readU8, writeF32, writeU8, type ByteReader } from './bytes.ts'
import { Control } from './packet.ts'

/** What a session runs at: packets a second down and up, 1..255, and seconds of interpolation, 0 for an adaptive delay. */
export interface Rates {
  readonly updateRate: number
  readonly commandRate: number
  readonly interp: number
}

/** The longest interpolation that a client can ask for, seconds. */
export const MAX_INTERP = 1

/** As a reliable message: from the client what it wants, from the server what it gets. */
export const encodeRates = ({ updateRate, commandRate, interp }: Rates): Uint8Array => {
  const writer = byteWriter(16)
  writeU8(writer, Control.rates)
  writeU8(writer, updateRate)
  writeU8(writer, commandRate)
  writeF32(writer, interp)
  return writer.bytes.slice(0, writer.length)
}

/** Reads what follows the control byte; a rate of 0 and an interpolation that makes no sense are taken for the least. */
export const decodeRates = (reader: ByteReader): Rates | undefined => {
  const updateRate = Math.max(1, readU8(reader))
  const commandRate = Math.max(1, readU8(reader))
  const interp = readF32(reader)
  return reader.failed ? undefined : { updateRate, commandRate, interp: clampInterp(interp) }
}

export const clampInterp = (interp: number): number => (interp > 0 ? Math.min(interp, MAX_INTERP) : 0)
