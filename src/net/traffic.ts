type Count = 'bytesIn' | 'bytesOut' | 'packetsIn' | 'packetsOut'

/** Bytes and datagrams of a session, in total and as rates over the last second. */
export type Traffic = { [Name in Count | `${Count}PerSecond`]: number }

/** Where the second that is being measured began, and the totals then. */
export type TrafficWindow = { [Name in Count | 'time']: number }

const noCounts = (): { [Name in Count]: number } => ({ bytesIn: 0, bytesOut: 0, packetsIn: 0, packetsOut: 0 })

export const createTraffic = (): Traffic => ({
  ...noCounts(),
  bytesInPerSecond: 0,
  bytesOutPerSecond: 0,
  packetsInPerSecond: 0,
  packetsOutPerSecond: 0,
})

export const createTrafficWindow = (): TrafficWindow => ({ time: -Infinity, ...noCounts() })

export const countIn = (traffic: Traffic, bytes: number): void => {
  traffic.bytesIn += bytes
  traffic.packetsIn++
}

export const countOut = (traffic: Traffic, bytes: number): void => {
  traffic.bytesOut += bytes
  traffic.packetsOut++
}

/** Renews the rates once a second (`now` in seconds). */
export const measureTraffic = (traffic: Traffic, window: TrafficWindow, now: number): void => {
  const elapsed = now - window.time
  if (elapsed < 1) return
  window.time = now
  // Nothing before the first look. Spelt out: names that are put together are looked up one by one.
  if (elapsed !== Infinity) {
    traffic.bytesInPerSecond = (traffic.bytesIn - window.bytesIn) / elapsed
    traffic.bytesOutPerSecond = (traffic.bytesOut - window.bytesOut) / elapsed
    traffic.packetsInPerSecond = (traffic.packetsIn - window.packetsIn) / elapsed
    traffic.packetsOutPerSecond = (traffic.packetsOut - window.packetsOut) / elapsed
  }
  window.bytesIn = traffic.bytesIn
  window.bytesOut = traffic.bytesOut
  window.packetsIn = traffic.packetsIn
  window.packetsOut = traffic.packetsOut
}
