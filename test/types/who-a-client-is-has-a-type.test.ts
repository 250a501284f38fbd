import { createWorld } from 'bitecs'
import { geckos } from 'bitecs-pipes/geckos/server'
import { memoryNetwork } from 'bitecs-pipes/memory'
import { createSchema, createServer, type Server, type ServerClient } from 'bitecs-pipes/server'
import { expectTypeOf, test } from 'vitest'

interface Account {
  readonly name: string
}

/** Never called: the types are what counts. */
const [world, schema] = [createWorld(), createSchema('')]
const find = async (_data: unknown): Promise<Account | undefined> => undefined

test('what `verify` and `authorization` return is what clients have, without a cast', () => {
  const check = () => {
    const server = createServer(world, schema, {
      transport: geckos({ authorization: header => (header === undefined ? false : { token: header }) }),
      authenticate: { verify: ({ data }) => find(data) },
      allowZone: (client, zone) => client.identity.name === 'Ada' && zone === 1,
      whenOwnerLeaves: (_eid, client) => (client.authorization.token === '' ? 'keep' : 'remove'),
    })
    server.onJoin(client => {
      expectTypeOf(client.identity).toEqualTypeOf<Account>()
      expectTypeOf(client.authorization).toEqualTypeOf<{ token: string }>()
      // Each takes any client.
      server.place(1, 1, client)
      server.kick(client)
      server.setVisibility(1, ({ identity }) => identity.name === 'Bob')
    })
    expectTypeOf(server.clients.get(1)!.identity).toEqualTypeOf<Account>()
    // What a game passes around without types for it is the same server.
    const plain: Server = server
    const anybody: ServerClient = server.clients.get(1)!
    return { plain, anybody }
  }
  expectTypeOf(check).toBeFunction()
})

test('nothing is known where nothing is said, and it can be said', () => {
  const check = () => {
    const { server: transport } = memoryNetwork()
    const unknown = createServer(world, schema, { transport })
    unknown.onJoin(client => expectTypeOf(client.identity).toEqualTypeOf<unknown>())
    const said = createServer<Account>(world, schema, {
      transport,
      authenticate: { verify: ({ data }) => data },
    })
    said.onJoin(client => expectTypeOf(client).toEqualTypeOf<ServerClient<Account>>())
    // @ts-expect-error it returns something else
    createServer<Account>(world, schema, { transport, authenticate: { verify: () => 5 } })
  }
  expectTypeOf(check).toBeFunction()
})
