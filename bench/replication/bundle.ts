import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { entries } from '../../vite.config.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Puts other text into a source file of the library; fails when it has changed. */
export interface Change {
  readonly file: string
  readonly from: string
  readonly to: string
}

/** Bundles a program of this folder as the library is published, so that it runs as fast: from sources it would not. */
export const bundle = async (name: string, change?: Change): Promise<{ file: string; remove: () => void }> => {
  const cache = join(root, 'node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  const outDir = mkdtempSync(join(cache, 'bench-replication-'))
  const alias = Object.entries(entries).map(([find, file]) => ({
    find: new RegExp(`^${find}$`),
    replacement: join(root, file),
  }))
  await build({
    root,
    configFile: false,
    logLevel: 'warn',
    resolve: { alias },
    plugins: (change ? [change] : []).map(({ file, from, to }) => ({
      name: 'change',
      enforce: 'pre' as const,
      transform(code: string, id: string) {
        if (!id.endsWith(file)) return undefined
        if (!code.includes(from)) throw new Error(`${file} has no ${from} any more`)
        return code.replace(from, to)
      },
    })),
    build: {
      ssr: join(root, 'bench/replication', `${name}.ts`),
      outDir,
      target: 'node20',
      emptyOutDir: false,
      rolldownOptions: { output: { topLevelVar: false } },
    },
  })
  return { file: join(outDir, `${name}.js`), remove: () => rmSync(outDir, { recursive: true, force: true }) }
}
