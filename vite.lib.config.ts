import { builtinModules } from 'node:module'
import { defineConfig } from 'vite'
import manifest from './package.json' with { type: 'json' }
import { entries, litHtml } from './vite.config.ts'

const packages = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
const external = [/^node:/, ...builtinModules, ...packages.map(name => new RegExp(`^${name}(/|$)`))]

/** `bitecs-pipes/geckos/server` becomes `dist/geckos-server.js`. */
const distName = (name: string) => name.replace(/^bitecs-pipes\/?/, '').replaceAll('/', '-') || 'index'

/** What of the DC language a client needs from the start: values to bytes and back. */
const DC_VALUES =
  /src\/dc\/(columns|extension|half|members|model|number|packer|quaternion|references|unpacker|writer)\.ts$/

/** The published JavaScript. Declarations come from `tsconfig.build.json`. */
export default defineConfig({
  // Its code is part of ours: what it is written for is one overlay.
  resolve: { alias: [litHtml] },
  build: {
    target: 'es2022',
    minify: false,
    sourcemap: true,
    lib: {
      entry: {
        ...Object.fromEntries(Object.entries(entries).map(([name, file]) => [distName(name), file])),
        // Not imported by anybody: the command line, and what Node runs in a thread of its own.
        cli: 'src/cli/main.ts',
        'register-hooks': 'src/register-hooks.ts',
      },
      formats: ['es'],
    },
    rolldownOptions: {
      external,
      output: {
        entryFileNames: '[name].js',
        chunkFileNames: 'shared/[name].js',
        // What never changes the engine writes into the code; variables, which vite would make of it, it looks up at each use.
        topLevelVar: false,
        // Apart from the rest of `src/dc`, which pages need for little, and later: bundlers split by file.
        codeSplitting: { groups: [{ name: 'dc-values', test: DC_VALUES }] },
      },
    },
  },
})
