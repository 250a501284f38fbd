import { createServer as createHttpServer } from 'node:http'
import { createWorld } from 'bitecs'
import { geckos } from 'bitecs-pipes/geckos/server'
import { createServer, tickLoop } from 'bitecs-pipes/server'
import sirv from 'sirv'
import schema from './game.dc'
import { startGame } from './rules.ts'

const port = Number(process.env.PORT ?? 9208)
const udpPort = Number(process.env.UDP_PORT ?? 0)
const host = process.env.HOST ?? '127.0.0.1'

// The built page and the WebRTC handshake share one TCP port; the game itself is UDP.
const pages = sirv('dist/page')
const http = createHttpServer((request, response) => pages(request, response))
const transport = geckos({
  server: http,
  bindAddress: host,
  ...(udpPort && { portRange: { min: udpPort, max: udpPort } }),
})

const world = createWorld()
const server = createServer(world, schema, { transport, tickRate: 30 })
const play = startGame(world, server)
server.onJoin(client => console.log(`+ ${client.id} (${server.clients.size} here)`))
server.onLeave((client, reason) => console.log(`- ${client.id} ${reason}`))

const loop = tickLoop(server.tickRate, () => {
  server.receive(world)
  play()
  server.replicate(world)
})

await server.ready
http.listen(port, host, () => console.log(`Listening on ${host}:${port}`))

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, async () => {
    loop.stop()
    await server.close() // says goodbye to everybody
    process.exit(0)
  })
