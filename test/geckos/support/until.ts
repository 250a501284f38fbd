/** Resolves with the first value of `probe` that is not falsy; rejects after `deadline` milliseconds, naming `what`. */
export const until = async <T>(
  what: string,
  probe: () => T | Promise<T>,
  deadline = 20_000,
): Promise<NonNullable<T>> => {
  const end = performance.now() + deadline
  for (;;) {
    const value = await probe()
    if (value) return value as NonNullable<T>
    if (performance.now() > end) throw new Error(`waited ${deadline} ms for: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

/** The callback API of the connection as a list of what came in. */
export const record = (connection: { onPacket: (packet: Uint8Array) => void; onClose: () => void }) => {
  const seen = { packets: [] as Uint8Array[], closed: 0 }
  connection.onPacket = packet => void seen.packets.push(packet)
  connection.onClose = () => void seen.closed++
  return seen
}
