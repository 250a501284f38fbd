import { hasComponent, query, type World } from 'bitecs'
import { Alive, Owned } from 'bitecs-pipes/client'
import { Ball, Dot } from '../../dc/listen.dc'
import { FIELD, RADIUS } from './field.ts'

/** Draws the field on a canvas, with as many pixels as that has on the screen. */
export const createDrawing = (canvas: HTMLCanvasElement) => {
  const context = canvas.getContext('2d')!
  let scale = 1
  new ResizeObserver(() => {
    canvas.width = canvas.clientWidth * devicePixelRatio
    canvas.height = canvas.clientHeight * devicePixelRatio
    scale = canvas.width / FIELD.width
  }).observe(canvas)

  const disc = (x: number, y: number, radius: number, colour: string): void => {
    context.beginPath()
    context.arc(x, y, radius, 0, Math.PI * 2)
    context.fillStyle = colour
    context.fill()
  }

  const drawField = (): void => {
    const { width, height } = FIELD
    context.clearRect(0, 0, width, height)
    context.strokeStyle = '#3f7563'
    context.lineWidth = 2
    context.strokeRect(8, 8, width - 16, height - 16)
    context.beginPath()
    context.moveTo(width / 2, 8)
    context.lineTo(width / 2, height - 8)
    context.moveTo(width / 2 + 50, height / 2)
    context.arc(width / 2, height / 2, 50, 0, Math.PI * 2)
    context.stroke()
  }

  return (world: World): void => {
    context.setTransform(scale, 0, 0, scale, 0, 0)
    drawField()
    for (const eid of query(world, [Ball, Alive])) {
      disc(Ball.position.x[eid]! + 2, Ball.position.y[eid]! + 4, RADIUS.ball, '#0004')
      disc(Ball.position.x[eid]!, Ball.position.y[eid]!, RADIUS.ball, '#fff')
    }
    // A name is as large on a phone as on a desk.
    context.font = `600 ${Math.max(13, (13 * devicePixelRatio) / scale)}px system-ui, sans-serif`
    context.textAlign = 'center'
    for (const eid of query(world, [Dot, Alive])) {
      const [x, y] = [Dot.position.x[eid]!, Dot.position.y[eid]!]
      disc(x, y, RADIUS.dot, `hsl(${Dot.hue[eid]} 80% 68%)`)
      if (hasComponent(world, eid, Owned)) {
        context.strokeStyle = '#fff'
        context.stroke()
      }
      context.fillStyle = '#fff'
      const half = context.measureText(Dot.name[eid]!).width / 2
      const nameX = Math.min(FIELD.width - half - 6, Math.max(half + 6, x))
      context.fillText(Dot.name[eid]!, nameX, y - RADIUS.dot - 8 > 14 ? y - RADIUS.dot - 8 : y + RADIUS.dot + 20)
    }
  }
}
