import { addComponent, addEntity, createWorld } from 'bitecs'
import { expect, it } from 'vitest'
import { createClient } from '../../src/client.ts'
import { geckos as geckosClient } from '../../src/geckos-client.ts'
import { geckos as geckosServer } from '../../src/geckos-server.ts'
import { createSchema } from '../../src/index.ts'
import type { Connection, ServerTransport } from '../../src/net/transport.ts'
import { createServer } from '../../src/server.ts'
import { until } from './support/until.ts'

const DC = 'dclass Avatar { uint32 score broadcast; say(uint32 number) clsend; said(uint32 number) broadcast; };'

it('over another WebRTC connection, with the same objects and every message once', async () => {
  const inner = geckosServer({ port: 0 })
  const connections: Connection[] = []
  const transport: ServerTransport = {
    listen: onConnection => inner.listen(connection => (connections.push(connection), onConnection(connection))),
    close: () => inner.close(),
  }
  const [here, there] = [createWorld(), createWorld()]
  const [schema, seen] = [createSchema<any>(DC), createSchema<any>(DC)]
  const server = createServer(here, schema, { transport })
  await server.ready
  const eid = addEntity(here)
  addComponent(here, eid, schema.dclasses.Avatar)
  const heard = { up: [] as number[], down: [] as number[] }
  const events: string[] = []
  server.onJoin(client => server.place(eid, 1, client))
  server.onLeave((_client, reason) => events.push(`left, ${reason}`))
  server.on<{ number: number }>(schema.dclasses.Avatar.say, (_eid, { number }) => heard.up.push(number))
  const client = createClient(there, seen, { transport: geckosClient({ port: inner.port }) })
  client.on<{ number: number }>(seen.dclasses.Avatar.said, (_eid, { number }) => heard.down.push(number))
  client.onSuspend(reason => events.push(`suspended, ${reason}`))
  client.onResume(() => events.push('resumed'))
  let number = 0
  const frames = setInterval(() => {
    server.receive(here)
    const mine = client.entityOf(schema.DistributedObject.doId[eid]!)
    if (mine !== 0 && number < 1000) {
      client.sendUpdate(mine, seen.dclasses.Avatar.say, { number })
      server.sendUpdate(eid, schema.dclasses.Avatar.said, { number: number++ })
    }
    server.replicate(here)
    client.receive(there)
    client.send(there)
  }, 33)
  await client.connect()
  await client.interest.set([1])
  await until('messages both ways', () => heard.up.length > 5 && heard.down.length > 5, 10_000)
  const id = client.clientId
  const entity = client.entityOf(schema.DistributedObject.doId[eid]!)
  // The transport's end alone: the server's session learns of it when the client comes back.
  connections[0]!.close()
  await until('the client to notice', () => client.state === 'reconnecting', 10_000)
  await until('the client to be back', () => client.state === 'connected', 15_000)
  const said = number
  await until('what was said meanwhile', () => heard.up.length > said && heard.down.length > said, 10_000)
  clearInterval(frames)
  const all = Array.from({ length: 1000 }, (_, each) => each)
  expect(heard.up).toEqual(all.slice(0, heard.up.length))
  expect(heard.down).toEqual(all.slice(0, heard.down.length))
  expect([client.clientId, client.entityOf(schema.DistributedObject.doId[eid]!)]).toEqual([id, entity])
  expect(events).toEqual(['suspended, closed', 'resumed'])
  expect(server.clients.size).toBe(1)
  client.disconnect()
  await server.close()
})
