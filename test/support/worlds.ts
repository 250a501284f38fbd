import { addComponent, addEntity, set } from 'bitecs'
import type { ServerClient } from 'bitecs-pipes/server'
import type { Guest, Worlds } from 'bitecs-pipes/testing'

export { createWorlds, FRAME, type Guest, type Worlds, type WorldsOptions } from 'bitecs-pipes/testing'

/** Lets every promise that can go on do so, those behind a macrotask too. */
export const drain = () => new Promise<void>(resolve => setImmediate(resolve))

/** A server's entity of a dclass with these fields, in a zone. */
export const spawn = (worlds: Worlds, name: string, fields: object, zone: number, owner?: ServerClient | 0): number => {
  const eid = addEntity(worlds.world)
  addComponent(worlds.world, eid, set(worlds.schema.dclasses[name], fields))
  worlds.server.place(eid, zone, owner)
  return eid
}

/** The server's side of a guest. */
export const clientOf = (worlds: Worlds, guest: Guest): ServerClient => worlds.clientOf(guest)

/** A guest's entity for one of the server's, or 0. */
export const seenBy = (worlds: Worlds, guest: Guest, eid: number): number => worlds.seenBy(guest, eid)
