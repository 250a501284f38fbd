import type { GeckosServerOptions, GeckosStats } from '../../../src/geckos-server.ts'
import type { SessionStats, ServerOptions, ViolationCounts } from '../../../src/server.ts'

/** What is played in `game-server.ts`: each client owns an avatar in zone 1; rocks turn in zones 1 to 4 and in one that nobody may see. */
export const DC = `
keyword unreliable;
dclass Avatar {
  int16/10 x broadcast ram ownsend;
  string(0-20) mood broadcast ram ownsend;
  uint8(0-100) health = 100 broadcast ram;
  say(string(0-20) text) ownsend;
  wave(uint8 hand) ownsend unreliable;
};
dclass Rock {
  int16%360 angle broadcast ram;
  uint8(0-9) lock broadcast ram clsend;
  knock(uint8(0-9) times) clsend;
};
`
export const PASSWORD = 'open'
/** The zone that no client may see. */
export const HIDDEN = 9

export interface GameOptions {
  transport?: GeckosServerOptions
  server?: Partial<Omit<ServerOptions, 'transport'>>
  rocks?: number
}

/** What the game's process tells of itself. */
export interface GameStatus {
  stats: GeckosStats
  violations: ViolationCounts
  clients: {
    id: number
    violations: ViolationCounts
    stats: SessionStats
    updateRate: number
    commandRate: number
    interp: number
  }[]
  objects: { doId: number; zone: number; owner: number; x: number; health: number; lock: number }[]
  /** Messages that reached a handler. */
  heard: { say: number; wave: number; knock: number }
  /** Who left, and why. */
  left: [number, string][]
  errors: string[]
  /** Milliseconds of each tick since the last look, and of their CPU time. */
  ticks: number[]
  costs: number[]
  skipped: number
  /** After a garbage collection. */
  memory: NodeJS.MemoryUsage
}
