import { addComponent, addEntity, query } from 'bitecs'
import { createServer, fitText, tickLoop, type Server, type ServerTransport } from 'bitecs-pipes/server'
import schema, { Ball, Dot } from '../../dc/listen.dc'
import { FIELD, makeWorld, RADIUS, ZONE } from './field.ts'

/** Share of its speed that the ball keeps in a second; pixels a second that a kick gives it. */
const ROLL = 0.6
const KICK = 260

export interface Game {
  readonly server: Server
  stop(): Promise<void>
}

/** The server's side: the same in a page of one player as in a host that takes guests. */
export const startGame = async (transport: ServerTransport | readonly ServerTransport[]): Promise<Game> => {
  const world = makeWorld()
  const server = createServer(world, schema, { transport, tickRate: 60 })

  server.onJoin(client => {
    const dot = addEntity(world)
    addComponent(world, dot, Dot)
    Dot.name[dot] = fitText(client.data?.name, 24) || 'Guest'
    Dot.hue[dot] = (client.id * 137) % 360
    Dot.position.x[dot] = FIELD.width / 4
    Dot.position.y[dot] = FIELD.height / 2
    server.place(dot, ZONE, client)
  })

  const ball = addEntity(world)
  addComponent(world, ball, Ball)
  Ball.position.x[ball] = FIELD.width / 2
  Ball.position.y[ball] = FIELD.height / 2
  server.place(ball, ZONE)
  const speed = { x: 90, y: 60 }

  const kick = (): void => {
    for (const dot of query(world, [Dot])) {
      const x = Ball.position.x[ball]! - Dot.position.x[dot]!
      const y = Ball.position.y[ball]! - Dot.position.y[dot]!
      const distance = Math.hypot(x, y)
      if (distance === 0 || distance > RADIUS.dot + RADIUS.ball) continue
      if (speed.x * x + speed.y * y < KICK * distance) Ball.kicks[ball]!++
      speed.x = (x / distance) * KICK
      speed.y = (y / distance) * KICK
    }
  }

  const roll = (seconds: number): void => {
    const { x, y } = Ball.position
    for (const [at, axis, size] of [
      [x, 'x', FIELD.width],
      [y, 'y', FIELD.height],
    ] as const) {
      speed[axis] *= ROLL ** seconds
      at[ball]! += speed[axis] * seconds
      const clamped = Math.min(size - RADIUS.ball, Math.max(RADIUS.ball, at[ball]!))
      if (clamped !== at[ball]) speed[axis] *= -1
      at[ball] = clamped
    }
  }

  await server.ready
  const loop = tickLoop(server.tickRate, () => {
    server.receive(world)
    kick()
    roll(1 / server.tickRate)
    server.replicate(world)
  })
  return {
    server,
    async stop() {
      loop.stop()
      await server.close()
    },
  }
}
