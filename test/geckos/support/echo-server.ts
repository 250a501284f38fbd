// The server that the attacks run against, in a process of its own: an abort of it is seen from outside.
import { geckos, type GeckosServerOptions } from '../../../src/geckos-server.ts'

/** First bytes of a packet that make the server misbehave as a careless game would. */
export const ECHO = 1
export const THROW = 2
export const REJECT = 3
export const KICK = 4

const options = JSON.parse(process.env.GECKOS_OPTIONS ?? '{}') as GeckosServerOptions & { throwOnConnection?: number }
let throwing = options.throwOnConnection ?? 0
const transport = geckos({ port: 0, ...options, onError: () => {} })

await transport.listen(connection => {
  if (throwing > 0) {
    throwing--
    throw new Error('a careless onConnection')
  }
  connection.onPacket = packet => {
    if (packet[0] === THROW) throw new Error('a careless onPacket')
    if (packet[0] === KICK) connection.close()
    if (packet[0] === REJECT) return Promise.reject(new Error('a careless async onPacket')) as unknown as void
    connection.send(packet)
  }
  connection.onClose = () => {
    throw new Error('a careless onClose')
  }
})

process.on('message', message => {
  if (message === 'stats') process.send!({ stats: transport.stats, rss: process.memoryUsage().rss })
  // Nothing but the transport may keep the process alive.
  if (message === 'close') void transport.close().then(() => process.disconnect())
})
process.send!({ port: transport.port })
