import { expect, test } from 'vitest'
import { clientOf, createWorlds, seenBy, spawn } from '../support/worlds.ts'

test('an owner that writes what does not fit is told once, and its other objects go on', async () => {
  const errors: string[] = []
  const worlds = createWorlds(`dclass Avatar {
    float64 exact broadcast ram ownsend;
    uint8(0-9) gear broadcast ram ownsend;
    string(0-8) name broadcast ram ownsend;
  };`)
  const guest = await worlds.join({}, { onError: (error, where) => errors.push(`${where}: ${error}`) })
  const [eid, next] = [1, 2].map(() => spawn(worlds, 'Avatar', { exact: 1 }, 1, clientOf(worlds, guest))) as [
    number,
    number,
  ]
  worlds.run(30)
  const [server, own] = [worlds.schema.dclasses.Avatar, guest.schema.dclasses.Avatar]
  const [mine, second] = [seenBy(worlds, guest, eid), seenBy(worlds, guest, next)]
  let expected = 0
  for (const [column, value, good, complaint] of [
    [own.exact, NaN, 2, /send, entity \d+: RangeError: Avatar\.exact is not finite/],
    [own.exact, Infinity, 3, /not finite/],
    [own.exact, -Infinity, 4, /not finite/],
    [own.gear, 10, 5, /Avatar\.gear: 10 is outside/],
    [own.name, 'far too long', 'short', /Avatar\.name/],
  ] as const) {
    column[mine] = value
    own.exact[second] = ++expected
    worlds.run(60)
    expect(errors, String(value)).toHaveLength(expected)
    expect(errors.at(-1)).toMatch(complaint)
    expect(server.exact[next], 'the other object').toBe(expected)
    column[mine] = good
    worlds.run(30)
  }
  expect([server.exact[eid], server.gear[eid], server.name[eid]], 'and what fits arrives').toEqual([4, 5, 'short'])
  expect(worlds.server.violations, 'nothing of it went to the server').toMatchObject({ outOfRange: 0, malformed: 0 })
  await worlds.end()
})

test('an owner that writes a blob of 300 KB is told, and stays', async () => {
  const errors: string[] = []
  const worlds = createWorlds(
    'dclass Crate { blob32 photo broadcast ram ownsend; string label broadcast ram ownsend; };',
  )
  const guest = await worlds.join({}, { onError: (error, where) => errors.push(`${where}: ${error}`) })
  const eid = spawn(worlds, 'Crate', {}, 1, clientOf(worlds, guest))
  worlds.run(30)
  const { Crate } = guest.schema.dclasses
  const mine = seenBy(worlds, guest, eid)
  Crate.photo[mine] = new Uint8Array(300_000)
  worlds.run(120)
  expect([guest.client.state, errors]).toEqual([
    'connected',
    [expect.stringMatching(/^send, .*Crate\.photo: 300004 bytes/)],
  ])
  Crate.photo[mine] = Uint8Array.of(1)
  Crate.label[mine] = 'mended'
  worlds.run(60)
  const at = worlds.schema.dclasses.Crate
  expect([at.photo[eid], at.label[eid]]).toEqual([Uint8Array.of(1), 'mended'])
  await worlds.end()
})

test('a write between two packets is not undone by the server telling again what it has', async () => {
  const lost: number[] = []
  for (let frames = 0; frames < 30; frames++) {
    const worlds = createWorlds('dclass Avatar { string name broadcast ram ownsend; };', { conditions: { lag: 0.05 } })
    const guest = await worlds.join({}, { commandRate: 5 })
    const eid = spawn(worlds, 'Avatar', { name: 'Ada' }, 1, clientOf(worlds, guest))
    worlds.run(60)
    const mine = seenBy(worlds, guest, eid)
    worlds.server.place(eid, 2)
    worlds.run(frames)
    guest.schema.dclasses.Avatar.name[mine] = 'Eve'
    worlds.run(90)
    if (worlds.schema.dclasses.Avatar.name[eid] !== 'Eve') lost.push(frames)
    await worlds.end()
  }
  expect(lost, 'frames after the move of writes that were lost').toEqual([])
})

test('a string that the server overrules does not cost the owner another one', async () => {
  const lost: number[] = []
  for (let frames = 0; frames < 24; frames++) {
    const worlds = createWorlds(
      'dclass Avatar { string name broadcast ram ownsend; string motto broadcast ram ownsend; };',
      { conditions: { lag: 0.1 } },
    )
    const guest = await worlds.join()
    const eid = spawn(worlds, 'Avatar', { name: 'Ada', motto: 'old' }, 1, clientOf(worlds, guest))
    worlds.run(60)
    const own = guest.schema.dclasses.Avatar
    const at = worlds.schema.dclasses.Avatar
    const mine = seenBy(worlds, guest, eid)
    // The owner writes its motto up to 12 frames before or after the server writes the name.
    if (frames < 12) own.motto[mine] = 'new'
    worlds.run(Math.abs(frames - 12))
    at.name[eid] = 'censored'
    if (frames >= 12) {
      worlds.run(frames - 12)
      own.motto[mine] = 'new'
    }
    worlds.run(120)
    if (at.motto[eid] !== 'new' || own.motto[mine] !== 'new' || own.name[mine] !== 'censored') lost.push(frames)
    await worlds.end()
  }
  expect(lost, 'moments in which a write was lost').toEqual([])
})

test.each([0, 4, 8, 12, 60])(
  'an owner that wrote as its object was withdrawn has the server’s values when that is back %i frames later',
  async frames => {
    const worlds = createWorlds('dclass Dial { uint8 level broadcast ownsend; string word broadcast ownsend; };', {
      conditions: { lag: 0.06 },
    })
    const guest = await worlds.join()
    const eid = spawn(worlds, 'Dial', { level: 7, word: 'first' }, 1, clientOf(worlds, guest))
    worlds.until(() => seenBy(worlds, guest, eid) !== 0, 'its owner sees it')
    worlds.run(30)
    const { Dial } = guest.schema.dclasses
    const before = seenBy(worlds, guest, eid)
    worlds.server.withdraw(eid)
    worlds.run(3)
    Dial.level[before] = 9
    Dial.word[before] = 'mine'
    worlds.run(frames)
    worlds.server.place(eid, 2)
    worlds.run(120)
    const theirs = worlds.schema.dclasses.Dial
    const shown = seenBy(worlds, guest, eid)
    expect([Dial.level[shown], Dial.word[shown]]).toEqual([theirs.level[eid], theirs.word[eid]])
    Dial.level[shown] = 11
    Dial.word[shown] = 'again'
    worlds.run(60)
    expect([theirs.level[eid], theirs.word[eid]], 'and goes on from there').toEqual([11, 'again'])
    await worlds.end()
  },
)
