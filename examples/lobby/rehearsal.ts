import { addComponent, addEntity, query, set } from 'bitecs'
import { Owned } from 'bitecs-pipes/client'
import { createDice, type Game } from 'bitecs-pipes/testing'
import schema, { Avatar, Npc } from '../../dc/lobby.dc'
import { headingOf, keepInGarden, LOBBY_ZONE, PLAZA } from './garden.ts'
import { createWander } from './server/wander.ts'

// The garden as `pipes train` and `measure` play it: 50 creatures and, for players, bots that walk from here to there. The same garden
// as in the demo, but seen whole.

const CREATURES = 50
/** Units a second. */
const WALK = 90

type Wander = ReturnType<typeof createWander>
let wander: Wander

const game: Game = {
  schema,
  server: { tickRate: 30 },
  spawn: {},
  hello: index => ({ name: `bot ${index}` }),
  start({ world, server }) {
    wander = createWander(eid => server.sendUpdate(eid, Npc.chirp, {}), createDice(1))
    wander.spawn(world, CREATURES, eid => server.place(eid, LOBBY_ZONE))
    server.onJoin(client => {
      const eid = addEntity(world)
      addComponent(world, eid, set(Avatar, { name: client.data.name, look: client.id % 8, heading: 90 }))
      Avatar.position.x[eid] = PLAZA.x + (client.id % 5) * 20
      Avatar.position.y[eid] = PLAZA.y + (client.id % 3) * 20
      server.place(eid, LOBBY_ZONE, client)
    })
  },
  tick({ world, server }) {
    wander.system(world, 1 / server.tickRate)
  },
  joined: ({ client }) => void client.interest.set([LOBBY_ZONE]),
  bots: {
    walk({ world, index, now }, dice) {
      // Along a figure that no other bot walks, now and then at rest.
      const way = now() * (0.4 + index * 0.03) + index
      if (Math.sin(way / 3) > 0.8 || dice.chance(0.02)) return
      for (const eid of query(world, [Avatar, Owned])) {
        const { x, y } = Avatar.position
        const goal = { x: PLAZA.x + Math.sin(way) * 300, y: PLAZA.y + Math.cos(way * 1.7) * 200 }
        keepInGarden(goal)
        const [dx, dy] = [goal.x - x[eid]!, goal.y - y[eid]!]
        const distance = Math.hypot(dx, dy)
        if (distance < 2) continue
        const step = Math.min(distance, WALK / 30) / distance
        x[eid]! += dx * step
        y[eid]! += dy * step
        Avatar.heading[eid] = headingOf(dx, dy)
      }
    },
  },
}
export default game
