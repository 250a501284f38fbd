import fc from 'fast-check'
import {
  array,
  blob,
  blob32,
  char,
  dclass,
  field,
  float64,
  int16,
  int16array,
  int32,
  int64,
  int8,
  message,
  molecule,
  otherwise,
  string,
  struct,
  switchOn,
  uint16,
  uint32,
  uint32uint8array,
  uint64,
  uint8,
  when,
  withDefault,
  type Declarations,
  type MemberDeclaration,
  type TypeDeclaration,
} from '../../src/schema.ts'

/** A schema written twice, by hands that know nothing of each other. */
export interface SchemaPair {
  readonly dc: string
  readonly declarations: Declarations
  readonly keywords: readonly string[]
}

const NUMBERS = { int8, int16, int32, int64, uint8, uint16, uint32, uint64, float64, char }
const BITS = {
  int8: 7,
  int16: 15,
  int32: 31,
  int64: 50,
  uint8: 8,
  uint16: 16,
  uint32: 32,
  uint64: 50,
  float64: 40,
  char: 7,
}
type Base = keyof typeof NUMBERS
const CUSTOM = ['interp_linear', 'unreliable', 'shiny']
const KEYWORDS = ['required', 'broadcast', 'ram', 'ownsend', 'clsend', ...CUSTOM]

/** A type both ways, with a way to make default values. */
interface Type {
  readonly ts: TypeDeclaration
  /** Before the name and its brackets. */
  readonly dc: string
  readonly brackets?: string
  /** A value in both writings, or undefined where defaults are not tried. */
  readonly value?: () => { readonly ts: any; readonly dc: string }
}

