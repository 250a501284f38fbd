import { random } from '../net/random.ts'

/** Seeded chance: the same seed and the same calls give the same values on every machine. */
export interface Dice {
  /** Uniform in [0, 1). */
  (): number
  /** A whole number from 0 to `count - 1`. */
  below(count: number): number
  /** A whole number from `least` to `most`. */
  whole(least: number, most: number): number
  /** A real number from `least` to `most`. */
  between(least: number, most: number): number
  /** True with this share, 0..1. */
  chance(share: number): boolean
  /** One of a list that is not empty. */
  pick<T>(items: readonly T[]): T
}

/** Makes {@link Dice} from any number; its lowest 32 bits count. */
export const createDice = (seed: number): Dice => {
  const next = random(seed)
  const below = (count: number) => Math.floor(next() * count)
  return Object.assign(() => next(), {
    below,
    whole: (least: number, most: number) => least + below(most - least + 1),
    between: (least: number, most: number) => least + next() * (most - least),
    chance: (share: number) => next() < share,
    pick: <T>(items: readonly T[]) => items[below(items.length)]!,
  })
}
