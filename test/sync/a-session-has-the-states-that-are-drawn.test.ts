import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { encodeBye } from '../../src/net/hello.ts'
import { clientStates } from '../../src/systems/client-state.ts'
import { turn } from '../../src/testing/worlds.ts'
import { createBreakable } from '../support/breakable.ts'
import { createWorlds } from '../support/worlds.ts'

const page = readFileSync(new URL('../../LIFECYCLE.md', import.meta.url), 'utf8')
const drawn = [...page.matchAll(/^\| `(\w+)` \| `(\w+)` \| .* \|$/gm)]
  .filter(([, from]) => ['idle', 'connecting', 'connected', 'reconnecting', 'closed'].includes(from!))
  .map(([, from, to]) => `${from} -> ${to}`)

test('LIFECYCLE.md draws every change of a session that there is, and no other', async () => {
  const seen = new Set<string>()
  const stage = () => {
    const worlds = createWorlds('dclass Crate { uint8 n broadcast; };', { server: { resumeTime: 2 } })
    const line = createBreakable(worlds.network)
    const { client } = worlds.addGuest({ transport: line.transport })
    const state = clientStates.get(client)!
    let { status } = state
    Object.defineProperty(state, 'status', {
      get: () => status,
      set(next: typeof status) {
        if (next !== status) seen.add(`${status} -> ${next}`)
        status = next
      },
    })
    const until = async (wanted: typeof status) => {
      for (let count = 0; client.state !== wanted; count++, await turn()) {
        if (count > 600) throw new Error(`it is ${client.state}, not ${wanted}`)
        worlds.run(2)
      }
    }
    return { worlds, line, client, until }
  }
  const { worlds, line, client, until } = stage()
  const connect = () => worlds.settle(client.connect())

  line.isReachable = false
  await connect().catch(() => {})
  line.isReachable = true
  await connect()
  line.cut()
  await until('connected')
  line.cut()
  client.disconnect()
  await connect()
  line.isReachable = false
  line.cut()
  await until('closed')
  line.isReachable = true
  await connect()
  line.connections.at(-1)!.onPacket(encodeBye('kicked'))
  expect(client.state).toBe('closed')
  void client.connect().catch(() => {})
  client.disconnect()
  await turn()

  expect([...seen].sort()).toEqual([...drawn].sort())
  await worlds.end()
})
