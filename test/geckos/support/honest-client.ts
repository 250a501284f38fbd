import { geckos } from '../../../src/geckos-client.ts'
import { record, until } from './until.ts'

/** Connects as a player would and gets one echo; rejects when the server does not serve. Resolves with milliseconds. */
export const echoOnce = async (port: number): Promise<number> => {
  const start = performance.now()
  const connection = await geckos({ url: 'http://127.0.0.1', port }).connect()
  const took = performance.now() - start
  const seen = record(connection)
  const packet = Uint8Array.of(1, 2, 3)
  await until('the echo of an honest client', () => {
    connection.send(packet)
    return seen.packets.length > 0
  })
  connection.close()
  return took
}
