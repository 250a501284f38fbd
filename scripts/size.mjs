// `npm run size`: what the client adds to a page, without bitECS. With `-- --sources`, which source adds how much.
import { report } from '../bench/report.mjs'
import { bundle, clientBundles, isBitecs } from './bundle.mjs'

const kilobytes = bytes => Number((bytes / 1024).toFixed(1))

const rows = []
const laterRows = new Map()
for (const [name, files] of Object.entries(clientBundles)) {
  const { bytes, gzip, later, bySource } = await bundle(files, isBitecs)
  rows.push({ page: name, 'minified, KB': kilobytes(bytes), 'gzip, KB': kilobytes(gzip) })
  for (const { name, gzip } of later) laterRows.set(name, { chunk: name, 'gzip, KB': kilobytes(gzip) })
  if (process.argv.includes('--sources')) report(`Bytes of each source: ${name}`, bySource())
}
report('What the client adds to a page, without bitECS', rows)
report('What it loads when it needs it', [...laterRows.values()])
