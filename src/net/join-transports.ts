import type { ServerTransport } from './transport.ts'

const closeAll = async (transports: readonly ServerTransport[]): Promise<void> => {
  const outcomes = await Promise.allSettled(transports.map(async transport => transport.close()))
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}

/**
 * Several transports as one, such as a network for guests and the memory link of the host: connections of all of them are the
 * server's. `listen` rejects when one cannot listen; then none does.
 *
 * Throws a `TypeError` when there is none.
 */
export const joinTransports = (transports: readonly ServerTransport[]): ServerTransport => {
  if (transports.length === 0) throw new TypeError('transport is an empty list: give one transport or more.')
  return {
    async listen(onConnection) {
      const outcomes = await Promise.allSettled(transports.map(async transport => transport.listen(onConnection)))
      const failed = outcomes.find(outcome => outcome.status === 'rejected')
      if (!failed) return
      // One that does not listen need not be able to close.
      await closeAll(transports.filter((_, index) => outcomes[index]!.status === 'fulfilled')).catch(() => {})
      throw failed.reason
    },
    close: () => closeAll(transports),
  }
}
