import { expect, test } from 'vitest'
import { byteWriter, writeBytes, writeU16, writeU32, writeU8, writeVarint } from '../../src/net/bytes.ts'
import { encodeHello } from '../../src/net/hello.ts'
import { Chunk, Kind } from '../../src/net/packet.ts'
import { createWorlds, spawn } from '../support/worlds.ts'

const upload = (words: number[]) => {
  const writer = byteWriter()
  writeU8(writer, Kind.data)
  writeBytes(writer, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
  writeU16(writer, 0xffff)
  writeU32(writer, 0)
  writeU8(writer, Chunk.upload)
  writeU32(writer, 1)
  writeU8(writer, 1)
  writeVarint(writer, words.length)
  writeBytes(writer, Uint8Array.from(words))
  return writer.bytes.slice(0, writer.length)
}

test.each([
  ['int64(0-10)', [0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0], 1],
  ['int64/10', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], 1],
  ['float64(0-1)', [0, 0, 0, 0, 0, 0, 0xf8, 0x7f], 1],
  ['float64', [0, 0, 0, 0, 0, 0, 0xf8, 0x7f], 1],
  ['float64', [0, 0, 0, 0, 0, 0, 0xf0, 0x3f], 0],
])('%s: a cheat uploads what it cannot be, and the server ticks on', async (type, words, refused) => {
  const worlds = createWorlds(`dclass Thing { ${type} value broadcast ownsend; };`)
  worlds.server.onJoin(client => void spawn(worlds, 'Thing', {}, 1, client))
  const connection = await worlds.network.client().connect()
  const hello = { nonce: 1, updateRate: 20, commandRate: 30, interp: 0, password: '', data: '' }
  connection.send(encodeHello({ ...hello, schema: worlds.schema.file }))
  worlds.run(6)
  connection.send(upload(words))
  worlds.run(6)
  expect(worlds.server.violations.outOfRange).toBe(refused)
})
