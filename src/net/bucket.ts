/** A token bucket: `rate` tokens a second flow in, at most `burst` are kept. It starts full. */
export interface Bucket {
  rate: number
  burst: number
  tokens: number
  /** When `tokens` was true, in milliseconds of any steady clock. */
  time: number
}

export const createBucket = (rate: number, burst: number, now: number): Bucket => ({
  rate,
  burst,
  tokens: burst,
  time: now,
})

/** Takes `amount` tokens, or none and returns false when fewer are left. `now` in milliseconds. */
export const take = (bucket: Bucket, amount: number, now: number): boolean => {
  const earned = (Math.max(0, now - bucket.time) / 1000) * bucket.rate
  // What was credited beyond the burst stays until it is spent.
  bucket.tokens = Math.min(Math.max(bucket.burst, bucket.tokens), bucket.tokens + earned)
  bucket.time = now
  if (bucket.tokens < amount) return false
  bucket.tokens -= amount
  return true
}

/** Changes what flows in and what is kept from now on; a larger burst is earned first. */
export const retune = (bucket: Bucket, rate: number, burst: number, now: number): void => {
  take(bucket, 0, now)
  bucket.rate = rate
  bucket.burst = burst
  bucket.tokens = Math.min(burst, bucket.tokens)
}

/**
 * Gives what flows in within so many seconds at once, beyond the burst too: they were spent where nothing could be sent. It does not
 * add up: who is given it again before it is spent has no more than once.
 */
export const credit = (bucket: Bucket, seconds: number, now: number): void => {
  take(bucket, 0, now)
  bucket.tokens = Math.max(bucket.tokens, Math.min(bucket.tokens, bucket.burst) + seconds * bucket.rate)
}
