/** Where the command line reads and writes: a process, or a test. */
export interface Terminal {
  readonly out: (text: string) => void
  readonly error: (text: string) => void
  /** All of standard input. */
  readonly input: () => string
}

/** A wrong call: told without a stack, exit code 2. */
export class UsageError extends Error {}
