import { afterEach, describe, expect, test, vi } from 'vitest'
import { createVigil, isSilent, look } from '../../src/net/vigil.ts'
import { turn } from '../../src/testing/worlds.ts'
import { createBreakable } from '../support/breakable.ts'
import { clientOf, createWorlds, seenBy, spawn, type Worlds } from '../support/worlds.ts'

const DC = 'dclass Avatar { string name required broadcast ram; uint32 score broadcast; };'

afterEach(() => void vi.unstubAllGlobals())

const pass = async (worlds: Worlds, seconds: number) => {
  for (const end = worlds.now() + seconds; worlds.now() < end; await turn()) worlds.run(6)
}

/** A page whose listeners a test calls; everybody's, as a process has one `window`. */
const openPage = () => {
  const listeners = new Set<(event: { persisted: boolean }) => void>()
  vi.stubGlobal('addEventListener', (name: string, listener: () => void, isCapturing: unknown) => {
    if (name === 'pagehide' && isCapturing === true) listeners.add(listener)
  })
  vi.stubGlobal('removeEventListener', (_name: string, listener: () => void) => listeners.delete(listener))
  return { hide: (persisted: boolean) => [...listeners].forEach(listener => listener({ persisted })), listeners }
}

const stage = async () => {
  const worlds = createWorlds(DC)
  const line = createBreakable(worlds.network)
  const guest = worlds.addGuest({ transport: line.transport })
  await worlds.settle(guest.client.connect())
  const events: string[] = []
  worlds.server.onLeave((_client, reason) => events.push(`left, ${reason}`))
  worlds.server.onSuspend((_client, reason) => events.push(`suspended, ${reason}`))
  worlds.server.onResume(() => events.push('resumed'))
  return { worlds, line, guest, events }
}

describe('a client in a hidden page', () => {
  test('without a timer answers whatever it hears', async () => {
    const { worlds, guest, events } = await stage()
    const eid = spawn(worlds, 'Avatar', { name: 'Ada' }, 1, clientOf(worlds, guest))
    worlds.run(20)
    // No frames, no timers: nothing but the arrival of datagrams.
    worlds.guests.splice(worlds.guests.indexOf(guest), 1)
    await pass(worlds, 60)
    expect([events, guest.client.state]).toEqual([[], 'connected'])
    worlds.guests.push(guest)
    worlds.schema.dclasses.Avatar.score[eid] = 9
    worlds.run(20)
    expect(guest.schema.dclasses.Avatar.score[seenBy(worlds, guest, eid)]).toBe(9)
    await worlds.end()
  })

  test('that was busy for long is back with its first packet', async () => {
    const { worlds, line, guest, events } = await stage()
    worlds.guests.splice(worlds.guests.indexOf(guest), 1)
    // What arrives waits for the page.
    const connection = line.connections[0]!
    const { onPacket } = connection
    const waiting: Uint8Array[] = []
    connection.onPacket = packet => void waiting.push(packet)
    await pass(worlds, 8)
    expect(events).toEqual(['suspended, timeout'])
    // Its timer is first to run, before what waits.
    connection.onPacket = onPacket
    guest.client.send(guest.world)
    expect(guest.client.state, 'it does not take its own sleep for the silence of the server').toBe('connected')
    for (const packet of waiting) onPacket(packet)
    worlds.guests.push(guest)
    await pass(worlds, 1)
    expect([events, guest.client.state, line.connections.length]).toEqual([
      ['suspended, timeout', 'resumed'],
      'connected',
      1,
    ])
    await worlds.end()
  })
})

test('a server that was busy for long cuts nobody off', async () => {
  const { worlds, guest, events } = await stage()
  const other = await worlds.join()
  const { receive, replicate } = worlds.server
  worlds.server.receive = worlds.server.replicate = () => {}
  await pass(worlds, 4.8)
  Object.assign(worlds.server, { receive, replicate })
  worlds.run(60)
  expect([events, guest.client.state, other.client.state]).toEqual([[], 'connected', 'connected'])
  await worlds.end()
})

describe('who falls silent', () => {
  test('is given a second after a sleep of ours, and only once', () => {
    const vigil = createVigil()
    for (let now = 0; now <= 4; now++) look(vigil, now, 0)
    expect(isSilent(vigil, 4, 0, 5)).toBe(false)
    look(vigil, 100, 0)
    expect(isSilent(vigil, 100, 0, 5), 'what waited is not taken in yet').toBe(false)
    look(vigil, 101.1, 0)
    expect(isSilent(vigil, 101.1, 0, 5)).toBe(true)
    const minutely = createVigil()
    look(minutely, 0, 0)
    look(minutely, 60, 0)
    expect(isSilent(minutely, 60, 0, 5), 'a timer each minute').toBe(false)
    look(minutely, 120, 0)
    expect(isSilent(minutely, 120, 0, 5), 'is enough to notice').toBe(true)
  })
})

describe('a page that is left', () => {
  test('says goodbye at once: its objects are not waited for', async () => {
    const page = openPage()
    const { worlds, guest, events } = await stage()
    page.hide(false)
    expect(guest.client.state).toBe('closed')
    worlds.run(10)
    expect(events).toEqual(['left, closed'])
    await worlds.end()
  })

  test('and may be shown again comes back by itself', async () => {
    const page = openPage()
    const { worlds, line, guest, events } = await stage()
    const id = guest.client.clientId
    page.hide(true)
    expect(guest.client.state).toBe('connected')
    // The browser froze the page, and closed its connection.
    worlds.guests.splice(worlds.guests.indexOf(guest), 1)
    line.cut()
    await pass(worlds, 10)
    expect(events).toEqual(['suspended, closed'])
    worlds.guests.push(guest)
    await pass(worlds, 2)
    expect([events, guest.client.state, guest.client.clientId]).toEqual([
      ['suspended, closed', 'resumed'],
      'connected',
      id,
    ])
    await worlds.end()
  })

  test('is not listened to any more when its session is over', async () => {
    const page = openPage()
    const { worlds, guest } = await stage()
    guest.client.disconnect()
    await vi.waitFor(() => expect(page.listeners.size).toBe(0), { timeout: 5000 })
    await worlds.end()
  })

  test.each([
    ['while it is heard has left', 0, 'left, closed'],
    ['long after it was heard may come back: its network broke', 4, 'suspended, closed'],
  ])('one that hangs up %s', async (_when, seconds, event) => {
    const worlds = createWorlds(DC)
    const ends: { onClose: (hungUp?: boolean) => void }[] = []
    const { listen } = worlds.network.server
    await worlds.server.close()
    const other = createWorlds(DC, {
      server: {
        transport: {
          listen: onConnection => listen(connection => (onConnection(connection), void ends.push(connection))),
          close: async () => {},
        },
      },
    })
    const events: string[] = []
    other.server.onLeave((_client, reason) => events.push(`left, ${reason}`))
    other.server.onSuspend((_client, reason) => events.push(`suspended, ${reason}`))
    const guest = other.addGuest({ transport: worlds.network.client() })
    const run = (frames: number) => {
      for (let count = 0; count < frames; count++) {
        worlds.run(1)
        other.run(1)
      }
    }
    let isIn = false
    void guest.client.connect().then(() => (isIn = true))
    for (let count = 0; count < 100 && !isIn; count++, await turn()) run(1)
    expect(isIn).toBe(true)
    if (seconds > 0)
      for (const way of ['up', 'down'] as const) Object.assign(worlds.network.conditions[way], { loss: 1 })
    run(seconds * 60 + 1)
    ends[0]!.onClose(true)
    run(10)
    expect(events).toEqual([event])
    await other.end()
  })
})
