/** A generator of numbers below `n`, the same for the same seed (mulberry32). */
export function random(seed: number): (n: number) => number {
  let state = seed >>> 0
  return n => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n)
  }
}

const TYPES = [
  'uint8',
  'int8 = -1',
  'uint16',
  'uint32',
  'int16/10',
  'int16%360/10',
  'uint8(0-100) = 100',
  'int32/1000(-4000 - 4000)',
  'string(0-256)',
  'string = "none"',
  'blob = [0 * 14]',
  'uint8[] = [0 * 7, 1, 0 * 6]',
  'uint32array',
  'uint64',
  'float64',
  'char [0-32]',
  'Pair',
  'Pair [] = []',
  'uint16/100 [6] = [0 * 6]',
  'Level',
]
const KEYWORDS = [
  'broadcast ram',
  'required broadcast ram',
  'clsend airecv',
  'required ownrecv db',
  'ownsend broadcast',
  '',
]

/**
 * A DC text of about so many lines, in the manner of the schemas of large games: imports, typedefs, structs, and classes that
 * inherit, each with methods, parameters, molecules, defaults and comments.
 */
export function largeText(lines: number, seed = 1): string {
  const next = random(seed)
  const out = [
    'keyword unreliable interp_linear;',
    'typedef uint8(1-9) Level = 3;',
    'struct Pair { int16 a; int16 b; };',
  ]
  for (let i = 0; i < lines / 12; i++) out.push(`from game.part${i % 7} import Thing${i}/AI/OV`)
  const classes: string[] = []
  for (let id = 0; out.length < lines; id++) {
    if (id % 5 === 4) {
      out.push('', `// Data of thing ${id}.`, `struct Data${id} {`)
      for (let i = next(8); i >= 0; i--) out.push(`  ${type(next, `value${i}`)};`)
      out.push(
        `  Pair pairs${id}[];`,
        `  switch (uint8 kind) {`,
        '  case 1:',
        '    string text;',
        '    break;',
        '  default:',
      )
      out.push('    uint16 number;', '  } choice;', '};')
      continue
    }
    const name = `Thing${id}`
    const bases = [
      ...new Set(Array.from({ length: classes.length ? next(3) : 0 }, () => classes[next(classes.length)]!)),
    ]
    out.push('', '/* A kind of thing. */', `dclass ${name}${bases.length ? ` : ${bases.join(', ')}` : ''} {`)
    out.push(`  int32/1000 place${id} broadcast ram interp_linear; // metres`)
    for (const axis of 'XYZ')
      out.push(`  set${axis}${id}(int16/10 ${axis.toLowerCase()}) broadcast ram ownsend airecv;`)
    out.push(`  setPos${id} : setX${id}, setY${id}, setZ${id};`)
    for (let i = next(18); i >= 0; i--) {
      const parameters = Array.from({ length: next(6) }, (_, at) => type(next, next(2) ? `value${at}` : ''))
      out.push(`  method${id}_${i}(${parameters.join(', ')}) ${KEYWORDS[next(KEYWORDS.length)]};`)
    }
    out.push('};')
    classes.push(name)
  }
  return out.join('\n') + '\n'
}

/** A parameter: the name goes behind the type, before the default. */
function type(next: (n: number) => number, name: string): string {
  const [text, value] = TYPES[next(TYPES.length)]!.split(' = ') as [string, string?]
  return text + (name && ` ${name}`) + (value ? ` = ${value}` : '')
}
