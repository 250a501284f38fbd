import { expect, test } from 'vitest'
import { createWorlds } from 'bitecs-pipes/testing'
import { clientOf, seenBy, spawn } from '../support/worlds.ts'

const DC = 'dclass Note { string(0-20) text broadcast ownsend; int16 page broadcast ownsend; };'

test.each([4, 8, 10, 60])('text and numbers of a page of %i frames a second reach the server', async frameRate => {
  const worlds = createWorlds(DC, { frameRate, server: { tickRate: Math.min(frameRate, 30) } })
  const guest = await worlds.join()
  const eid = spawn(worlds, 'Note', { text: 'draft' }, 1, clientOf(worlds, guest))
  worlds.until(() => seenBy(worlds, guest, eid) !== 0, 'the note is seen')
  const { Note } = worlds.schema.dclasses
  for (const [page, text] of ['one', 'two', 'three'].entries()) {
    const own = seenBy(worlds, guest, eid)
    guest.schema.dclasses.Note.text[own] = text
    guest.schema.dclasses.Note.page[own] = page
    worlds.until(() => Note.text[eid] === text && Note.page[eid] === page, `${text} is there`, 5)
  }
  expect(Note.text[eid]).toBe('three')
  await worlds.end()
})
