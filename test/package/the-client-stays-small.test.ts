import { expect, test } from 'vitest'
import { bundle, clientBundles, isBitecs } from '../../scripts/bundle.mjs'

/** Compressed, in bytes: what a page pays for the client besides bitECS, which it has anyway, and a transport. */
/** Gzipped. The goal is 20 KB; `npm run size` says where it is. */
const LIMIT = 21 * 1024

/** Sources that only a server runs. */
const SERVER_ONLY = [
  /^src\/(server|geckos-server|vite|testing)\.ts$/,
  /^src\/testing\//,
  /^src\/net\/(geckos\/|store\.ts|downlink\.ts)/,
  /^src\/systems\/(capture|messages|objects|permissions|replicate|server-\w+|sessions|tick-loop)\.ts$/,
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

test('the client stays below 21 KB', async () => {
  const sizes: Record<string, number> = {}
  for (const [name, files] of Object.entries(clientBundles)) {
    const { bytes, gzip } = await bundle(files, isBitecs)
    console.log(`${name}: ${bytes} bytes minified, ${gzip} compressed`)
    sizes[name] = gzip
  }
  expect(sizes['client']).toBeLessThan(LIMIT)
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
