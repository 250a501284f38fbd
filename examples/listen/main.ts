import { query } from 'bitecs'
import { Alive } from 'bitecs-pipes/client'
import { memoryNetwork } from 'bitecs-pipes/memory'
import { Ball, Dot } from '../../dc/listen.dc'
import { FIELD, RADIUS } from './field.ts'
import { join } from './player.ts'

const canvas = document.querySelector('canvas')!
const context = canvas.getContext('2d')!
const status = document.querySelector('output')!
Object.assign(canvas, FIELD)

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
  return geckos({ port: Number(parameters.get('join')) || Number(import.meta.env.VITE_GAME_PORT) || 9208 })
}

const parameters = new URLSearchParams(location.search)
const isAlone = !parameters.has('join')

const disc = (x: number, y: number, radius: number, colour: string): void => {
  context.beginPath()
  context.arc(x, y, radius, 0, Math.PI * 2)
  context.fillStyle = colour
  context.fill()
}

try {
  const player = await join(await (isAlone ? alone() : withHost()), parameters.get('name') ?? 'You')
  canvas.addEventListener('pointermove', event => {
    const { left, top, width, height } = canvas.getBoundingClientRect()
    player.goal.x = ((event.clientX - left) / width) * FIELD.width
    player.goal.y = ((event.clientY - top) / height) * FIELD.height
  })
  player.client.onDisconnect(reason => {
    status.textContent = `The game is over: ${reason}.`
  })
  const draw = (): void => {
    context.clearRect(0, 0, FIELD.width, FIELD.height)
    const dots = query(player.world, [Dot, Alive])
    for (const eid of dots) {
      const [x, y] = [Dot.position.x[eid]!, Dot.position.y[eid]!]
      disc(x, y, RADIUS.dot, `hsl(${Dot.hue[eid]} 80% 65%)`)
      context.fillStyle = '#e8ecf7'
      context.fillText(Dot.name[eid]!, x + RADIUS.dot + 4, y + 4)
    }
    let kicks = 0
    for (const eid of query(player.world, [Ball, Alive])) {
      disc(Ball.position.x[eid]!, Ball.position.y[eid]!, RADIUS.ball, '#fff')
      kicks = Ball.kicks[eid]!
    }
    if (player.client.state === 'connected')
      status.textContent = `${isAlone ? 'Alone' : 'With the host'}: ${dots.length} here, ${kicks} kicks`
  }
  requestAnimationFrame(function frame() {
    player.frame(draw)
    requestAnimationFrame(frame)
  })
} catch (error) {
  status.textContent = `Cannot play: ${(error as Error).message}`
}
