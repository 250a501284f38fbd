import fc from 'fast-check'
import { expect, test } from 'vitest'
import { diffSchemas, formatChanges, parseDC } from '../../src/dc/index.ts'

const read = (text: string) => {
  const { file, errors } = parseDC(text)
  expect(errors).toEqual([])
  return file
}

const BASE = `
from game import Avatar/AI
keyword interp_linear unused;
typedef uint8(0-25) Color = 3;
struct Vec2 { int16/10 x; int16/10 y; };
dclass Node { Vec2 position broadcast interp_linear; };
dclass Avatar : Node {
  uint8(0-100) health = 100 broadcast;
  string(0-24) name required broadcast;
  Color color broadcast;
  say(string(1-200) text) clsend;
};
dclass Chest { uint16 gold ownrecv; };
`

const diff = (...edits: (readonly [string, string])[]) => {
  const changed = edits.reduce((text, [from, to]) => {
    expect(text).toContain(from)
    return text.replace(from, to)
  }, BASE)
  const [before, after] = [read(BASE), read(changed)]
  const changes = diffSchemas(before, after)
  // What it says of breaking is what the hashes say.
  const isSame = before.hash === after.hash && before.structureHash === after.structureHash
  expect(changes.some(({ breaking }) => breaking)).toBe(!isSame)
  expect(changes.some(({ inPandaHash }) => inPandaHash)).toBe(before.hash !== after.hash)
  return changes
}

const breaking = (name: string, action: string, why: RegExp | string) =>
  expect.objectContaining({ name, action, breaking: true, why: expect.stringMatching(why) })

test('each kind of change is found, and told why it breaks old clients or not', () => {
  const bytes = 'its bytes change'
  for (const [from, to, name, action, why] of [
    ['uint8(0-100) health', 'uint16(0-100) health', 'Avatar.health', 'changed', bytes],
    ['Color color', 'Color color[]', 'Avatar.color', 'changed', bytes],
    ['int16/10 y', 'int16/100 y', 'Vec2.y', 'changed', bytes],
    ['(0-100)', '(0-200)', 'Avatar.health', 'changed', 'other values are legal'],
    ['= 100', '= 90', 'Avatar.health', 'changed', 'differences from their defaults'],
    ['= 3;', '= 4;', 'Avatar.color', 'changed', 'differences from their defaults'],
    ['ownrecv', 'ownrecv ram', 'Chest.gold', 'changed', 'keywords'],
    ['health =', 'life =', 'Avatar.life', 'renamed', 'another name'],
    ['text)', 'words)', 'Avatar.say', 'changed', 'under other names'],
    ['Color color', 'uint8(0-25) color = 3', 'Avatar.color', 'changed', 'the name of a type'],
    ['uint16 gold ownrecv;', 'gold(uint16 amount) ownrecv;', 'Chest.gold', 'changed', 'another kind of field'],
    ['uint16 gold ownrecv;', '', 'Chest.gold', 'removed', /expect it$/],
    ['uint8(0-100)', 'uint8 age; uint8(0-100)', 'Avatar.age', 'added', 'the 5 fields declared after it'],
    ['dclass Chest {', 'dclass Chest : Node {', 'Chest', 'changed', 'inherits other fields'],
    ['dclass Chest', 'dclass Bag { }; dclass Chest', 'Bag', 'added', 'do not know the class'],
    ['dclass Chest { uint16 gold ownrecv; };', '', 'Chest', 'removed', 'may show objects'],
    ['int16/10 x; int16/10 y;', 'int16/10 y; int16/10 x;', 'Vec2', 'moved', 'another order'],
  ] as const)
    expect(diff([from, to]), `${from} -> ${to}`).toContainEqual(breaking(name, action, why))
})

test('classes in another order are numbered otherwise', () => {
  const chest = 'dclass Chest { uint16 gold ownrecv; };'
  expect(diff([chest, ''], ['struct Vec2', `${chest} struct Vec2`])).toEqual([breaking('classes', 'moved', 'numbered')])
})

test('what is in no hash breaks nobody', () => {
  const changes = diff(
    ['from game import Avatar/AI', 'from game import Avatar'],
    ['unused;', 'idle; typedef uint16 SchemaVersion = 2; typedef uint8 Unused;'],
    ['dclass Chest', '/* a comment */ dclass Chest'],
  )
  expect(changes.map(({ kind, action, name, breaking }) => [kind, action, name, breaking])).toEqual([
    ['typedef', 'added', 'Unused', false],
    ['keyword', 'added', 'idle', false],
    ['keyword', 'removed', 'unused', false],
    ['import', 'added', 'from game import Avatar', false],
    ['import', 'removed', 'from game import Avatar/AI', false],
    ['version', 'added', 'SchemaVersion', false],
  ])
})

test('there is a difference exactly when there is one', () => {
  const class_ = fc.record({
    name: fc.constantFrom('A', 'B', 'C'),
    fields: fc.uniqueArray(
      fc.tuple(fc.constantFrom('x', 'y', 'z'), fc.constantFrom('uint8', 'int16/10', 'string', 'uint8[]')),
      { selector: ([name]) => name, maxLength: 3 },
    ),
  })
  const schema = fc
    .uniqueArray(class_, { selector: ({ name }) => name, maxLength: 3 })
    .map(classes =>
      classes
        .map(
          ({ name, fields }) => `dclass ${name} { ${fields.map(([field, type]) => `${type} ${field};`).join(' ')} };`,
        )
        .join('\n'),
    )
  fc.assert(
    fc.property(schema, schema, (one, other) => {
      const [before, after] = [read(one), read(other)]
      const changes = diffSchemas(before, after)
      expect(changes.length === 0).toBe(before.structureHash === after.structureHash)
      expect(changes.every(({ breaking }) => breaking)).toBe(true)
      const inverse = diffSchemas(after, before)
      expect(inverse.length, 'as many the other way round').toBe(changes.length)
    }),
    { numRuns: 300 },
  )
})

test('it reads well', () => {
  const changes = diff(
    ['uint8(0-100) health', 'uint16(0-100) health'],
    ['unused;', 'unused idle;'],
    ['Color color', 'Color tint'],
  )
  expect(formatChanges(changes)).toBe(`Breaks old clients:
  field Avatar.health changed: uint8(0..100) health = 100 broadcast  ->  uint16(0..100) health = 100 broadcast
      its bytes change: old clients would misread them
  field Avatar.tint renamed: Color{uint8(0..25)} color = 3 broadcast  ->  Color{uint8(0..25)} tint = 3 broadcast
      old clients know it by another name

Breaks nobody:
  keyword idle added
      a keyword counts only where it is used

3 changes, 2 of them break old clients.
`)
  expect(formatChanges([])).toBe('The schemas are the same.\n')
  expect(formatChanges(diff(['= 100', '= 90']))).toContain(
    "1 change, 1 of them breaks old clients (Panda3D's hash does not see it).",
  )
})
