import { expect, test } from 'vitest'
import { compileDC, hashFile, loadDC, packField, parseDC, unpackField } from '../../src/dc/index.ts'
import { schemaOf } from './plain.ts'
import accepts from './vectors/accepts.json' with { type: 'json' }

const withoutComments = (key: string, value: unknown) =>
  key === 'owner' || key === 'parents' || key === 'comment'
    ? undefined
    : typeof value === 'bigint'
      ? `${value}n`
      : value

test('every schema is the same after compiling and loading, without its comments', () => {
  for (const { id, dc } of accepts) {
    const { file } = parseDC(dc, { strict: false }),
      loaded = loadDC(compileDC(file))
    expect(JSON.stringify(loaded, withoutComments), id).toBe(JSON.stringify(file, withoutComments))
    expect(hashFile(loaded), id).toBe(file.hash)
  }
})

test('shared objects stay shared, and look-ups work', () => {
  const loaded = loadDC(
    compileDC(schemaOf('struct S { int64(0-5) x = 3; }; dclass A { S s; }; dclass B : A { blob b = "x"; };')),
  )
  const A = loaded.classByName('A')!,
    B = loaded.classByName('B')!
  expect(B.inherited[0]).toBe(A.fields[0])
  expect(B.parents[0]).toBe(A)
  expect(A.fields[0]!.owner).toBe(A)
  expect(loaded.fieldByNumber(1)).toBe(A.fields[0])
  expect(unpackField(A.fields[0]!, packField(A.fields[0]!, { x: 4n })).value).toEqual({ x: 4n })
  expect(B.fields[0]).toMatchObject({ default: Uint8Array.of(1, 0, 0x78) })
})

test('thousands of classes that refer to each other do not overflow the stack', () => {
  const text = Array.from({ length: 900 }, (_, i) => `dclass A${i}${i ? ` : A${i - 1}` : ''} { uint8 x${i}; };`).join(
    '\n',
  )
  expect(loadDC(compileDC(schemaOf(text))).classes).toHaveLength(900)
})
