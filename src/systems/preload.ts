import { SENT } from '../net/peer.ts'
import type { ServerState } from './server-state.ts'

/** What was read last: nobody needs it, but what nobody could see would not be read at all. */
export let preloaded = 0

/**
 * Reads a word of each thing that the turn of each client will touch. They lie all over the memory, and after the pause between two ticks
 * in no cache: one by one, each would be waited for with nothing else to do. Here none needs another client's, so that those of several
 * are under way at once.
 */
export const preload = (state: ServerState): void => {
  let sum = 0
  for (const { inbox, counts, datagramBucket, connection, downlink } of state.sessions) {
    const { peer, subscriptions, sender, budget, spare, messages, outbox } = downlink
    const { bits, sentTimes, sentStates, contents } = peer
    const first = inbox[0]
    if (first) sum += first.packet[0]! + first.time
    const at = peer.nextSequence % SENT
    sum += counts.bytesIn + counts.lossIn + datagramBucket.tokens + datagramBucket.time
    sum += peer.newestReceivedTime + peer.lastReceiveTime + peer.lastSendTime + peer.rtt + peer.loss + peer.longLoss
    sum += bits[0]! + sentTimes[at]! + sentStates[at]! + contents.length + (connection.send === undefined ? 1 : 0)
    sum += subscriptions.numbers.length + subscriptions.order.length + subscriptions.groups.length
    sum += budget.tokens + budget.time + sender.queue.length + spare.length + messages.length + outbox.length
    sum += downlink.auditDue + downlink.patience
  }
  preloaded = sum
}