/** Random schemas: every kind of type, with inheritance, typedefs and defaults. `extra` blanks and comments go into the text. */
export const schemaPairs = fc.gen().map((gen): SchemaPair => {
  const below = (n: number): number => gen(fc.nat, { max: n - 1 })
  const chance = (n: number): boolean => below(n) === 0
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!
  const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i))
  const gap = (): string => pick([' ', ' ', '  ', '\n', ' /* , ; */ ', ' // { \n'])

  let serial = 0
  const declarations: Record<string, TypeDeclaration> = {}
  const named: Type[] = []
  const structs: string[] = []
  const dclasses: { readonly name: string; readonly methods: ReadonlyMap<string, string> }[] = []
  const texts: string[] = []

  const number = (): Type => {
    const base = pick(Object.keys(NUMBERS) as Base[])
    const divisor = base === 'char' || !chance(2) ? 1 : pick([1, 2, 10, 100])
    const top = 2 ** BITS[base] - 1
    const least = base.startsWith('u') || base === 'char' ? 0 : -top
    const scaled = (): number => pick([least, 0, 1, top, Math.floor(top / 2)])
    const options: { divisor?: number; modulus?: number; ranges?: [number, number][] } = {}
    let dc: string = base
    const range = (): [number, number] => {
      const ends = [scaled(), scaled()].sort((a, b) => a - b) as [number, number]
      return [ends[0] / divisor, ends[1] / divisor]
    }
    const decimal = (n: number): string => (Number.isInteger(n) ? String(n) : n.toFixed(2))
    if (divisor !== 1 || chance(6)) {
      options.divisor = divisor
      if (base === 'char') delete options.divisor
      else dc += `/${divisor}`
    }
    const modulus = pick([1, 1.5])
    if (base !== 'char' && modulus * divisor < top / 2 && chance(4)) {
      options.modulus = modulus
      dc += `%${modulus}`
    }
    const legal = chance(3) ? range() : undefined
    if (legal) {
      dc += `(${decimal(legal[0])}${legal[0] === legal[1] ? '' : ` - ${decimal(legal[1])}`})`
      options.ranges = [legal]
    }
    const ts = (NUMBERS[base] as typeof int8)(options)
    // Whether a wrapped value is in the range is not what this is about.
    const value = () => {
      const n = legal ? pick(legal) : pick([0, 1])
      return { ts: n, dc: decimal(n) }
    }
    return { ts, dc, ...((!legal || !options.modulus) && { value }) }
  }

  const sizes = (): { ts: any[]; dc: string; least: number } =>
    pick([
      { ts: [], dc: '', least: 0 },
      { ts: [2], dc: '2', least: 2 },
      { ts: [1, 3], dc: '1-3', least: 1 },
      {
        ts: [
          {
            sizes: [
              [0, 0],
              [2, 5],
            ],
          },
        ],
        dc: '0, 2 - 5',
        least: 0,
      },
    ])

  const bytes = (): Type => {
    const base = pick(['string', 'blob', 'blob32'] as const)
    const { ts, dc, least } = sizes()
    const make = { string, blob, blob32 }[base] as (...args: any[]) => TypeDeclaration
    const text = pick(['ab', '"\\', '\n\u0001', 'é']).slice(0, 2)
    const size = new TextEncoder().encode(text).length
    const fill = least === 2 ? text.length === 2 || size === 2 : least === 1 ? true : dc !== '' ? size === 2 : true
    const escaped = Array.from(new TextEncoder().encode(text), byte => `\\x${byte.toString(16).padStart(2, '0')}`).join(
      '',
    )
    return {
      ts: make(...ts),
      dc: base + (dc && `(${dc})`),
      ...(fill &&
        size === 2 && {
          value: () => ({
            ts: base === 'string' ? text : new TextEncoder().encode(text),
            dc: `'${escaped}'`,
          }),
        }),
    }
  }

  const list = (depth: number): Type => {
    const element = type(depth + 1)
    const { ts, dc, least } = sizes()
    return {
      ts: array(element.ts, ...(ts as [])),
      dc: element.dc,
      brackets: `[${dc}]${element.brackets ?? ''}`,
      ...(element.value && {
        value: () => {
          const values = times(least, element.value!)
          return { ts: values.map(each => each.ts), dc: `[${values.map(each => each.dc).join(',')}]` }
        },
      }),
    }
  }

  /** Parameters with names, as `DC text by name`. */
  const parameters = (depth: number, count: number): { name: string; type: Type; ts: TypeDeclaration; dc: string }[] =>
    times(count, () => {
      const name = `p${serial++}`
      const each = type(depth + 1)
      const value = each.value && chance(4) ? each.value() : undefined
      const inFront = chance(2)
      return {
        name,
        type: each,
        ts: value ? withDefault(each.ts, value.ts) : each.ts,
        dc: `${each.dc}${inFront ? (each.brackets ?? '') : ''} ${name}${inFront ? '' : (each.brackets ?? '')}${value ? ` =${gap()}${value.dc}` : ''}`,
      }
    })
  const record = (list: readonly { name: string; ts: TypeDeclaration }[]) =>
    Object.fromEntries(list.map(({ name, ts }) => [name, ts]))

  const inlineStruct = (depth: number): Type => {
    const parts = parameters(depth, 1 + below(3))
    const valued = parts.every(part => part.type.value)
    return {
      ts: struct(record(parts)),
      dc: `struct {${parts.map(part => `${gap()}${part.dc};`).join('')} }`,
      ...(valued && {
        value: () => {
          const values = parts.map(part => [part.name, part.type.value!()] as const)
          return {
            ts: Object.fromEntries(values.map(([name, each]) => [name, each.ts])),
            dc: `{${values.map(([, each]) => each.dc).join(', ')}}`,
          }
        },
      }),
    }
  }

  const choice = (depth: number, name = ''): Type => {
    const groups = chance(2) ? [[1], [2, 3]] : [[7, 0]]
    // Never two cases of the same shape, which the type generator writes as one.
    const branches = groups.map((values, i) => ({ values, parts: parameters(depth, below(3 - i) + Number(i === 0)) }))
    const rest = chance(2) ? parameters(depth, below(2)) : undefined
    const cases = [
      ...branches.map(({ values, parts }) => when(values.length === 1 ? values[0] : values, record(parts))),
      ...(rest ? [otherwise(record(rest))] : []),
    ]
    const body = [
      ...branches.map(({ values, parts }) => [
        ...values.map(value => `case ${value}:`),
        ...parts.map(part => `${part.dc};`),
        'break;',
      ]),
      ...(rest ? [['default:', ...rest.map(part => `${part.dc};`)]] : []),
    ]
    return {
      ts: switchOn({ key: uint8() }, ...cases),
      dc: `switch ${name} (uint8 key) {${body
        .flat()
        .map(line => gap() + line)
        .join('')} }`,
    }
  }

  function type(depth = 0): Type {
    const roll = below(depth > 2 ? 4 : 10)
    if (roll < 2) return number()
    if (roll < 3) return bytes()
    if (roll < 4) {
      return named.length
        ? pick(named)
        : pick<Type>([
            { ts: int16array({ divisor: 10 }), dc: 'int16array/10' },
            { ts: uint32uint8array(), dc: 'uint32uint8array' },
          ])
    }
    if (roll < 6) return list(depth)
    if (roll < 8) return inlineStruct(depth)
    if (roll < 9) return choice(depth)
    return number()
  }

  const keywordsOf = (): string[] => [...new Set(times(below(4), () => pick(KEYWORDS)))]

  const body = (isStruct: boolean, inheritedMethods: ReadonlyMap<string, string>) => {
    const members: Record<string, MemberDeclaration> = {}
    const lines: string[] = []
    const methods = new Map(inheritedMethods)
    for (const [i, part] of parameters(0, below(5)).entries()) {
      const keywords = isStruct ? [] : keywordsOf()
      members[part.name] = isStruct || (i % 2 && !keywords.length) ? part.ts : field(part.ts, ...keywords)
      lines.push([part.dc, ...keywords].join(' '))
    }
    for (let i = below(3); i > 0; i--) {
      const name = `m${serial++}`
      const keywords = isStruct ? [] : keywordsOf()
      const arguments_ = parameters(0, below(4))
      members[name] = message(record(arguments_), ...keywords)
      lines.push([`${name}(${arguments_.map(part => part.dc).join(', ')})`, ...keywords].join(' '))
      methods.set(name, [...keywords].sort().join(' '))
    }
    const [first] = methods
    if (first && !isStruct && chance(2)) {
      const same = [...methods].filter(([, keywords]) => keywords === first[1]).map(([name]) => name)
      const name = `x${serial++}`
      members[name] = molecule(...(same as [string]))
      lines.push(`${name} : ${same.join(', ')}`)
    }
    return { members, text: `{${lines.map(line => `${gap()}${line};`).join('')}${gap()}}`, methods }
  }

  for (let i = below(7) + 1; i > 0; i--) {
    const name = `D${serial++}`
    const kind = below(6)
    if (kind === 0) {
      const each = type()
      // A named struct or switch is declared as one.
      if (each.ts.kind === 'class' || each.ts.kind === 'switch') continue
      const value = each.value && chance(2) ? each.value() : undefined
      declarations[name] = value ? withDefault(each.ts, value.ts) : each.ts
      // Naming a type that has a name already would be an alias, which declarations have no word for.
      if (Object.values(declarations).indexOf(declarations[name]) < Object.keys(declarations).length - 1) {
        delete declarations[name]
        continue
      }
      texts.push(`typedef ${each.dc} ${name}${each.brackets ?? ''}${value ? ` = ${value.dc}` : ''};`)
    } else if (kind === 1) {
      const each = choice(0, name)
      declarations[name] = each.ts
      texts.push(`${each.dc};`)
    } else if (kind === 2) {
      const { members, text } = body(true, new Map())
      const parent = structs.length && chance(3) ? pick(structs) : undefined
      declarations[name] = parent ? struct(declarations[parent] as any, members as any) : struct(members)
      texts.push(`struct ${name}${parent ? ` : ${parent}` : ''} ${text}${pick([';', ''])}`)
      structs.push(name)
    } else {
      const parents = dclasses.length && chance(2) ? [...new Set([pick(dclasses), pick(dclasses)])] : []
      const inherited = new Map(parents.flatMap(parent => [...parent.methods]))
      const { members, text, methods } = body(false, inherited)
      const bases = parents.map(parent => declarations[parent.name]) as any[]
      declarations[name] =
        bases.length === 1 ? dclass(bases[0], members) : bases.length ? dclass(bases as any, members) : dclass(members)
      texts.push(`dclass ${name}${parents.length ? ` : ${parents.map(each => each.name).join(', ')}` : ''} ${text};`)
      dclasses.push({ name, methods })
      continue
    }
    named.push({ ts: declarations[name]!, dc: name })
  }
  return { dc: `keyword ${CUSTOM.join(' ')};\n${texts.join(gap())}`, declarations, keywords: CUSTOM }
})
