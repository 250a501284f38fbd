/** Where the command line reads and writes: a process, or a test. */
export interface Terminal {
  readonly out: (text: string) => void
  readonly error: (text: string) => void
  /** All of standard input. */
  readonly input: () => string
  /** How modules of the project are imported. Default: by its Vite, or else by Node. */
  readonly modules?: () => Promise<Modules>
}

/** Imports a project's own modules, and packages as these see them. */
export interface Modules {
  /** A path, or the name of a package. */
  load(name: string): Promise<Record<string, any>>
  close(): Promise<void>
}

/** A wrong call: told without a stack, exit code 2. */
export class UsageError extends Error {}
