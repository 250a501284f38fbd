import { type Bucket, createBucket, take } from '../bucket.ts'
import type { GeckosStats } from './stats.ts'

/** What one address has: peers, and an allowance of handshakes. */
interface Guests {
  count: number
  readonly bucket: Bucket
}

/** How many peers the server holds, in total, per address, and still shaking hands. */
export interface Admission {
  pending: number
  open: number
  readonly perAddress: Map<string, Guests>
}

export interface AdmissionLimits {
  maxConnections: number
  maxPending: number
  maxPerAddress: number
  handshakeRate: number
}

/** Addresses that are remembered though nobody of theirs is here, for the sake of their rate. */
const MAX_ABSENT = 1024

export const createAdmission = (): Admission => ({ pending: 0, open: 0, perAddress: new Map() })

/** Takes a pending place for `address`, or counts why there is none and returns false. `now` in milliseconds. */
export const admit = (
  admission: Admission,
  address: string,
  limits: AdmissionLimits,
  stats: GeckosStats,
  now: number,
): boolean => {
  const { pending, open, perAddress } = admission
  const guests = perAddress.get(address) ?? {
    count: 0,
    bucket: createBucket(limits.handshakeRate, limits.maxPerAddress * 2, now),
  }
  if (pending + open >= limits.maxConnections) stats.fullRefused++
  else if (guests.count >= limits.maxPerAddress) stats.addressRefused++
  else if (pending >= limits.maxPending) stats.pendingRefused++
  else if (!take(guests.bucket, 1, now)) stats.hasteRefused++
  else {
    admission.pending++
    guests.count++
    perAddress.set(address, guests)
    return true
  }
  return false
}

/** A pending place becomes an open one. */
export const promote = (admission: Admission): void => {
  admission.pending--
  admission.open++
}

/** Gives a place back. */
export const leave = (admission: Admission, address: string, wasOpen: boolean): void => {
  const { perAddress } = admission
  if (wasOpen) admission.open--
  else admission.pending--
  const guests = perAddress.get(address)
  if (!guests || --guests.count > 0) return
  // The one that came or went longest ago is forgotten first.
  perAddress.delete(address)
  perAddress.set(address, guests)
  if (perAddress.size <= MAX_ABSENT + admission.open + admission.pending) return
  for (const [absent, { count }] of perAddress)
    if (count === 0) {
      perAddress.delete(absent)
      return
    }
}
