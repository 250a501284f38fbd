import { defineConfig } from 'vite'
import { pipes } from './src/vite.ts'

const root = import.meta.dirname

/** Each public import, and the file behind it. `package.json` and `tsconfig.json` say the same; a test compares the three. */
export const entries = {
  'bitecs-pipes': 'src/index.ts',
  'bitecs-pipes/server': 'src/server.ts',
  'bitecs-pipes/client': 'src/client.ts',
  'bitecs-pipes/dc': 'src/dc/index.ts',
  'bitecs-pipes/schema': 'src/schema.ts',
  'bitecs-pipes/geckos/server': 'src/geckos-server.ts',
  'bitecs-pipes/geckos/client': 'src/geckos-client.ts',
  'bitecs-pipes/memory': 'src/memory.ts',
  'bitecs-pipes/time': 'src/time.ts',
  'bitecs-pipes/testing': 'src/testing.ts',
  'bitecs-pipes/devtools': 'src/devtools.ts',
  'bitecs-pipes/metrics': 'src/metrics.ts',
  'bitecs-pipes/vite': 'src/vite.ts',
  'bitecs-pipes/node': 'src/node.ts',
  'bitecs-pipes/register': 'src/register.ts',
}

/** The one of its builds that says nothing to the console and loads without a page, too. */
export const litHtml = { find: /^lit-html$/, replacement: `${root}/node_modules/lit-html/node/lit-html.js` }

/** What examples, tests and benchmarks share: `.dc` imports work, and `bitecs-pipes` means the sources here. */
export default defineConfig({
  plugins: [pipes()],
  resolve: {
    alias: [
      litHtml,
      ...Object.entries(entries).map(([name, file]) => ({
        find: new RegExp(`^${name}$`),
        replacement: `${root}/${file}`,
      })),
    ],
  },
  // An example's root is its own folder, but it loads the sources above it.
  server: { fs: { allow: [root] } },
})
