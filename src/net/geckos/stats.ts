/** What the transport accepted and refused since it was made; plain counters, only ever counted up. */
export interface GeckosStats {
  /** Peers whose channel opened. */
  opened: number
  /** Opened peers that have ended since, for whatever reason. */
  closed: number
  /** Peers closed by the transport: budget of malformed packets or of dropped packets spent, or a channel of their own. */
  kicked: number
  /** Packets handed to the session, and their bytes. */
  packets: number
  bytes: number

  /** Text frames on the channel; ours are binary only. */
  droppedText: number
  /** Packets above `maxPacket`. */
  oversize: number
  /** Packets above the packet or byte rate. */
  rateLimited: number
  /** Outgoing packets dropped because the peer's send buffer (1 MiB in SCTP) was full or the channel was closing. */
  sendDropped: number
  /** Exceptions and rejections of callbacks: `onConnection`, `onPacket`, `onClose`, `authorization`. */
  callbackErrors: number

  /** Bodies above `maxBody`, above 1 KB where none is needed, or while another one for the same connection is being read. */
  refusedBodies: number
  /** Requests that are none of the three known ones, or not for a known connection. */
  unknownRequests: number
  /** Bodies that are not JSON, not an SDP answer, or a second answer for one connection. */
  refusedAnswers: number
  /** ICE candidates left out of answers: names, and addresses other than where the answer came from. */
  droppedCandidates: number
  /** Requests to close a connection over HTTP, which anybody who saw its id could send. */
  refusedCloses: number
  /** Requests of pages from origins outside `cors.origin`. */
  refusedOrigins: number
  /** Refused by `authorization`. */
  unauthorized: number
  /** Refused because `maxPending`, `maxPerAddress`, `maxConnections` or, in haste, `handshakeRate` was reached. */
  pendingRefused: number
  addressRefused: number
  fullRefused: number
  hasteRefused: number
  /** Handshakes that did not open within `openTimeout`. */
  openTimeouts: number
}

export const createStats = (): GeckosStats => ({
  opened: 0,
  closed: 0,
  kicked: 0,
  packets: 0,
  bytes: 0,
  droppedText: 0,
  oversize: 0,
  rateLimited: 0,
  sendDropped: 0,
  callbackErrors: 0,
  refusedBodies: 0,
  unknownRequests: 0,
  refusedAnswers: 0,
  droppedCandidates: 0,
  refusedCloses: 0,
  refusedOrigins: 0,
  unauthorized: 0,
  pendingRefused: 0,
  addressRefused: 0,
  fullRefused: 0,
  hasteRefused: 0,
  openTimeouts: 0,
})
