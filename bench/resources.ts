import { readdirSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** What a process holds, after a garbage collection. Sizes in MB; -1 where the system does not tell. */
export interface Resources {
  rss: number
  heap: number
  /** Outside of the heap: array buffers and what native code says that it holds. */
  external: number
  /** Open file descriptors, threads, and what keeps Node's event loop busy. */
  descriptors: number
  threads: number
  handles: number
}

setFlagsFromString('--expose_gc')
const collect = runInNewContext('gc') as () => void

const entries = (directory: string): number => {
  try {
    return readdirSync(directory).length
  } catch {
    return -1
  }
}

/** Looks at this process. */
export const resources = (): Resources => {
  collect()
  const { rss, heapUsed, external } = process.memoryUsage()
  return {
    rss: rss / 1e6,
    heap: heapUsed / 1e6,
    external: external / 1e6,
    descriptors: entries('/proc/self/fd'),
    threads: entries('/proc/self/task'),
    handles: process.getActiveResourcesInfo().length,
  }
}
