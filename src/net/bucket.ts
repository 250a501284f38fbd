/** A token bucket: so many a second on average, so many at once. */
export interface Bucket {
  readonly rate: number
  readonly burst: number
  tokens: number
  time: number
}

/** Makes a full bucket; times are in seconds. */
export const createBucket = (rate: number, burst: number): Bucket => ({ rate, burst, tokens: burst, time: -Infinity })

/** Takes `count` tokens if they are there. */
export const take = (bucket: Bucket, count: number, now: number): boolean => {
  if (now > bucket.time) {
    bucket.tokens = Math.min(
      bucket.burst,
      bucket.tokens + (bucket.time === -Infinity ? 0 : now - bucket.time) * bucket.rate,
    )
    bucket.time = now
  }
  if (bucket.tokens < count) return false
  bucket.tokens -= count
  return true
}
