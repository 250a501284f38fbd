import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import type { GeckosServerOptions, GeckosStats } from '../../../src/geckos-server.ts'
import type { GameOptions, GameStatus } from './game.ts'

/** A server in its own process: by default one that echoes. */
export interface ServerProcess<Status = EchoStatus> {
  port: number
  child: ChildProcess
  /** What the process printed on stderr: the reason when it dies. */
  stderr(): string
  alive(): boolean
  /** What it tells of itself. */
  status(): Promise<Status>
  /** Closes the transport and resolves with how the process exited by itself. */
  close(): Promise<{ code: number | null; signal: string | null }>
  /** Kills what is left. */
  dispose(): void
}

/** Counters and resident bytes. */
export interface EchoStatus {
  stats: GeckosStats
  rss: number
}

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Bundles the TypeScript of the child under node_modules, where its packages resolve. */
const bundle = async (name: string): Promise<string> => {
  const cache = join(root, 'node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  const outDir = mkdtempSync(join(cache, 'geckos-'))
  await build({
    root,
    configFile: false,
    logLevel: 'silent',
    build: { ssr: join(root, `test/geckos/support/${name}.ts`), outDir, target: 'node20', emptyOutDir: false },
    ssr: { external: ['@geckos.io/server'] },
  })
  return outDir
}

/** The echo server. */
export const startServer = (
  options: GeckosServerOptions & { throwOnConnection?: number } = {},
): Promise<ServerProcess> => start('echo-server', options)

/** A whole game. */
export const startGame = (options: GameOptions = {}): Promise<ServerProcess<GameStatus>> =>
  start('game-server', options)

const start = async <Status>(name: string, options: object): Promise<ServerProcess<Status>> => {
  const outDir = await bundle(name)
  const child = fork(join(outDir, `${name}.js`), [], {
    env: { ...process.env, GECKOS_OPTIONS: JSON.stringify(options) },
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let errors = ''
  child.stderr!.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-4000)))
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>
  const alive = (): boolean => child.exitCode === null && child.signalCode === null
  const answer = async <T>(): Promise<T> => {
    const first = await Promise.race([once(child, 'message'), exited.then(() => undefined)])
    if (!first) throw new Error(`the server died (${child.exitCode ?? child.signalCode}): ${errors}`)
    return first[0] as T
  }
  const { port } = await answer<{ port: number }>()
  return {
    port,
    child,
    stderr: () => errors,
    alive,
    status: () => {
      child.send('stats')
      return answer()
    },
    close: async () => {
      child.send('close')
      const [code, signal] = await exited
      return { code, signal }
    },
    dispose: () => {
      if (alive()) child.kill('SIGKILL')
      rmSync(outDir, { recursive: true, force: true })
    },
  }
}
