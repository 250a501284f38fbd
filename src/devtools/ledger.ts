/** What one thing took of the bytes of one direction. */
export interface Entry {
  /** A dclass, or {@link PROTOCOL} for what belongs to none. */
  readonly dclass: string
  /** A field of it, {@link OBJECTS}, or which part of the protocol. */
  readonly field: string
  /** What it is: state, a message, or neither. */
  readonly kind: 'state' | 'message' | 'protocol'
  /** So far. All entries together are exactly the bytes that crossed. */
  bits: number
  /** Bits a second, smoothed over some seconds. */
  rate: number
  /** @internal `bits` when the rate was renewed. */
  marked: number
}

/** Where the bytes of one direction go, by class and field. */
export type Ledger = Map<string, Entry>

/** The class of what belongs to none. */
export const PROTOCOL = '(protocol)'
/** What state takes besides its fields: which objects it is of, which of them change, which come and go. */
export const OBJECTS = '(objects)'

/** The entry of a class and field, made when there is none. */
export const entryOf = (ledger: Ledger, dclass: string, field: string, kind: Entry['kind'] = 'protocol'): Entry => {
  const key = `${dclass}.${field}`
  let entry = ledger.get(key)
  if (!entry) ledger.set(key, (entry = { dclass, field, kind, bits: 0, rate: 0, marked: 0 }))
  return entry
}

/** Part of a difference that a rate takes over at each renewal: some five seconds' worth, if it is renewed every second. */
const SMOOTHING = 0.3

/** Renews the rates after so many seconds. */
export const measureLedger = (ledger: Ledger, seconds: number): void => {
  for (const entry of ledger.values()) {
    const rate = (entry.bits - entry.marked) / seconds
    entry.marked = entry.bits
    entry.rate += (rate - entry.rate) * (entry.rate === 0 ? 1 : SMOOTHING)
    if (entry.rate < 0.5) entry.rate = 0
  }
}

/** Entries of a class, and what they take together. */
export interface ClassTotal {
  readonly dclass: string
  readonly bits: number
  readonly rate: number
  readonly entries: readonly Entry[]
}

/** The ledger by classes; whatever took most comes first, in each class too. */
export const totalsOf = (ledger: Ledger, by: 'bits' | 'rate' = 'bits'): ClassTotal[] => {
  const classes = new Map<string, Entry[]>()
  for (const entry of ledger.values()) {
    const entries = classes.get(entry.dclass)
    if (entries) entries.push(entry)
    else classes.set(entry.dclass, [entry])
  }
  const sum = (entries: Entry[], what: 'bits' | 'rate') => entries.reduce((total, entry) => total + entry[what], 0)
  return Array.from(classes, ([dclass, entries]) => ({
    dclass,
    bits: sum(entries, 'bits'),
    rate: sum(entries, 'rate'),
    entries: entries.sort((a, b) => b[by] - a[by]),
  })).sort((a, b) => b[by] - a[by])
}
