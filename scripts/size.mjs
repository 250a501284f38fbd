// `npm run size`: what the client adds to a page, without bitECS.
import { report } from '../bench/report.mjs'
import { bundle, clientBundles, isBitecs } from './bundle.mjs'

const kilobytes = bytes => Number((bytes / 1024).toFixed(1))

const rows = []
for (const [name, files] of Object.entries(clientBundles)) {
  const { bytes, gzip } = await bundle(files, isBitecs)
  rows.push({ page: name, 'minified, KB': kilobytes(bytes), 'gzip, KB': kilobytes(gzip) })
}
report('What the client adds to a page, without bitECS', rows)
