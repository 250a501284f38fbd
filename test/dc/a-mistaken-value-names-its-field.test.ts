import { describe, expect, it } from 'vitest'
import { packField } from '../../src/dc/index.ts'
import { fieldOf } from './plain.ts'

const DC = `
  struct Item { uint8 id; string(0-4) label; };
  dclass Avatar {
    int16/10%360 heading; uint8(0-100) health; int64 score; float64(0-1) ratio; string(2-8) name; blob(4) key; Item items[0-2]; uint16 many[]; struct { } nothings[];
    switch (uint8 kind) { case 1: uint8 a; } choice;
    say(string(1-20) text, uint8);
  };`

describe('a TypeError or RangeError says where, what and what to do', () => {
  it.each<[string, unknown, string]>([
    ['health', 101, 'Avatar.health: 101 is outside uint8 (0 to 100). Clamp it, or widen the type in the DC file'],
    ['health', NaN, 'Avatar.health: NaN cannot be packed into uint8. Check the computation that produced it'],
    ['heading', Infinity, 'Avatar.heading: Infinity cannot be packed into int16'],
    ['health', '5', 'Avatar.health: expected a uint8 number, got "5"'],
    ['health', undefined, 'Avatar.health: expected a uint8 number, got undefined'],
    ['score', 2 ** 53, 'Avatar.score: 9007199254740992 is not a safe integer. Pass a bigint'],
    [
      'score',
      1n << 63n,
      'Avatar.score: 9223372036854775808 is outside int64 (-9223372036854775808 to 9223372036854775807)',
    ],
    ['ratio', NaN, 'Avatar.ratio: NaN is outside float64 (0 to 1)'],
    ['name', 'a', 'Avatar.name: 1 bytes is outside string(2-8). Shorten it, or change the size in the DC file'],
    ['name', 7, 'Avatar.name: expected a string, got 7'],
    ['key', [1, 2, 3, 4], 'Avatar.key: expected a Uint8Array, got an array of 4'],
    ['items', {}, 'Avatar.items: expected an array, got an object'],
    ['items', [{}, {}, {}], 'Avatar.items: 3 elements is outside [0-2]'],
    [
      'items',
      [
        { id: 1, label: '' },
        { id: 256, label: '' },
      ],
      'Avatar.items[1].id: 256 is outside uint8 (0 to 255)',
    ],
    ['items', [{ id: 1 }], 'Avatar.items[0].label: expected a value (id, label are needed), got undefined'],
    ['items', [{ id: 1, label: '', lable: '' }], 'Avatar.items[0]: there is no "lable" here, only id, label'],
    ['many', Array(40000).fill(0), 'Avatar.many: 80000 bytes do not fit the 65535'],
    ['nothings', [{}], 'Avatar.nothings: elements of no bytes cannot be counted'],
    ['choice', { kind: 2 }, 'Avatar.choice: no case of switch'],
    ['choice', { kind: 1, a: 1, b: 2 }, 'Avatar.choice: there is no "b" here, only kind, a'],
    ['say', 'hello', 'Avatar.say: expected an object { text, arg1 } or an array in that order, got "hello"'],
    ['say', { text: '', arg1: 1 }, 'Avatar.say.text: 0 bytes is outside string(1-20)'],
    ['say', ['a', 1, 2], 'Avatar.say: there is no "2" here'],
    ['say', null, 'Avatar.say: expected an object'],
  ])('%s <- %o', (name, value, message) => {
    expect(() => packField(fieldOf(DC, 'Avatar', name), value)).toThrow(message)
  })

  it('names the place even when an earlier value failed with the same writer', async () => {
    const { createWriter } = await import('../../src/dc/index.ts')
    const writer = createWriter(),
      items = fieldOf(DC, 'Avatar', 'items')
    expect(() => packField(items, [{ id: -1, label: '' }], writer)).toThrow('Avatar.items[0].id')
    expect(() => packField(items, [{ id: -1, label: '' }], writer)).toThrow(/^Avatar\.items\[0\]\.id:/)
  })
})
