// Runs a TypeScript file in Node: `node scripts/run.mjs examples/terminal/server.ts`.
// It goes through the project's Vite config, so that `.dc` imports and `bitecs-pipes` resolve as they do in a page.
import { join, resolve } from 'node:path'
import { installDependencies, root } from './setup.mjs'

const [file, ...args] = process.argv.slice(2)
if (!file) {
  console.error('Which file? node scripts/run.mjs <file.ts> [arguments]')
  process.exit(2)
}
const entry = resolve(file)
process.argv = [process.argv[0] ?? 'node', entry, ...args]

// A parent that dies, however it dies, takes us along.
process.on('disconnect', () => process.exit())

installDependencies()
const { createRunnableDevEnvironment, resolveConfig } = await import('vite')
const config = await resolveConfig({ configFile: join(root, 'vite.config.ts'), root, appType: 'custom' }, 'serve')
// Vite's module runner without a Vite server: nothing listens, watches or reloads, and we end when the program does.
const environment = createRunnableDevEnvironment('ssr', config, {
  runnerOptions: { hmr: { logger: false } },
  hot: false,
})
await environment.init()
await environment.pluginContainer.buildStart()
await environment.runner.import(entry)
