/** Bytes and datagrams of a session, in total and as rates over the last second. */
export interface Traffic {
  bytesIn: number
  bytesOut: number
  packetsIn: number
  packetsOut: number
  bytesInPerSecond: number
  bytesOutPerSecond: number
  packetsInPerSecond: number
  packetsOutPerSecond: number
}

/** Where the second that is being measured began. */
export interface TrafficWindow {
  time: number
  bytesIn: number
  bytesOut: number
  packetsIn: number
  packetsOut: number
}

export const createTraffic = (): Traffic => ({
  bytesIn: 0,
  bytesOut: 0,
  packetsIn: 0,
  packetsOut: 0,
  bytesInPerSecond: 0,
  bytesOutPerSecond: 0,
  packetsInPerSecond: 0,
  packetsOutPerSecond: 0,
})

export const createTrafficWindow = (): TrafficWindow => ({
  time: -Infinity,
  bytesIn: 0,
  bytesOut: 0,
  packetsIn: 0,
  packetsOut: 0,
})

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
  if (elapsed !== Infinity) {
    traffic.bytesInPerSecond = (traffic.bytesIn - window.bytesIn) / elapsed
    traffic.bytesOutPerSecond = (traffic.bytesOut - window.bytesOut) / elapsed
    traffic.packetsInPerSecond = (traffic.packetsIn - window.packetsIn) / elapsed
    traffic.packetsOutPerSecond = (traffic.packetsOut - window.packetsOut) / elapsed
  }
  window.time = now
  window.bytesIn = traffic.bytesIn
  window.bytesOut = traffic.bytesOut
  window.packetsIn = traffic.packetsIn
  window.packetsOut = traffic.packetsOut
}
