import { expect, test } from 'vitest'
import { bundle, clientBundles, isBitecs } from '../../scripts/bundle.mjs'

/** Compressed, in KB: what a page loads at first besides bitECS, which it has anyway. See `npm run size`. */
const LIMITS: Record<string, number> = { client: 36.5, 'client + geckos/client': 41.5 }
/** The same of the decoder that most servers ask for, which comes while the connection is made. */
const DECODER_LIMIT = 7

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

for (const [name, files] of Object.entries(clientBundles)) {
  test(`${name} stays below ${LIMITS[name]} KB`, async () => {
    const { bytes, gzip, later } = await bundle(files, isBitecs)
    console.log(`${name}: ${bytes} bytes minified, ${gzip} compressed`)
    expect(gzip).toBeLessThan(LIMITS[name]! * 1024)
    const decoder = later.filter(chunk => /^(decoder-range|raw)-/.test(chunk.name))
    expect(decoder.length).toBeGreaterThan(0)
    expect(decoder.reduce((sum, chunk) => sum + chunk.gzip, 0)).toBeLessThan(DECODER_LIMIT * 1024)
  })
}

test('what a page imports and does not use costs it nothing', async () => {
  const { bytes } = await bundle(['src/client.ts'], isBitecs)
  const more = ['index', 'schema', 'dc/index', 'devtools', 'memory', 'time'].map(name => `src/${name}.ts`)
  expect((await bundle(['src/client.ts'], isBitecs, more)).bytes).toBe(bytes)
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
