import { vi } from 'vitest'
import { createWorlds, FRAME, spawn } from '../support/worlds.ts'

/** The schema of the session that PROTOCOL.md shows. */
export const SHIP = `
keyword unreliable;
struct Vec2 { int16/10 x; int16/10 y; };
dclass Ship {
  Vec2 position broadcast ownsend;
  uint8(0-100) health = 100 broadcast;
  uint16 gold ownrecv;
  string(0-16) name broadcast;
  hit(uint8 damage) broadcast;
  honk() clsend unreliable;
};
`

/** A small session in which nothing is left to chance: every datagram of it, by direction, in the order of sending. */
export const recordSession = async () => {
  const datagrams = { up: [] as Uint8Array[], down: [] as Uint8Array[] }
  const dice = vi.spyOn(Math, 'random').mockReturnValue(0.5)
  const secrets = vi.spyOn(crypto, 'getRandomValues').mockImplementation(<T>(bytes: T) => {
    if (bytes instanceof Uint8Array) bytes.forEach((_, index) => (bytes[index] = 0x80 + index))
    return bytes
  })
  const worlds = createWorlds(SHIP, {
    conditions: { lag: FRAME },
    server: { password: 'sesame', firstTick: 1000, codec: 'plain' },
  })
  worlds.network.tap = (direction, packet) => datagrams[direction].push(packet)
  const { Ship } = worlds.schema.dclasses
  const guest = await worlds.join({ name: 'Ada' }, { password: 'sesame' })
  const client = [...worlds.server.clients.values()][0]!
  const eid = spawn(worlds, 'Ship', { position: { x: 1.5, y: -2 }, gold: 7, name: 'Argo' }, 1, client)
  guest.client.interest.set([1, 2]).catch(() => {})
  worlds.run(12)
  const mine = guest.client.entityOf(worlds.schema.DistributedObject.doId[eid]!)
  guest.schema.dclasses.Ship.position.x[mine] = 2.5
  guest.client.sendUpdate(mine, guest.schema.dclasses.Ship.honk, {})
  worlds.run(8)
  Ship.health[eid] = 90
  worlds.server.sendUpdate(eid, Ship.hit, { damage: 10 })
  worlds.run(12)
  guest.client.disconnect()
  const stranger = worlds.addGuest({ password: 'wrong' })
  await worlds.settle(stranger.client.connect().catch(() => {}))
  await worlds.end()
  dice.mockRestore()
  secrets.mockRestore()
  return datagrams
}
