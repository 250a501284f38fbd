import type { TickLoopOptions } from '../../src/systems/tick-loop.ts'

/** A clock and one timer for a tick loop, driven by hand; times in seconds. */
export function manualTimer(options: { lateness?: () => number } = {}) {
  let time = 1000
  let pending: { due: number; callback: () => void } | undefined
  const injected: Required<Pick<TickLoopOptions, 'now' | 'wait'>> = {
    now: () => time,
    wait(callback, delay) {
      // As Node does: whole milliseconds, and late rather than early.
      const timer = { due: time + Math.ceil((delay - 1e-6) * 1000) / 1000 + (options.lateness?.() ?? 0), callback }
      pending = timer
      return () => {
        if (pending === timer) pending = undefined
      }
    },
  }
  return {
    options: injected,
    /** A step calls this to take its time. */
    spend: (seconds: number) => void (time += seconds),
    get waiting() {
      return pending !== undefined
    },
    /** Lets `seconds` pass, firing the timer whenever it is due. */
    run(seconds: number) {
      // A nanosecond for what sums of fractions lose.
      const end = time + seconds + 1e-9
      while (pending && pending.due <= end) {
        const { due, callback } = pending
        pending = undefined
        time = Math.max(time, due)
        callback()
      }
      time = Math.max(time, end)
    },
  }
}
