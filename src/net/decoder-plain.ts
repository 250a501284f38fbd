// What `decoders.ts` loads. A file of its own: where a memory link has the codec already, bundlers warn of nothing.
export { createPlainDecoder as createDecoder } from './plain-codec.ts'
