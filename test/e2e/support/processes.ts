import { spawn } from 'node:child_process'
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** A port that was free a moment ago. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createTcpServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

/** Whether something accepts connections on a port of this machine. */
export const isOpen = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(port, 'localhost')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

/** A program of ours in its own process. */
export interface Program {
  output(): string
  /** Resolves when the output has this in it; rejects when the program ends first, or after `deadline` ms. */
  says(text: string, deadline?: number): Promise<void>
  /** Resolves with its exit code. */
  ended: Promise<number | null>
  /** Asks it to end, as Ctrl-C does. */
  stop(): Promise<void>
}

/** Runs a TypeScript file in Node through the project's vite config. */
export const startProgram = (file: string, args: readonly string[] = [], env: Record<string, string> = {}): Program => {
  const child = spawn(process.execPath, ['scripts/run.mjs', file, ...args], {
    cwd: root,
    // Loopback alone: so the tests pass on a machine without any other network too.
    env: { ...process.env, GAME_HOST: '127.0.0.1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const listeners = new Set<() => void>()
  const hear = (chunk: Buffer) => {
    output += chunk.toString()
    for (const listener of listeners) listener()
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  const ended = new Promise<number | null>(resolve => child.once('exit', resolve))
  return {
    output: () => output,
    ended,
    says: (text, deadline = 40_000) =>
      new Promise((resolve, reject) => {
        const finish = (settle: () => void) => {
          clearTimeout(timer)
          listeners.delete(look)
          settle()
        }
        const fail = (why: string) =>
          finish(() => reject(new Error(`${file} ${why} before it said "${text}":\n${output}`)))
        const timer = setTimeout(() => fail(`took over ${deadline} ms`), deadline)
        const look = () => {
          if (output.includes(text)) finish(resolve)
        }
        listeners.add(look)
        void ended.then(code => (output.includes(text) ? finish(resolve) : fail(`ended with ${code}`)))
        look()
      }),
    stop: async () => {
      child.kill('SIGINT')
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await ended
      clearTimeout(timer)
    },
  }
}
