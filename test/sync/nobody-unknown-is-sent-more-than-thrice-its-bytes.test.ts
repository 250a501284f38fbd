import { expect, test } from 'vitest'
import { byteWriter, writeU32, writeU8 } from '../../src/net/bytes.ts'
import { encodeResponse } from '../../src/net/challenge.ts'
import { encodeResume } from '../../src/net/resume.ts'
import { encodeBye, encodeHello } from '../../src/net/hello.ts'
import { Kind } from '../../src/net/packet.ts'
import { random } from '../../src/net/random.ts'
import type { ServerOptions } from '../../src/server.ts'
import { createWorlds } from '../support/worlds.ts'

const DC = `
dclass Avatar { string name required broadcast ram; say(string(1-200) text) clsend broadcast; };
dclass Crate : Avatar { uint32 weight broadcast; };
`

/** A password that is one byte long makes the shortest hello that is answered with a refusal. */
const hello = (worlds: ReturnType<typeof createWorlds>, nonce: number, changes = {}) =>
  encodeHello({
    nonce,
    schema: worlds.schema.file,
    updateRate: 20,
    commandRate: 30,
    interp: 0,
    password: '',
    data: '',
    ...changes,
  })

const question = (nonce: number, kind: number) => {
  const writer = byteWriter(16)
  writeU8(writer, Kind.inquiry)
  writeU32(writer, nonce)
  writeU8(writer, kind)
  writeU32(writer, 0)
  writeU32(writer, 0xffffffff)
  writeU8(writer, 0)
  return writer.bytes.slice(0, writer.length)
}

const verify = () => new Promise<boolean>(() => {})
const longest = () => new Uint8Array(64).fill(1)

const SERVERS: Record<string, Partial<ServerOptions>> = {
  'that is open to all': { maxClients: 1 },
  'with a password': { password: 'sesame' },
  'that asks who one is, at length': { authenticate: { verify, challenge: longest } },
  'that believes nobody': { authenticate: { verify: () => false, challenge: longest } },
}

test.each(Object.keys(SERVERS))('by a server %s, whatever it sends', async which => {
  const worlds = createWorlds(DC, { server: SERVERS[which]! })
  const chance = random(5)
  const whole = Math.floor(chance() * 2 ** 32)
  if (SERVERS[which]!.maxClients) await worlds.join()
  const schema = { hash: 1, structureHash: 2n, version: 3 }
  const token = new Uint8Array(16)
  const packets = [
    () => hello(worlds, 1),
    () => hello(worlds, whole),
    () => hello(worlds, 1, { password: 'x' }),
    () => hello(worlds, 1, { schema }),
    () => Uint8Array.of(Kind.hello, 99, 1, 0, 0, 0),
    () => Uint8Array.of(Kind.resume, 99, 1, 0, 0, 0),
    () => encodeResume({ nonce: 1, clientId: 1, token }),
    () => encodeResponse({ nonce: 1, bytes: new Uint8Array(0) }),
    () => question(1, 1),
    () => question(1, 2),
    () => encodeBye('closed'),
    () => Uint8Array.of(Kind.data, 0, 0, 0, 0),
    () => Uint8Array.of(Kind.challenge, 0),
    () => new Uint8Array(0),
  ]
  let answered = 0
  for (let round = 0; round < 60; round++) {
    const connection = await worlds.network.client().connect()
    let [out, back] = [0, 0]
    let isClosed = false
    connection.onPacket = packet => {
      back += packet.length
      answered++
    }
    connection.onClose = () => (isClosed = true)
    // First a kind of each, then in any order.
    const kind = round < packets.length ? round : -1
    for (let count = 0; count < 40 && !isClosed; count++) {
      const packet = packets[kind >= 0 ? kind : Math.floor(chance() * packets.length)]!()
      connection.send(packet)
      out += packet.length
      worlds.run(2)
      const isStranger = worlds.server.clients.size === (SERVERS[which]!.maxClients ? 1 : 0)
      if (!isStranger) throw new Error('somebody was let in')
      expect(back, `after ${out} bytes of kind ${kind}`).toBeLessThanOrEqual(3 * out)
    }
    connection.close()
  }
  // Those who are closed with the server are no better off.
  const last = await worlds.network.client().connect()
  let back = 0
  last.onPacket = packet => (back += packet.length)
  await worlds.end()
  worlds.run(4)
  expect([answered > 50, back]).toEqual([true, 0])
})
