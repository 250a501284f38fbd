// The players of `bench/soak.ts`, all in a process of their own: every `period` milliseconds the one that is there longest leaves and
// another comes. One in four closes its connection without a goodbye.
import { createWorld, query } from 'bitecs'
import { createClient, Owned } from '../src/client.ts'
import { geckos } from '../src/geckos-client.ts'
import { createSchema } from '../src/index.ts'
import type { Connection } from '../src/net/transport.ts'
import { resources } from './resources.ts'

const [port, places, period, text] = process.argv.slice(2)
const ZONES = 4

interface Player {
  step(): void
  leave(isPolite: boolean): void
}

const totals = { connects: 0, failures: 0, lost: 0, slowest: 0 }
const players: Player[] = []

const visit = async (index: number): Promise<void> => {
  const world = createWorld()
  const schema = createSchema<any>(text!, { capacity: 500 })
  const { Avatar } = schema.dclasses
  let connection: Connection | undefined
  const transport = geckos({ port: Number(port) })
  let isLeaving = false
  const client = createClient(world, schema, {
    transport: {
      connect: async () => {
        // Who closed its connection without a goodbye would come back by itself, and stay.
        if (isLeaving) throw new Error('it has left')
        return (connection = await transport.connect())
      },
    },
    onError: () => {},
  })
  const start = performance.now()
  try {
    await client.connect({ name: `player ${index}` })
  } catch (error) {
    totals.failures++
    console.error(`player ${index}: ${(error as Error).message}`)
    // Its place is taken by another try.
    return visit(index)
  }
  totals.connects++
  totals.slowest = Math.max(totals.slowest, performance.now() - start)
  client.interest.set([1 + (index % ZONES), 1 + ((index + 1) % ZONES)]).catch(() => {})
  let frame = 0
  client.onDisconnect(() => {
    if (!isLeaving) totals.lost++
  })
  players.push({
    step() {
      client.receive(world)
      client.interpolate(world)
      const me = query(world, [Avatar, Owned])[0]
      if (me !== undefined) {
        Avatar.position.x[me] = 300 * Math.sin(++frame / 40 + index)
        if (frame % 60 === 0) client.sendUpdate(me, Avatar.say, { text: `frame ${frame}` })
      }
      client.send(world)
    },
    leave(isPolite) {
      isLeaving = true
      if (isPolite) client.disconnect()
      else connection?.close()
    },
  })
}

let count = 0
while (count < Number(places)) await visit(count++)
setInterval(() => {
  for (const player of players) player.step()
}, 1000 / 20)
setInterval(() => {
  players.shift()?.leave(count % 4 !== 0)
  void visit(count++)
}, Number(period))
process.on('message', () => process.send!({ ...resources(), players: players.length, ...totals }))
process.on('disconnect', () => process.exit())
process.send!('ready')
