import { addComponent, addEntity } from 'bitecs'
import { fitText } from 'bitecs-pipes'
import { expect, test } from 'vitest'
import { createWorlds, seenBy } from '../support/worlds.ts'

const bytes = (text: string) => new TextEncoder().encode(text).length

test.each([
  ['plain', 'abcdef', 4, 'abcd'],
  ['what fits as it is', 'abc', 3, 'abc'],
  ['two bytes each', 'éééé', 5, 'éé'],
  ['two bytes each, to the byte', 'éééé', 6, 'ééé'],
  ['three bytes each', '漢字漢字', 8, '漢字'],
  ['four bytes each', '👋👋👋', 11, '👋👋'],
  ['mixed', 'aé漢👋', 6, 'aé漢'],
  ['a first character that is too long already', '👋a', 3, ''],
  ['nothing fits', 'abc', 0, ''],
  ['nothing to cut', '', 8, ''],
])('%s', (_name, text, most, expected) => {
  const fitting = fitText(text, most)
  expect(fitting).toBe(expected)
  expect(bytes(fitting)).toBeLessThanOrEqual(most)
  expect(new TextDecoder('utf-8', { fatal: true }).decode(new TextEncoder().encode(fitting)), 'whole characters').toBe(
    fitting,
  )
})

test.each([[undefined], [null], [7], [true], [{}], [{ toString: 1 }], [['a']], [new String('a')], [() => 'a']])(
  'what is no text is none: %s',
  value => {
    expect(fitText(value, 8)).toBe('')
  },
)

test.each([
  ['漢'.repeat(24), '漢'.repeat(8)],
  [{ toString: 1 }, ''],
  ['👋'.repeat(40), '👋'.repeat(6)],
  // Half an emoji is no character: UTF-8 has a replacement for it.
  ['ab\ud83d', 'ab\ufffd'],
])('a player may call itself %o', async (name, shown) => {
  const worlds = createWorlds('dclass Avatar { string(0-24) name required broadcast ram; };')
  const { Avatar } = worlds.schema.dclasses
  let eid = 0
  worlds.server.onJoin(client => {
    eid = addEntity(worlds.world)
    addComponent(worlds.world, eid, Avatar)
    Avatar.name[eid] = fitText(client.data?.name, 24)
    worlds.server.place(eid, 1, client)
  })
  const guest = await worlds.join({ name })
  worlds.run(30)
  expect(guest.schema.dclasses.Avatar.name[seenBy(worlds, guest, eid)]).toBe(shown)
  await worlds.end()
})
