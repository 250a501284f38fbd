import { query, type World } from 'bitecs'
import { createClient, Owned, type Client, type ClientTransport } from 'bitecs-pipes/client'
import schema, { Dot } from '../../dc/listen.dc'
import { makeWorld, ZONE } from './field.ts'

/** One player's side, wherever the server is. */
export interface Player {
  readonly client: Client
  readonly world: World
  /** Where the own dot is to be. */
  readonly goal: { x: number; y: number }
  /** Once a frame; `draw` sees the world as it is to be shown. */
  frame(draw?: () => void): void
}

export const join = async (transport: ClientTransport, name: string): Promise<Player> => {
  const world = makeWorld()
  const client = createClient(world, schema, { transport, updateRate: 60, commandRate: 60 })
  const goal = { x: 160, y: 180 }
  await client.connect({ name })
  void client.interest.set([ZONE])
  return {
    client,
    world,
    goal,
    frame(draw = () => {}) {
      client.receive(world)
      client.interpolate(world)
      for (const eid of query(world, [Dot, Owned])) {
        Dot.position.x[eid] = goal.x
        Dot.position.y[eid] = goal.y
      }
      draw()
      client.send(world)
    },
  }
}
