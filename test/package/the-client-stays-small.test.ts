import { expect, test } from 'vitest'
import { bundle, clientBundles, isBitecs } from '../../scripts/bundle.mjs'

/** Gzipped, in KB: what a page pays for the client besides bitECS, which it has anyway, and a transport. See `npm run size`. */
const LIMIT = 39

/** Sources that only a server runs, or tools. */
const SERVER_ONLY = [
  /^src\/(server|geckos-server|vite|testing)\.ts$/,
  /^src\/(testing|devtools)\//,
  /^src\/net\/(geckos\/|store\.ts|downlink\.ts)/,
  /^src\/systems\/(capture|follow|messages|objects|permissions|replicate|scan|server-\w+|sessions|tick-loop|violations|visibility|zoning)\.ts$/,
]

test('a page that imports bitecs-pipes/client loads no server code', async () => {
  const { modules, externals } = await bundle(['src/client.ts'], () => true)
  expect(modules, 'the client is in the bundle').toContain('src/client.ts')
  expect(modules.filter(file => SERVER_ONLY.some(pattern => pattern.test(file)))).toEqual([])
  expect(
    externals.filter(name => name !== 'gl-matrix' && !isBitecs(name)),
    'neither node: modules nor geckos are imported on the way',
  ).toEqual([])
})

test('a page that imports bitecs-pipes/geckos/client needs the geckos client only', async () => {
  const { externals } = await bundle(['src/geckos-client.ts'], () => true)
  expect(externals).toEqual(['@geckos.io/client'])
})

test(`the client stays below ${LIMIT} KB`, async () => {
  const sizes: Record<string, number> = {}
  for (const [name, files] of Object.entries(clientBundles)) {
    const { bytes, gzip } = await bundle(files, isBitecs)
    console.log(`${name}: ${bytes} bytes minified, ${gzip} compressed`)
    sizes[name] = gzip
  }
  expect(sizes['client']).toBeLessThan(LIMIT * 1024)
})

for (const file of [
  'src/index.ts',
  'src/server.ts',
  'src/client.ts',
  'src/dc/index.ts',
  'src/schema.ts',
  'src/memory.ts',
  'src/testing.ts',
]) {
  test(`${file} needs no package besides bitECS and gl-matrix`, async () => {
    const { externals } = await bundle([file], () => true)
    expect(externals.filter(name => name !== 'gl-matrix' && !isBitecs(name))).toEqual([])
  })
}
