import { query } from 'bitecs'
import { Alive } from 'bitecs-pipes/client'
import { geckos } from 'bitecs-pipes/geckos/server'
import { memoryNetwork } from 'bitecs-pipes/memory'
import { Ball, Dot } from '../../dc/listen.dc'
import { FIELD } from './field.ts'
import { startGame } from './game.ts'
import { join } from './player.ts'

// A listen server: guests come over WebRTC, the host plays in this very process. Without a screen, this one runs in circles.

const port = Number(process.env.GAME_PORT ?? 9208)
const memory = memoryNetwork()
const game = await startGame([geckos({ port }), memory.server]).catch((error: Error) => {
  console.error(`Cannot host: ${error.message}`)
  process.exit(1)
})
const host = await join(memory.client(), 'Host')
console.log(`The host plays; guests: npm run listen, and open the page with ?join=${port} (Ctrl-C ends it)`)

let names = ''
const frames = setInterval(() => {
  const turn = performance.now() / 2000
  host.goal.x = FIELD.width / 2 + Math.cos(turn) * 120
  host.goal.y = FIELD.height / 2 + Math.sin(turn) * 120
  host.frame()
  const now = Array.from(query(host.world, [Dot, Alive]), eid => Dot.name[eid]).sort()
  if (names !== String(now)) console.log(`Here are ${now.join(', ')}`)
  names = String(now)
}, 1000 / 60)

const stop = async (): Promise<void> => {
  clearInterval(frames)
  for (const eid of query(host.world, [Ball])) console.log(`The ball was kicked ${Ball.kicks[eid]} times.`)
  host.client.disconnect()
  await game.stop()
  process.exit(0)
}
process.once('SIGINT', stop)
process.once('SIGTERM', stop)
