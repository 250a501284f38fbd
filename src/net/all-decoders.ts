import { createRangeDecoder } from './codec/segment-decoder.ts'
import { takeDecoders } from './decoders.ts'
import { createPlainDecoder } from './plain-codec.ts'

/** Has every decoder there, for connections that are open at once: see `decoders.ts`. */
export const takeAllDecoders = (): void => takeDecoders({ plain: createPlainDecoder, range: createRangeDecoder })
