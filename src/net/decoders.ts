import type { CodecName, SegmentDecoder } from './codec.ts'
import type { ClassLayouts } from './layout.ts'

/**
 * The decoders that are there, by codec. A page loads the one that its server writes for while it connects. With a memory link, or to
 * replay a recording, all of them are there from the start: such a connection is open at once.
 */
type Decoders = { [Name in CodecName]: (classes: readonly (ClassLayouts | undefined)[]) => SegmentDecoder }

const decoders: Partial<Decoders> = {}

/** Makes a decoder for the classes of a schema; `undefined` while its code is not loaded. */
export const decoderOf = (
  name: CodecName,
  classes: readonly (ClassLayouts | undefined)[],
): SegmentDecoder | undefined => decoders[name]?.(classes)

/** Loads the code of a decoder. Rejects when it does not come, as from a page that was updated since. */
export const loadDecoder = async (name: CodecName): Promise<void> => {
  if (decoders[name]) return
  const code = await (name === 'range' ? import('./decoder-range.ts') : import('./decoder-plain.ts'))
  decoders[name] = code.createDecoder
}

/** Takes what is loaded already. */
export const takeDecoders = (all: Decoders): void => {
  Object.assign(decoders, all)
}
