import type { GeckosStats } from './stats.ts'

/** How many peers the server holds, in total, per address, and still shaking hands. */
export interface Admission {
  pending: number
  open: number
  readonly perAddress: Map<string, number>
}

export interface AdmissionLimits {
  maxConnections: number
  maxPending: number
  maxPerAddress: number
}

export const createAdmission = (): Admission => ({ pending: 0, open: 0, perAddress: new Map() })

/** Takes a pending place for `address`, or counts why there is none and returns false. */
export const admit = (admission: Admission, address: string, limits: AdmissionLimits, stats: GeckosStats): boolean => {
  const { pending, open, perAddress } = admission
  const same = perAddress.get(address) ?? 0
  if (pending + open >= limits.maxConnections) stats.fullRefused++
  else if (same >= limits.maxPerAddress) stats.addressRefused++
  else if (pending >= limits.maxPending) stats.pendingRefused++
  else {
    admission.pending++
    perAddress.set(address, same + 1)
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
  if (wasOpen) admission.open--
  else admission.pending--
  const same = (admission.perAddress.get(address) ?? 1) - 1
  if (same > 0) admission.perAddress.set(address, same)
  else admission.perAddress.delete(address)
}
