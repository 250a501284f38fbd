import { createHash } from 'node:crypto'
import { describe, expect, it, test } from 'vitest'
import { packDefault, packText, parseDC, unpackField } from '../../src/dc/index.ts'
import { fieldOf, hex, plain, unhex } from './plain.ts'
import accepts from './vectors/accepts.json' with { type: 'json' }
import rejects from './vectors/errors.json' with { type: 'json' }
import hashes from './vectors/hash.json' with { type: 'json' }
import packs from './vectors/pack.json' with { type: 'json' }
import unpacks from './vectors/unpack.json' with { type: 'json' }

// Recorded from Panda3D's own dcparser. A vector with a `quirk` is one where Panda3D misbehaves: there an error is right too.

interface PackVector {
  id: string
  dc: string
  class: string
  field: string
  ok: boolean
  value?: string
  hex?: string
  sha256?: string
  quirk?: string
  valueRepeat?: { kind: string; count: number; char?: string; element?: number }
}

describe('value text packs to the same bytes', () => {
  it.each((packs as PackVector[]).map(vector => [`${vector.id}: ${vector.dc} <- ${vector.value}`, vector] as const))(
    '%s',
    (_, vector) => {
      const { kind, count = 0, char = '', element = 0 } = vector.valueRepeat ?? {}
      const text =
        vector.value ?? (kind === 'string' ? `"${char.repeat(count)}"` : `[${Array(count).fill(element).join(',')}]`)
      const packed = packText(fieldOf(vector.dc, vector.class, vector.field), text)
      if (vector.quirk && !packed.ok) return
      expect(packed.ok, packed.message).toBe(vector.ok)
      if (vector.hex !== undefined) expect(hex(packed.bytes)).toBe(vector.hex)
      if (vector.sha256) expect(createHash('sha256').update(packed.bytes).digest('hex')).toBe(vector.sha256)
    },
  )
})

describe('bytes unpack to the same value', () => {
  it.each(unpacks.map(vector => [`${vector.id}: ${vector.dc} <- ${vector.hex}`, vector] as const))(
    '%s',
    (_, vector) => {
      const field = fieldOf(vector.dc, vector.class, vector.field)
      const result = unpackField(field, unhex(vector.hex), { leftOver: true, panda: true, rawText: true })
      expect(result.ok, result.reason).toBe(vector.ok)
      if (!vector.ok) return
      expect(plain(field, result.value)).toEqual(vector.value)
      expect(result.end).toBe(vector.bytes)
    },
  )
})

describe('the same texts are refused, at the same line', () => {
  it.each(rejects.map(vector => [vector.id, vector] as const))('%s', (_, vector) => {
    const { errors } = parseDC(vector.dc)
    expect(errors, vector.message).not.toEqual([])
    // Panda3D reports at the look-ahead token, which may be on the next line.
    expect(Math.abs(errors[0]!.line - vector.line)).toBeLessThanOrEqual(1)
  })
})

describe('the same texts are accepted, with the same classes, numbers, keywords, defaults and hash', () => {
  it.each(accepts.map(vector => [vector.id, vector] as const))('%s', (_, vector) => {
    const { file, errors } = parseDC(vector.dc)
    if (vector.quirk) return
    expect(errors).toEqual([])
    expect(file.hash).toBe(vector.hash)
    expect(
      file.classes.map(({ name, number, isStruct, parents, fields, inherited }) => ({
        name,
        number,
        isStruct,
        parents: parents.map(parent => parent.name),
        inherited: inherited.map(field => [field.number, field.name]),
        fields: fields.map(field => ({
          name: field.name,
          number: field.number,
          kind: field.kind,
          keywords: [...field.keywords].sort(),
          default: hex(packDefault(field)),
        })),
      })),
    ).toEqual(
      vector.classes.map(dclass => ({
        ...dclass,
        fields: dclass.fields.map(field => ({ ...field, keywords: [...field.keywords].sort() })),
      })),
    )
  })
})

test.each(hashes.map(vector => [vector.id, vector] as const))('the hash is the same: %s', (_, vector) => {
  expect(parseDC(vector.dc).file.hash).toBe(vector.hash)
})

test('what Panda3D takes in silence, undeclared types and bases, is taken with warnings when asked to', () => {
  for (const vector of accepts.filter(({ id }) => /unknown|self-struct/.test(id))) {
    const { file, errors, warnings } = parseDC(vector.dc, { strict: false })
    expect(errors, vector.id).toEqual([])
    expect(warnings.length, vector.id).toBeGreaterThan(0)
    expect(file.hash, vector.id).toBe(vector.hash)
  }
})
