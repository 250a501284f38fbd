import createChannel, { type ClientChannel } from '@geckos.io/client'
import { installNodeWebRTC } from '../../../src/net/geckos/node-webrtc.ts'

/** Milliseconds for one handshake. */
const PATIENCE = 6000

/** The client that geckos ships: it can send what ours does not, such as text frames and events. Tries again when a handshake is lost. */
export const connectStock = async (port: number, attempts = 3): Promise<ClientChannel> => {
  await installNodeWebRTC()
  const channel = createChannel({ url: 'http://127.0.0.1', port })
  // geckos does not await these: a candidate that comes after the close would be an unhandled rejection.
  insides(channel).fetchAdditionalCandidates = async (host, id) => {
    const response = await fetch(`${host}/connections/${id}/additional-candidates`)
    for (const candidate of response.ok ? ((await response.json()) as RTCIceCandidateInit[]) : []) {
      await peerOf(channel).addIceCandidate(candidate)
    }
  }
  const isOpen = await new Promise<boolean>((resolve, reject) => {
    const timer = setTimeout(() => resolve(false), PATIENCE)
    void channel.onConnect(error => {
      clearTimeout(timer)
      if (error) reject(error)
      else resolve(true)
    })
  })
  if (isOpen) return channel
  peerOf(channel)?.close()
  if (attempts === 1) throw new Error(`no channel opened in ${PATIENCE} ms`)
  return connectStock(port, attempts - 1)
}

/** What geckos keeps private. */
interface Insides {
  localPeerConnection: RTCPeerConnection
  dataChannel: RTCDataChannel
  fetchAdditionalCandidates(host: string, id: string): Promise<void>
}

const insides = (channel: ClientChannel) => (channel as unknown as { connectionsManager: Insides }).connectionsManager

/** The connection under a channel. */
export const peerOf = (channel: ClientChannel): RTCPeerConnection => insides(channel).localPeerConnection

/** Sends, or does nothing when the server has closed the channel meanwhile. */
export const sendRaw = (channel: ClientChannel, message: string | Uint8Array<ArrayBuffer>): void => {
  try {
    insides(channel).dataChannel.send(message as string)
  } catch {
    // closed: what the attacks are after
  }
}

/** Closes without geckos' fetch, whose rejection nobody would handle when the server is gone. */
export const closeStock = (channel: ClientChannel): void => peerOf(channel).close()
