/**
 * Whether somebody fell silent, or we were the ones who did not listen: while a page or a server is busy, asleep or throttled, what
 * arrives waits, and is not taken in before the first look at the clock. Times in seconds.
 */
export interface Vigil {
  /** When we looked last, and when that was the first look after a long pause. */
  lookedAt: number
  wokeAt: number
}

/** More than that without a look and we were asleep: hidden pages get a timer a second. */
const ASLEEP = 1.5
/** From then on what waited has so long to be taken in. */
const GRACE = 1

export const createVigil = (): Vigil => ({ lookedAt: Infinity, wokeAt: -Infinity })

/** To be called at each look. Who was not heard since we woke up last does not get the grace again. */
export const look = (vigil: Vigil, now: number, heardAt = Infinity): void => {
  if (now - vigil.lookedAt > ASLEEP && vigil.wokeAt <= heardAt) vigil.wokeAt = now
  vigil.lookedAt = now
}

/** Seconds that we were asleep until this look, which is yet to be taken. */
export const sleptFor = ({ lookedAt }: Vigil, now: number): number => (now - lookedAt > ASLEEP ? now - lookedAt : 0)

/** Whether who was heard at `heardAt` has been silent for longer than `timeout`. */
export const isSilent = (vigil: Vigil, now: number, heardAt: number, timeout: number): boolean =>
  now - heardAt > timeout && now - vigil.wokeAt > GRACE
