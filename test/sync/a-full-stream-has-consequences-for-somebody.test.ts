import { expect, test } from 'vitest'
import { createImpostor } from '../support/impostor.ts'
import { clientOf, createWorlds, seenBy, spawn } from '../support/worlds.ts'

const DC = 'dclass Room { say(blob(0-8000) text) clsend broadcast; }; '
const LINE = new Uint8Array(4000)

/** Someone who speaks, someone who hears it over a good link, and an impostor that answers nothing. */
const stage = async (server = {}, isDeaf = true) => {
  const worlds = createWorlds(DC, { server: { messageRate: 1000, messageBytes: 1e6, resumeTime: 0, ...server } })
  const [speaker, friend] = [await worlds.join(), await worlds.join()]
  for (const guest of [speaker, friend]) await worlds.settle(guest.client.interest.set([1]))
  const deaf = await createImpostor(worlds.network, worlds.schema, worlds.now)
  deaf.hello()
  worlds.run(4)
  const deafClient = worlds.server.clients.get(deaf.welcome!.clientId)!
  if (isDeaf) worlds.server.setZones(deafClient, [1])
  else worlds.server.kick(deafClient)
  const eid = spawn(worlds, 'Room', {}, 1)
  worlds.until(() => [speaker, friend].every(guest => seenBy(worlds, guest, eid) !== 0), 'they see it')
  const left: string[] = []
  worlds.server.onLeave((client, reason) => left.push(`${client.id} ${reason}`))
  let heard = 0
  friend.client.on(friend.schema.dclasses.Room.say, () => void heard++)
  const ids = {
    speaker: speaker.client.clientId,
    friend: friend.client.clientId,
    deaf: deaf.welcome!.clientId,
  }
  const say = () =>
    speaker.client.sendUpdate(seenBy(worlds, speaker, eid), speaker.schema.dclasses.Room.say, { text: LINE })
  return { worlds, speaker, deaf, say, left, ids, heard: () => heard, server: clientOf(worlds, speaker) }
}

test('a client that takes nothing goes itself, and the one who spoke stays, with all that it said', async () => {
  const { worlds, deaf, say, left, ids, heard, server } = await stage({ timeout: 60 })
  let said = 0
  // It sends, so that it is not silent, but it acknowledges nothing.
  for (let frame = 0; left.length === 0 && frame < 6000; frame++) {
    if (frame % 6 === 0) {
      say()
      said++
    }
    if (frame % 30 === 0) deaf.connection.send(Uint8Array.of(0xc0, frame & 255, 0, 0, 0))
    worlds.run(1)
  }
  expect(left).toEqual([`${ids.deaf} overflow`])
  worlds.until(() => heard() === said, 'all is heard', 60)
  expect([heard(), server.violations.flooded]).toEqual([said, 0])
  await worlds.end()
})

test('who says more than others can be told goes, though they take what they can', async () => {
  const { worlds, speaker, say, left, ids, server } = await stage(
    { maxBytesPerSecond: 12_000, maxClients: 4, timeout: 60 },
    false,
  )
  for (let frame = 0; left.length === 0 && frame < 3000; frame++) {
    if (frame % 8 === 0 && speaker.client.state === 'connected') say()
    worlds.run(1)
  }
  expect(left).toEqual([`${ids.speaker} flooded`])
  expect(server.violations.flooded).toBe(1)
  await worlds.end()
})

test('or its words are lost, counted, if the game lets it stay', async () => {
  const { worlds, speaker, say, left, heard, server } = await stage(
    { maxBytesPerSecond: 12_000, maxClients: 4, timeout: 60, violationPolicy: { flooded: 'ignore' } },
    false,
  )
  let said = 0
  for (let frame = 0; server.violations.flooded === 0 && frame < 3000; frame++) {
    if (frame % 8 === 0) {
      say()
      said++
    }
    worlds.run(1)
  }
  worlds.until(() => heard() + server.violations.flooded === said, 'each is heard or counted', 120)
  expect([left, speaker.client.state, server.violations.flooded > 0]).toEqual([[], 'connected', true])
  await worlds.end()
})
