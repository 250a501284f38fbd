/** Whether this is Node (or Bun), where WebRTC comes from a package. */
export const isNode = (): boolean =>
  typeof (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node === 'string'

const HELP = `geckos: this Node process has no WebRTC. Install node-datachannel, from which the client's transport takes it:
  npm install node-datachannel@0.33.4`

/** Puts the globals that geckos' client uses in place, from `node-datachannel/polyfill`. */
export const installNodeWebRTC = async (): Promise<void> => {
  if (typeof RTCPeerConnection !== 'undefined') return
  // A variable, so that no bundler follows it: browsers never get here.
  const polyfill = 'node-datachannel/polyfill'
  let names: Record<string, unknown>
  try {
    names = (await import(/* @vite-ignore */ polyfill)) as Record<string, unknown>
  } catch (cause) {
    throw new Error(`${HELP}\nThe import failed with: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
  const { RTCPeerConnection: peerConnection, RTCSessionDescription, RTCIceCandidate } = names
  Object.assign(globalThis, { RTCPeerConnection: peerConnection, RTCSessionDescription, RTCIceCandidate })
}
