import type { Downlink } from '../net/downlink.ts'
import { SENT, type Peer } from '../net/peer.ts'
import type { ServerState, Session } from './server-state.ts'

/** What was read last: nobody needs it, but what nobody could see would not be read at all. */
export let preloaded = 0

const sessions: (Session | undefined)[] = []
const downlinks: (Downlink | undefined)[] = []
const peers: (Peer<unknown> | undefined)[] = []

/**
 * Reads a word of each thing that the turn of each client will touch. They lie all over the memory, and after the pause between two ticks
 * in no cache: one by one, each would be waited for with nothing else to do. Here all clients' sessions are read first, then what those
 * point to, and so on: of one such row none waits for another, and many are under way at once.
 */
export const preload = (state: ServerState): void => {
  let sum = 0
  let count = 0
  for (const session of state.sessions) {
    sessions[count] = session
    downlinks[count] = session.downlink
    count++
    sum += session.updateRate + session.zonesVersion
  }
  for (let index = 0; index < count; index++) {
    const { inbox, counts, datagramBucket, connection } = sessions[index]!
    const { peer, unsent } = downlinks[index]!
    peers[index] = peer
    sum += inbox.length + counts.bytesIn + datagramBucket.tokens + unsent + (connection.send === undefined ? 1 : 0)
  }
  for (let index = 0; index < count; index++) {
    const peer = peers[index]!
    const { subscriptions, budget } = downlinks[index]!
    const first = sessions[index]!.inbox[0]
    if (first) sum += first.time
    sum += peer.nextSequence + peer.newestReceivedTime + peer.rtt + peer.longLoss + peer.contents.length
    sum += peer.bits.length + peer.sentTimes.length + peer.sentStates.length + budget.tokens
    sum += subscriptions.order.length + subscriptions.groups.length + subscriptions.numbers.length
  }
  for (let index = 0; index < count; index++) {
    const { bits, sentTimes, sentStates, contents, nextSequence } = peers[index]!
    const { numbers, order, groups } = downlinks[index]!.subscriptions
    const at = nextSequence % SENT
    const first = sessions[index]!.inbox[0]
    if (first) sum += first.packet[0]!
    sum += bits[0]! + sentTimes[at]! + sentStates[at]! + (contents[at] === undefined ? 1 : 0)
    if (order.length > 0) sum += numbers[0]! + order[0]! + (groups[0] === undefined ? 1 : 0)
    sessions[index] = undefined
    downlinks[index] = undefined
    peers[index] = undefined
  }
  preloaded = sum
}
