import type { World } from 'bitecs'
import type { Schema } from '../components/index.ts'

/** What is behind a client or server, for functions that are for both. */
export interface End {
  readonly world: World
  readonly schema: Schema<any>
  readonly side: 'client' | 'server'
}

export const ends = new WeakMap<object, End>()
