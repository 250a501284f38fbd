import { addComponent, addEntity, createEntityIndex, createWorld, query, removeEntity, type World } from 'bitecs'
import { Alive, createClient, Owned, type Client } from 'bitecs-pipes/client'
import { memoryNetwork } from 'bitecs-pipes/memory'
import { createSchema, createServer, type Schema, type Server, type ServerTransport } from 'bitecs-pipes/server'
import { describe, expect, test } from 'vitest'
import { drain } from '../support/worlds.ts'

const DC = 'dclass Avatar { string(0-24) name required broadcast; int16/10 x broadcast ownsend; };'

interface Stage {
  readonly server: Server
  readonly host: { readonly client: Client; readonly world: World; readonly schema: Schema<any> }
  readonly world: World
  readonly schema: Schema<any>
  /** Makes a guest beyond a network that loses. */
  join(name: string): Promise<Client>
  run(frames: number): void
  end(): Promise<void>
}

/** A server with its host in the same process, and room for guests. */
const stage = async (makeWorld: () => World, makeSchema: () => Schema<any>): Promise<Stage> => {
  let time = 0
  const now = () => time
  const memory = memoryNetwork({ now })
  const network = memoryNetwork({ now, seed: 5, conditions: { lag: 0.04, jitter: 0.01, loss: 0.1 } })
  const [world, schema] = [makeWorld(), makeSchema()]
  const server = createServer(world, schema, { transport: [network.server, memory.server], now, resumeTime: 0 })
  await server.ready
  server.onJoin(client => {
    const eid = addEntity(world)
    addComponent(world, eid, schema.dclasses.Avatar)
    schema.dclasses.Avatar.name[eid] = client.data.name
    server.place(eid, 1, client)
  })
  const clients: { client: Client; world: World }[] = []
  const addClient = (transport: ReturnType<typeof memory.client>) => {
    const side = { world: makeWorld(), schema: makeSchema() }
    const client = createClient(side.world, side.schema, { transport, now })
    clients.push({ client, world: side.world })
    return { client, ...side }
  }
  const run = (frames: number) => {
    for (let frame = 0; frame < frames; frame++) {
      time += 1 / 30
      memory.deliver()
      network.deliver()
      server.receive(world)
      server.replicate(world)
      for (const { client, world: own } of clients) {
        client.receive(own)
        client.interpolate(own)
        client.send(own)
      }
    }
  }
  const enter = async (client: Client, name: string) => {
    let isIn = false
    const entering = client
      .connect({ name })
      .then(() => client.interest.set([1]))
      .then(() => {
        isIn = true
      })
    for (let turn = 0; turn < 300 && !isIn; turn++) {
      run(1)
      await drain()
    }
    await entering
    run(2)
  }
  const host = addClient(memory.client())
  await enter(host.client, 'Host')
  return {
    server,
    host,
    world,
    schema,
    run,
    async join(name) {
      const { client } = addClient(network.client())
      await enter(client, name)
      return client
    },
    async end() {
      for (const { client } of clients) client.disconnect()
      await server.close()
    },
  }
}

/** The two ways to have several worlds in one process. */
const WAYS = {
  'worlds that share a schema and an entity index': () => {
    const index = createEntityIndex()
    const schema = createSchema(DC, { capacity: 200 })
    return stage(
      () => createWorld(index),
      () => schema,
    )
  },
  'worlds with columns of their own': () => stage(createWorld, () => createSchema(DC, { capacity: 200 })),
}

for (const [way, make] of Object.entries(WAYS))
  describe(`with ${way}`, () => {
    test('host and guest see and move each other’s avatars', async () => {
      const { server, host, world, schema, join, run, end } = await make()
      const guest = await join('Guest')
      expect([...server.clients.values()].map(({ address }) => address)).toEqual(['memory:1', 'memory:1'])
      run(30)
      const { Avatar } = host.schema.dclasses
      const names = () => Array.from(query(host.world, [Avatar, Alive]), eid => Avatar.name[eid]).sort()
      expect(names()).toEqual(['Guest', 'Host'])
      const [mine] = query(host.world, [Avatar, Owned])
      Avatar.x[mine!] = 12.3
      run(10)
      const there = [...query(world, [schema.dclasses.Avatar])].find(
        eid => schema.dclasses.Avatar.name[eid] === 'Host',
      )!
      expect(schema.dclasses.Avatar.x[there]).toBeCloseTo(12.3)
      guest.disconnect()
      run(60)
      expect(names()).toEqual(['Host'])
      expect(host.client.state).toBe('connected')
      await end()
    })

    test('an object of the server is another entity in the host’s own world', async () => {
      const { server, host, world, schema, run, end } = await make()
      const eid = addEntity(world)
      addComponent(world, eid, schema.dclasses.Avatar)
      schema.dclasses.Avatar.name[eid] = 'Statue'
      schema.dclasses.Avatar.x[eid] = -3
      server.place(eid, 1)
      run(5)
      const { Avatar } = host.schema.dclasses
      const own = host.client.entityOf(schema.DistributedObject.doId[eid]!)
      expect(own).toBeGreaterThan(0)
      if (schema === host.schema) expect(own).not.toBe(eid)
      // What the host's page does with its entity is nothing to the server's.
      Avatar.x[own] = 99
      run(5)
      expect(schema.dclasses.Avatar.x[eid]).toBeCloseTo(-3)
      schema.dclasses.Avatar.x[eid] = -4
      run(5)
      expect(Avatar.x[own]).toBeCloseTo(-4)
      removeEntity(world, eid)
      run(5)
      expect(host.client.entityOf(schema.DistributedObject.doId[eid]!)).toBe(0)
      await end()
    })
  })

describe('several transports', () => {
  const schema = createSchema(DC, { capacity: 10 })
  const broken: ServerTransport = {
    listen: () => Promise.reject(new Error('port 9208 is in use')),
    close: () => Promise.reject(new Error('it does not listen')),
  }

  test('one that cannot listen is told, and the others do not listen either', async () => {
    const memory = memoryNetwork()
    const server = createServer(createWorld(), schema, { transport: [memory.server, broken], onError: () => {} })
    await expect(server.ready).rejects.toThrow('port 9208 is in use')
    await expect(async () => memory.client().connect()).rejects.toThrow('nobody listens')
  })

  test('all close with the server', async () => {
    const networks = [memoryNetwork(), memoryNetwork()]
    const server = createServer(createWorld(), schema, { transport: networks.map(each => each.server) })
    await server.ready
    for (const network of networks) await network.client().connect()
    await server.close()
    for (const network of networks)
      await expect(async () => network.client().connect()).rejects.toThrow('nobody listens')
  })

  test('none is an error', () => {
    expect(() => createServer(createWorld(), schema, { transport: [] })).toThrow('give one transport or more')
    const network = memoryNetwork()
    // One end's for the other's, or the whole network.
    for (const transport of [undefined, {}, network, network.client(), [network.server, network.client()]] as never[])
      expect(() => createServer(createWorld(), schema, { transport })).toThrow('createServer needs a transport')
    for (const transport of [undefined, network, network.server] as never[])
      expect(() => createClient(createWorld(), schema, { transport })).toThrow('createClient needs a transport')
  })
})
