import { query } from 'bitecs'
import { Alive } from 'bitecs-pipes/client'
import { memoryNetwork } from 'bitecs-pipes/memory'
import { Ball, Dot } from '../../dc/listen.dc'
import { createDrawing } from './draw.ts'
import { watchInput } from './input.ts'
import { join } from './player.ts'

const parameters = new URLSearchParams(location.search)
const isAlone = !parameters.has('join')
const port = Number(parameters.get('join')) || Number(import.meta.env.VITE_GAME_PORT) || 9208

const canvas = document.querySelector('canvas')!
const status = document.querySelector('output')!
const link = document.querySelector('a')!
link.href = isAlone ? `?join=${port}` : '?'
link.textContent = isAlone ? 'Join a host on this machine' : 'Play alone'
document.querySelector('#how')!.textContent = isAlone
  ? 'Server and client are both in this page, and nothing goes over a network. “npm run listen:host” starts a host to join.'
  : 'The host plays in its own server: its moves cross no network, yours come over WebRTC.'

/** Alone, the server is in this page too, and nothing leaves it: its code is loaded for this. */
const alone = async () => {
  const { startGame } = await import('./game.ts')
  const network = memoryNetwork()
  await startGame(network.server)
  return network.client()
}

/** With others, it is where the host plays: `npm run listen:host`. */
const withHost = async () => {
  const { geckos } = await import('bitecs-pipes/geckos/client')
  return geckos({ port })
}

const show = (text: string): void => {
  if (status.textContent !== text) status.textContent = text
}

try {
  const player = await join(await (isAlone ? alone() : withHost()), parameters.get('name') ?? 'You')
  const { client, world } = player
  const draw = createDrawing(canvas)
  const steer = watchInput(canvas, player.goal)
  client.onSuspend(() => show('The connection was lost. Coming back…'))
  client.onDisconnect(reason => show(`The game is over: ${reason}.`))

  let last = performance.now()
  requestAnimationFrame(function frame(now) {
    steer(Math.min(0.1, (now - last) / 1000))
    last = now
    player.frame(() => draw(world))
    const dots = query(world, [Dot, Alive]).length
    const [ball] = query(world, [Ball, Alive])
    // What was said of the connection stays until it is back.
    if (client.state === 'connected' && ball !== undefined)
      show(`${isAlone ? 'Alone' : 'With the host'}: ${dots} here, ${Ball.kicks[ball]} kicks`)
    requestAnimationFrame(frame)
  })
} catch (error) {
  show(`Cannot play: ${(error as Error).message}`)
}
