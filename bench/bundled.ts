import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { build } from 'vite'

const root = join(import.meta.dirname, '..')

/** Bundles a TypeScript file of the project for Node, under node_modules, where its packages resolve; resolves with the path. */
export const bundle = async (file: string): Promise<string> => {
  const directory = join(root, 'node_modules/.cache/bench')
  await build({
    configFile: join(root, 'vite.config.ts'),
    root,
    logLevel: 'warn',
    build: {
      ssr: join(root, file),
      target: 'es2022',
      outDir: directory,
      emptyOutDir: false,
      minify: false,
      rolldownOptions: { output: { entryFileNames: '[name].mjs' } },
    },
  })
  return join(directory, file.replace(/^.*\//, '').replace(/\.ts$/, '.mjs'))
}

/**
 * Runs a TypeScript file of the project as a bundler makes it: what Vite's module runner runs file by file is several times slower, for
 * each import is looked up at every use. And in a process of its own, as a server does: Vite detaches buffers, after which V8 checks each use
 * of each array.
 */
export const runBundled = async (file: string): Promise<void> => {
  const child = spawn(process.execPath, [await bundle(file), ...process.argv.slice(2)], { stdio: 'inherit' })
  const [code] = (await once(child, 'exit')) as [number | null]
  process.exitCode = code ?? 1
}
