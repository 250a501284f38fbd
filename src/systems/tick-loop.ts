export interface TickLoopOptions {
  /** Steps made in a row at most when the loop is behind; the time beyond them is dropped. Default 4. */
  maxCatchUp?: number
  /**
   * Called with what a step threw, after the loop has stopped. Default: rethrows, which on Node ends the process as any
   * uncaught exception does: a world whose step broke half-way is not one to go on serving.
   */
  onError?: (error: unknown) => void
  /** A monotonic clock, seconds. Default `performance.now()`. */
  now?: () => number
  /** Calls back once after `delay` seconds; returns what cancels it. Default `setTimeout`. */
  wait?: (callback: () => void, delay: number) => () => void
}

export interface TickLoopStats {
  /** Steps made. */
  ticks: number
  /** Steps made a whole interval or more after they were due. */
  late: number
  /** Steps never made, because the loop was more than `maxCatchUp` behind. */
  skipped: number
}

export interface TickLoop {
  /** Makes no further step, also when called from inside one. Idempotent. */
  stop(): void
  readonly running: boolean
  readonly stats: Readonly<TickLoopStats>
}

// Seconds. A step may come this much early: keeps rounding from costing a whole wait.
const EARLY = 1e-6

/**
 * Calls `step` at a fixed rate until stopped; the first time one interval from now.
 *
 * Does not drift: the schedule is absolute, so after N seconds N x rate steps were made, however late each timer fired.
 * Does not spiral: when steps take longer than their interval, at most `maxCatchUp` are made before the event loop gets
 * its turn, and the rest are dropped and counted as skipped; the schedule's phase is kept. The same happens after a
 * suspended process and in a hidden browser tab, where timers fire about once a second.
 *
 * @param rate steps per second
 */
export function tickLoop(rate: number, step: () => void, options: TickLoopOptions = {}): TickLoop {
  const { maxCatchUp = 4, onError = rethrow, now = monotonicTime, wait = waitForTimeout } = options
  if (!(rate > 0 && rate <= 1000)) throw new RangeError(`tickLoop: the rate is 0 to 1000 steps per second, not ${rate}`)
  if (!(maxCatchUp >= 1)) throw new RangeError(`tickLoop: maxCatchUp is a number of steps from 1 up, not ${maxCatchUp}`)
  const stats: TickLoopStats = { ticks: 0, late: 0, skipped: 0 }
  const start = now()
  let running = true
  let cancel = () => {}

  const loop: TickLoop = {
    stop() {
      running = false
      cancel()
    },
    get running() {
      return running
    },
    stats,
  }
  schedule()
  return loop

  function schedule(): void {
    const due = start + (stats.ticks + stats.skipped + 1) / rate
    cancel = wait(run, Math.max(0, due - now()))
  }

  function run(): void {
    const owed = Math.floor((now() - start + EARLY) * rate) - stats.ticks - stats.skipped
    const steps = Math.min(owed, Math.floor(maxCatchUp))
    if (owed > steps) stats.skipped += owed - steps
    try {
      for (let left = steps; left > 0 && running; left--) {
        stats.ticks++
        if (left > 1) stats.late++
        step()
      }
    } catch (error) {
      loop.stop()
      onError(error)
    }
    if (running) schedule()
  }
}

function rethrow(error: unknown): never {
  throw error
}

function monotonicTime(): number {
  return performance.now() / 1000
}

function waitForTimeout(callback: () => void, delay: number): () => void {
  // Timers round down to whole milliseconds, and would wake before the step is due only to wait again.
  const timer = setTimeout(callback, Math.ceil((delay - EARLY) * 1000))
  return () => clearTimeout(timer)
}
