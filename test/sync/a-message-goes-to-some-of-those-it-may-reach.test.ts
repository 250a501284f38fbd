import type { ServerClient } from 'bitecs-pipes/server'
import { expect, test } from 'vitest'
import { clientOf, createWorlds, seenBy, spawn, type Guest } from '../support/worlds.ts'

const DC = `
keyword unreliable;
dclass Avatar {
  uint8 hue broadcast;
  say(uint8 word) broadcast;
  flash(uint8 word) broadcast unreliable;
  whisper(uint8 word) ownrecv;
  press(uint8 key) airecv clsend;
};`
const BAD = { lag: 0.05, jitter: 0.02, loss: 0.15, duplicate: 0.1 }

/** An owner, two that see its object and one that does not, and which of them heard what. */
const stage = async (conditions = {}) => {
  const worlds = createWorlds(DC, { conditions })
  const guests: Record<string, Guest> = {}
  const heard: string[] = []
  for (const name of ['owner', 'ada', 'ben', 'stranger']) {
    const guest = await worlds.join()
    guests[name] = guest
    await worlds.settle(guest.client.interest.set([name === 'stranger' ? 2 : 1]))
    for (const field of ['say', 'flash', 'whisper'])
      guest.client.on<{ word: number }>(guest.schema.dclasses.Avatar[field], (_, { word }) => {
        heard.push(`${name} ${field} ${word}`)
      })
  }
  const clients = Object.fromEntries(
    Object.entries(guests).map(([name, guest]) => [name, clientOf(worlds, guest)]),
  ) as Record<string, ServerClient>
  const eid = spawn(worlds, 'Avatar', {}, 1, clients.owner!)
  worlds.until(() => ['owner', 'ada', 'ben'].every(name => seenBy(worlds, guests[name]!, eid) !== 0), 'all see it')
  worlds.run(60)
  const take = () => heard.splice(0).sort()
  return { worlds, guests, clients, eid, take, Avatar: worlds.schema.dclasses.Avatar }
}

test('to one, to several, to the owner, to all but some: each once over a bad link, and nobody else', async () => {
  const { worlds, clients, eid, take, Avatar } = await stage(BAD)
  const { owner, ada, ben, stranger } = clients as Record<string, ServerClient>
  const send = (to: Parameters<typeof worlds.server.sendUpdate>[3], field = Avatar.say) => {
    worlds.server.sendUpdate(eid, field, { word: 1 }, to)
    worlds.run(90)
    return take()
  }
  expect(send(undefined)).toEqual(['ada say 1', 'ben say 1', 'owner say 1'])
  expect(send('interested')).toEqual(['ada say 1', 'ben say 1', 'owner say 1'])
  expect(send('owner')).toEqual(['owner say 1'])
  expect(send(ada!)).toEqual(['ada say 1'])
  expect(send([ada!, owner!, ada!])).toEqual(['ada say 1', 'owner say 1'])
  expect(send([])).toEqual([])
  expect(send({ except: ada! })).toEqual(['ben say 1', 'owner say 1'])
  expect(send({ except: 'owner' })).toEqual(['ada say 1', 'ben say 1'])
  expect(send({ except: ['owner', ben!] })).toEqual(['ada say 1'])
  // The keywords and the interest hold for all that.
  expect(send([stranger!, ben!])).toEqual(['ben say 1'])
  expect(send([ada!, owner!], Avatar.whisper)).toEqual(['owner whisper 1'])
  expect(send({ except: 'owner' }, Avatar.whisper)).toEqual([])
  await worlds.end()
})

test('an unreliable one too, over a good link', async () => {
  const { worlds, clients, eid, take, Avatar } = await stage()
  worlds.server.sendUpdate(eid, Avatar.flash, { word: 1 }, clients.ben)
  worlds.server.sendUpdate(eid, Avatar.flash, { word: 2 }, { except: [clients.ben!, 'owner'] })
  worlds.run(10)
  expect(take()).toEqual(['ada flash 2', 'ben flash 1'])
  await worlds.end()
})

test('what was for one who has left is heard by nobody', async () => {
  const { worlds, guests, clients, eid, take, Avatar } = await stage()
  guests.ada!.client.disconnect()
  worlds.run(10)
  worlds.server.sendUpdate(eid, Avatar.say, { word: 1 }, clients.ada)
  worlds.server.sendUpdate(eid, Avatar.say, { word: 2 }, [clients.ada!])
  worlds.server.sendUpdate(eid, Avatar.say, { word: 3 }, { except: clients.ada! })
  worlds.run(10)
  expect(take()).toEqual(['ben say 3', 'owner say 3'])
  await worlds.end()
})

test('a client of another server is nobody here, whatever its number', async () => {
  const { worlds, clients, eid, take, Avatar } = await stage()
  const other = createWorlds(DC)
  for (let count = 0; count < 3; count++) await other.join()
  const stranger = other.server.clients.get(clients.ben!.id)!
  expect(stranger.id).toBe(clients.ben!.id)
  worlds.server.sendUpdate(eid, Avatar.say, { word: 1 }, stranger)
  worlds.run(10)
  expect(take()).toEqual([])
  await other.end()
  await worlds.end()
})

test('a target that makes no sense is told, and who may never hear it', async () => {
  const { worlds, guests, eid, Avatar } = await stage()
  const send = (to: unknown, field = Avatar.say) => worlds.server.sendUpdate(eid, field, { word: 1 }, to as never)
  expect(() => send('everyone')).toThrow(/sendUpdate\(Avatar\.say\): the target is everyone; give a client of/)
  expect(() => send([1])).toThrow(/the target is 1;/)
  expect(() => send({ except: null })).toThrow(/the target is null;/)
  expect(() => send('interested', Avatar.whisper)).toThrow(/only the owner may receive it/)
  expect(() => worlds.server.sendUpdate(eid, Avatar.press, { key: 1 }, 'owner')).toThrow(/neither `broadcast` nor/)
  expect(guests.ada!.client.state).toBe('connected')
  await worlds.end()
})

test('`airecv` is handled on the server, and goes no further', async () => {
  const { worlds, guests, eid, take, Avatar } = await stage()
  const pressed: number[] = []
  worlds.server.on<{ key: number }>(Avatar.press, (_, { key }) => pressed.push(key))
  const { client, schema } = guests.ada!
  const others = ['owner', 'ben'].map(name => guests[name]!.client.stats)
  const before = others.map(stats => stats.bytesIn)
  const quiet = () => {
    const start = others.map(stats => stats.bytesIn)
    worlds.run(30)
    return others.map((stats, at) => stats.bytesIn - start[at]!)
  }
  const idle = quiet()
  client.sendUpdate(seenBy(worlds, guests.ada!, eid), schema.dclasses.Avatar.press, { key: 7 })
  expect(quiet(), 'not a byte of it reaches anybody else').toEqual(idle)
  expect([pressed, take(), before.length]).toEqual([[7], [], 2])
  await worlds.end()
})
