import { expect, test } from 'vitest'
import { fieldsOf, objectsOf } from 'bitecs-pipes/devtools'
import { createWorlds, spawn } from '../support/worlds.ts'

const dc = `
struct Vec2 { int16/10 x; int16/10 y; };
dclass Door {
  Vec2 position broadcast ownsend;
  string label broadcast;
  uint8 isOpen broadcast clsend;
  uint16 code ownrecv;
  uint8[] log broadcast;
  knock(uint8 times) clsend;
  opened() broadcast;
};
dclass Wall {};
`

test('each object, its values as text, and what this client may write or send', async () => {
  const worlds = createWorlds(dc)
  const guest = await worlds.join()
  const mine = spawn(
    worlds,
    'Door',
    { position: { x: 1.5, y: -2 }, label: 'front', code: 77, log: [1, 2] },
    3,
    worlds.clientOf(guest),
  )
  const other = spawn(worlds, 'Door', { label: 'back', code: 5 }, 4)
  spawn(worlds, 'Wall', {}, 4)
  await worlds.settle(guest.client.interest.set([3, 4]))
  worlds.run(4)

  const { doId } = worlds.schema.DistributedObject
  const shown = objectsOf(guest.client)
  expect(shown.map(({ dclass, zone, isOwned, owner, state }) => [dclass, zone, isOwned, owner, state])).toEqual([
    ['Door', 3, true, guest.client.clientId, 'alive'],
    ['Door', 4, false, 0, 'alive'],
    ['Wall', 4, false, 0, 'alive'],
  ])
  expect(shown[0]!.eid).toBe(worlds.seenBy(guest, mine))

  const table = (eid: number) =>
    fieldsOf(guest.client, doId[eid]!).map(({ name, kind, value, mayWrite, isSeen }) => [
      name,
      kind,
      value,
      mayWrite,
      isSeen,
    ])
  expect(table(mine)).toEqual([
    ['position', 'field', 'x 1.500  y -2', 'you', true],
    ['label', 'field', '"front"', 'server', true],
    ['isOpen', 'field', '0', 'any', true],
    ['code', 'field', '77', 'server', true],
    ['log', 'field', '[1, 2]', 'server', true],
    ['knock', 'message', '', 'any', false],
    ['opened', 'message', '', 'server', true],
  ])
  const theirs = table(other)
  expect(theirs[0]).toEqual(['position', 'field', 'x 0  y 0', 'owner', true])
  expect(theirs[3], 'the code is for its owner alone').toEqual(['code', 'field', '0', 'server', false])
  expect(fieldsOf(guest.client, 9999)).toEqual([])
  await worlds.end()
})
