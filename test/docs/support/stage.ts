import { join } from 'node:path'
import { memoryNetwork, type MemoryNetwork } from 'bitecs-pipes/memory'
import { vi } from 'vitest'
import { programs, type SIDES } from './program.ts'

/** The programs that were run, such as `recipes/chat/server.ts`. */
export const played = new Set<string>()

/** Outlives `vi.resetModules`: the network that `geckos()` stands for in the programs of the page that runs now. */
const current = globalThis as typeof globalThis & { network: MemoryNetwork; authorization: Authorization | undefined }

/** The option of the server's `geckos()` that a handshake asks. */
type Authorization = (header: string) => unknown

/** What `bitecs-pipes/geckos/server` and `/client` are to those programs. */
export const serverTransport = {
  geckos(options: { authorization?: Authorization } = {}) {
    current.authorization = options.authorization
    return current.network.server
  },
}
export const clientTransport = {
  geckos: () => current.network.client(current.authorization?.('Bearer secret-of-ada')),
}

/** Everything that a file declares and exports, by name. */
export type Exports = Record<string, any>

/** A page's programs, on virtual time. */
export interface Stage {
  readonly network: MemoryNetwork
  /** Lines of `console.log`, oldest first. */
  readonly lines: string[]
  /** Runs a file of the page; resolves when it has run to its end. */
  load(side: (typeof SIDES)[number], file: string): Promise<Exports>
  /** The same, for a file that is to fail: with its error. */
  fail(side: (typeof SIDES)[number], file: string): Promise<Error>
  /** Lets so many seconds pass. */
  run(seconds: number): Promise<void>
  /** Lets time pass until it holds. Throws after so many seconds of virtual time. */
  until(what: string, condition: () => unknown, seconds?: number): Promise<void>
}

const drain = () => new Promise<void>(resolve => setImmediate(resolve))
const wait = setTimeout
/** A millisecond that is none of the programs'. */
const pause = () => new Promise<void>(resolve => wait(resolve, 1))

/** Begins a page: its programs see one network, with 30 ms each way, and no clock but the virtual one. */
export const openStage = (page: string): Stage => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] })
  const lines: string[] = []
  vi.spyOn(console, 'log').mockImplementation((...words) => void lines.push(words.join(' ')))
  vi.stubGlobal('requestAnimationFrame', (draw: (time: number) => void) =>
    setTimeout(() => draw(performance.now()), 1000 / 60),
  )
  const network = memoryNetwork({ conditions: { lag: 0.03 } })
  current.network = network
  current.authorization = undefined
  vi.resetModules()
  const run = async (seconds: number) => {
    await vi.advanceTimersByTimeAsync(seconds * 1000)
    await drain()
  }
  const settle = async <T>(promise: Promise<T>, what: string): Promise<T> => {
    let isOver = false
    const end = () => void (isOver = true)
    promise.then(end, end)
    // Reading and compiling take real time, so theirs goes on ten times as fast at most.
    const deadline = process.uptime() + 20
    while (!isOver && process.uptime() < deadline) {
      await run(0.01)
      await pause()
    }
    if (!isOver) throw new Error(`${what} did not end within 20 s.`)
    return promise
  }
  const load: Stage['load'] = (side, file) => {
    played.add(`${page}/${file}`)
    return settle(import(/* @vite-ignore */ join(programs, page, side, file)), `${page}: ${file}`)
  }
  return {
    network,
    lines,
    load,
    fail: (side, file) =>
      load(side, file).then(
        () => {
          throw new Error(`${page}: ${file} did not fail.`)
        },
        error => error,
      ),
    run,
    async until(what, condition, seconds = 10) {
      const end = performance.now() + seconds * 1000
      while (!condition()) {
        if (performance.now() > end) throw new Error(`${page}: waited ${seconds} s for: ${what}`)
        await run(1 / 60)
      }
    },
  }
}

/** Ends a page: its timers never fire again. */
export const closeStage = (): void => {
  vi.clearAllTimers()
  vi.useRealTimers()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
}
