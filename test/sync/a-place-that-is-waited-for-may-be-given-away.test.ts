import { memoryNetwork } from 'bitecs-pipes/memory'
import type { ServerOptions } from 'bitecs-pipes/server'
import { expect, test } from 'vitest'
import '../../src/systems/client-challenge.ts'
import { turn } from '../../src/testing/worlds.ts'
import { createBreakable, type Breakable } from '../support/breakable.ts'
import { createWorlds, type Guest, type Worlds } from '../support/worlds.ts'

const DC = 'dclass Avatar { int16 x broadcast; };'

const pass = async (worlds: Worlds, seconds: number) => {
  for (const end = worlds.now() + seconds; worlds.now() < end; await turn()) worlds.run(6)
}

/** A full server with a client for each address; those that are named so have the same one. */
const stage = async (addresses: string[], server: Partial<ServerOptions> = {}) => {
  let now = () => 0
  const network = memoryNetwork({ now: () => now() })
  let address = 'elsewhere'
  const worlds = createWorlds(DC, {
    server: {
      maxClients: addresses.length,
      ...server,
      transport: {
        listen: onConnection => network.server.listen(end => onConnection(Object.assign(end, { address }))),
        close: () => network.server.close(),
      },
    },
  })
  now = worlds.now
  // Its datagrams are on the way for as long as those of the worlds' own network would be.
  worlds.network.deliver = network.deliver
  const left: string[] = []
  worlds.server.onLeave((client, reason) => left.push(`${client.data}: ${reason}`))
  const players: { line: Breakable; guest: Guest; over: () => string }[] = []
  for (const [index, each] of addresses.entries()) {
    address = each
    const line = createBreakable(network)
    const guest = worlds.addGuest({ transport: line.transport, respond: () => Uint8Array.of(1) })
    let over = ''
    guest.client.onDisconnect(reason => (over = reason))
    await worlds.settle(guest.client.connect(`player ${index}`), 80)
    await pass(worlds, 0.5)
    players.push({ line, guest, over: () => over })
  }
  const lose = async (index: number) => {
    players[index]!.line.isReachable = false
    players[index]!.line.cut()
    await pass(worlds, 0.5)
  }
  const newcomer = (answer: number) => {
    address = 'elsewhere'
    const respond = () => Uint8Array.of(answer)
    return worlds.settle(worlds.addGuest({ transport: network.client(), respond }).client.connect('newcomer'), 80)
  }
  const come = () => newcomer(1)
  return { worlds, left, players, lose, come, newcomer }
}

test('who is away keeps its place, however full the server is', async () => {
  const { worlds, left, lose, come } = await stage(['1.1.1.1', '2.2.2.2', '3.3.3.3'])
  for (const index of [0, 1, 2]) await lose(index)
  await expect(come()).rejects.toMatchObject({ reason: 'full' })
  expect([left, worlds.server.clients.size]).toEqual([[], 3])
  await worlds.end()
})

test('of several of one address, those that are away longest make room, all but one', async () => {
  const { worlds, left, players, lose, come } = await stage(['1.1.1.1', '2.2.2.2', '2.2.2.2', '2.2.2.2'])
  for (const index of [0, 2, 3]) await lose(index)
  // One that is there is nobody who waits.
  await come()
  expect(left).toEqual(['player 2: full'])
  await expect(come()).rejects.toMatchObject({ reason: 'full' })
  await lose(1)
  await come()
  expect(left).toEqual(['player 2: full', 'player 3: full'])
  await expect(come()).rejects.toMatchObject({ reason: 'full' })
  expect(worlds.server.clients.size, 'and never more than there are places').toBe(4)
  players[2]!.line.isReachable = true
  await pass(worlds, 8)
  expect([players[2]!.guest.client.state, players[2]!.over()], 'it is told what became of its place').toEqual([
    'closed',
    'full',
  ])
  await worlds.end()
})

test('nobody gives it up for one who is not let in', async () => {
  const verify = (_: unknown, __: unknown, [first]: Uint8Array) => first === 1 && {}
  const { worlds, left, lose, newcomer } = await stage(['2.2.2.2', '2.2.2.2'], { authenticate: { verify } })
  for (const index of [0, 1]) await lose(index)
  await expect(newcomer(2)).rejects.toMatchObject({ reason: 'unverified' })
  expect(left).toEqual([])
  await newcomer(1)
  expect(left).toEqual(['player 0: full'])
  await worlds.end()
})

test('who is sent away while it is away hears why when it tries to come back, and no other', async () => {
  const { worlds, players, lose } = await stage(['1.1.1.1', '2.2.2.2'])
  await lose(0)
  const [client] = [...worlds.server.clients.values()].filter(({ isSuspended }) => isSuspended)
  worlds.server.kick(client!)
  await pass(worlds, 1)
  players[0]!.line.isReachable = true
  await pass(worlds, 8)
  expect([players[0]!.guest.client.state, players[0]!.over()]).toEqual(['closed', 'kicked'])
  expect(worlds.server.violations.forbidden, 'it showed its token').toBe(0)
  await worlds.end()
})
