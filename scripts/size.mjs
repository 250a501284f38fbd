// `npm run size`: what the client adds to a page, without bitECS.
import { bundle, clientBundles, isBitecs } from './bundle.mjs'

const kilobytes = bytes => `${(bytes / 1024).toFixed(1)} KB`.padStart(9)

console.log(`${''.padEnd(24)}  minified       gzip`)
for (const [name, files] of Object.entries(clientBundles)) {
  const { bytes, gzip } = await bundle(files, isBitecs)
  console.log(`${name.padEnd(24)} ${kilobytes(bytes)}  ${kilobytes(gzip)}`)
}
