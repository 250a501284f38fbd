// The game itself, without a network: what `server.ts` runs, and what the tests run.
import { addComponent, addEntity, query, type World } from 'bitecs'
import { fitText, type Server } from 'bitecs-pipes/server'
import { Firefly, Player } from './game.dc'
import { MEADOW, REACH, SIZE } from './meadow.ts'

const FIREFLIES = 24

/** Fills the meadow and lets players in. Returns the system that moves it on; `random` gives numbers from 0 up to 1. */
export const startGame = (world: World, server: Server, random: () => number = Math.random): (() => void) => {
  const { x, y } = Firefly.position
  const headings: number[] = []

  const settle = (eid: number): void => {
    x[eid] = random() * SIZE
    y[eid] = random() * SIZE
    headings[eid] = random() * 2 * Math.PI
    Firefly.jumps[eid]!++
  }
  for (let count = 0; count < FIREFLIES; count++) {
    const eid = addEntity(world)
    addComponent(world, eid, Firefly)
    settle(eid)
    server.place(eid, MEADOW)
  }

  server.onJoin(client => {
    const eid = addEntity(world)
    addComponent(world, eid, Player)
    Player.name[eid] = fitText(client.data?.name, 16) // untrusted
    Player.hue[eid] = (client.id * 137) % 360 // far from its neighbours'
    x[eid] = SIZE / 2
    y[eid] = SIZE / 2
    server.place(eid, MEADOW, client) // it owns the object, and it goes when the player goes
  })

  const wander = (): void => {
    for (const eid of query(world, [Firefly])) {
      headings[eid]! += (random() - 0.5) * 0.4
      x[eid]! += Math.cos(headings[eid]!) * 2
      y[eid]! += Math.sin(headings[eid]!) * 2
      if (x[eid]! < 0 || x[eid]! > SIZE || y[eid]! < 0 || y[eid]! > SIZE) settle(eid)
    }
  }

  const catchThem = (): void => {
    for (const firefly of query(world, [Firefly]))
      for (const player of query(world, [Player])) {
        if (Math.hypot(x[player]! - x[firefly]!, y[player]! - y[firefly]!) > REACH) continue
        Player.score[player]!++
        server.sendUpdate(firefly, Firefly.caught, { by: player })
        settle(firefly)
        break
      }
  }

  return () => {
    wander()
    catchThem()
  }
}
