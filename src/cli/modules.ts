import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { UsageError, type Modules } from './terminal.ts'

/** By Node itself: JavaScript, with `.dc` imports, and TypeScript where Node takes it. */
const ofNode = async (): Promise<Modules> => {
  const register: string = 'bitecs-pipes/register'
  await import(/* @vite-ignore */ register)
  return {
    load: name => import(/* @vite-ignore */ existsSync(name) ? pathToFileURL(name).href : name),
    close: async () => {},
  }
}

const importVite = () => import('vite').catch(() => undefined)
type Vite = NonNullable<Awaited<ReturnType<typeof importVite>>>

/** By the project's Vite, with its configuration: TypeScript, `.dc` imports, aliases. Nothing listens or watches. */
const ofVite = async ({ createRunnableDevEnvironment, resolveConfig }: Vite): Promise<Modules> => {
  const config = await resolveConfig({ appType: 'custom', logLevel: 'warn' }, 'serve')
  const environment = createRunnableDevEnvironment('ssr', config, {
    runnerOptions: { hmr: { logger: false } },
    hot: false,
  })
  await environment.init()
  await environment.pluginContainer.buildStart({})
  return {
    load: name => environment.runner.import(existsSync(name) ? resolve(name) : name),
    close: () => environment.close(),
  }
}

/** Whoever has Vite has the game's modules made for it. */
export const openModules = async (): Promise<Modules> => {
  const vite = await importVite()
  return vite ? ofVite(vite) : ofNode()
}

/** The module of a file. Throws a `UsageError` when there is none, or it cannot be run. */
export const loadFile = async (modules: Modules, path: string): Promise<Record<string, any>> => {
  if (!existsSync(path)) throw new UsageError(`${path}: no such file`)
  try {
    return await modules.load(path)
  } catch (error) {
    throw new UsageError(`${path}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
