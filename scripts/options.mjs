// `npm run options`: writes OPTIONS.md from the tables that check options and the docstrings of their interfaces.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'vite'
import { DRIFT_OPTIONS } from '../src/net/drift.ts'
import { PLAYOUT_OPTIONS } from '../src/net/playout.ts'
import { CLIENT_OPTIONS } from '../src/systems/client-options.ts'
import { SERVER_OPTIONS } from '../src/systems/server-options.ts'
import { TICK_CLOCK_OPTIONS } from '../src/systems/tick-clock.ts'

/** @typedef {import('../src/net/options.ts').Option} Option */

const root = join(import.meta.dirname, '..')

/** Where options are declared and what is said of each. */
export const INTERFACES = [
  {
    title: '`createServer(world, schema, options)`',
    file: 'src/systems/server-options.ts',
    name: 'ServerOptions',
    table: SERVER_OPTIONS,
  },
  {
    title: '`createClient(world, schema, options)`',
    file: 'src/systems/client-options.ts',
    name: 'ClientOptions',
    table: CLIENT_OPTIONS,
  },
  {
    title: '`playout` of a client, and `createPlayout(options)`',
    file: 'src/net/playout.ts',
    name: 'PlayoutOptions',
    note: 'Of a client: `client.configure({ playout: { ... } })`. A playout of your own has them as fields, which may be written at any time.',
    table: PLAYOUT_OPTIONS,
  },
  {
    title: '`createTickClock(client, options)`',
    file: 'src/systems/tick-clock.ts',
    name: 'TickClockOptions',
    note: '`lead` and `maxTicksPerFrame` are fields of the clock, which may be written at any time.',
    table: Object.fromEntries(Object.entries(TICK_CLOCK_OPTIONS).filter(([name]) => !(name in DRIFT_OPTIONS))),
  },
  {
    title: 'The same in mode `window`, and `createDriftClock(tickRate, options)`',
    file: 'src/net/drift.ts',
    name: 'DriftOptions',
    note: '`clock.drift` has them as fields, which may be written at any time.',
    table: DRIFT_OPTIONS,
  },
]

/** What panda3d-pipes has and we have not, and what is there instead. */
const INSTEAD = {
  ping: 'always on: every packet is a ping, and costs no datagram',
  'report-ping': '`client.stats.ping`, `server.clients.get(id).stats.ping`',
  port: '`geckos({ port })`',
  alternateticks: 'read nowhere there',
  'clockcorrection-msecs': 'read nowhere there',
  'clock-show-debug-info': '`clock.drift` of `createTickClock` has all of it as numbers',
}

/**
 * The docstring of each member of an interface, as one line.
 *
 * @param {string} file relative to the project
 * @param {string} name
 * @returns {Record<string, string>}
 */
export const docstringsOf = (file, name) => {
  const text = readFileSync(join(root, file), 'utf8')
  const { program, comments } = parseSync(file, text)
  const declarations = program.body.map(node => ('declaration' in node && node.declaration) || node)
  const found = declarations.find(node => node.type === 'TSInterfaceDeclaration' && node.id.name === name)
  if (found?.type !== 'TSInterfaceDeclaration') throw new Error(`${file} has no interface ${name}`)
  return Object.fromEntries(
    found.body.body.flatMap(member => {
      if (member.type !== 'TSPropertySignature' || member.key.type !== 'Identifier') return []
      const comment = comments.findLast(({ end }) => end <= member.start && text.slice(end, member.start).trim() === '')
      const lines = comment?.value.split('\n').map(line => line.replace(/^\s*\*\s?/, '').trim()) ?? []
      return [[member.key.name, lines.join(' ').trim()]]
    }),
  )
}

const sentencesOf = text => text.split(/(?<=[.;])\s+(?=[A-Z`0-9])/)
const isAboutSeed = sentence => sentence.startsWith('In panda3d-pipes')

/** How docstrings write a number: `32 KB`, or as it is. */
export const spellings = number => [
  String(number),
  ...(number % 1024 === 0 && number > 0 ? [`${number / 1024} KB`] : []),
]

/** Without what the columns of the table say, and what is said in the table of panda3d-pipes. */
const describe = (text, option) => {
  const said = new Set(['least' in option ? `${option.least}..${option.most}.` : ''])
  if ('default' in option)
    for (const each of [...spellings(option.default), `\`${option.default}\``]) said.add(`Default ${each}.`)
  return sentencesOf(text)
    .filter(sentence => !said.has(sentence) && !isAboutSeed(sentence))
    .join(' ')
    .replace(/\{@link ([\w.]+)\}/g, '`$1`')
    .replaceAll('|', '\\|')
}

/** @param {Option} option */
const rangeOf = option => {
  if ('unit' in option)
    return option.most === Infinity
      ? `from ${option.least} ${option.unit}`
      : `${option.least} to ${option.most} ${option.unit}`
  if (typeof option.type === 'object')
    return [...option.type.map(word => `\`${word}\``), ...(option.orFunction ? ['a function'] : [])].join(' or ')
  return option.bytes ? `${option.type}, at most ${option.bytes} bytes` : option.type
}

/** @param {Option} option */
const defaultOf = option => {
  const value = option.default
  return value === undefined ? '' : value === '' ? 'none' : typeof value === 'number' ? String(value) : `\`${value}\``
}

const tableOf = ({ file, name, table }) => {
  const docstrings = docstringsOf(file, name)
  const hasLive = Object.values(table).some(option => option.live)
  const rows = Object.entries(table).map(([option, rule]) => {
    const live = rule.negotiated ? 'yes, negotiated' : rule.live ? 'yes' : ''
    const cells = [`\`${option}\``, defaultOf(rule), rangeOf(rule), ...(hasLive ? [live] : [])]
    return `| ${[...cells, describe(docstrings[option] ?? '', rule)].join(' | ')} |`
  })
  const head = ['option', 'default', 'range', ...(hasLive ? ['`configure`'] : []), '']
  return [`| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...rows].join('\n')
}

const seedRows = () => {
  const rows = INTERFACES.flatMap(({ title, file, name, table }) => {
    // A client hands its own on.
    if (name === 'PlayoutOptions') return []
    const docstrings = docstringsOf(file, name)
    const where = /`(\w+)/.exec(title)?.[1]
    return Object.entries(table).flatMap(([option, rule]) => {
      if (!rule.seed) return []
      const [variable, value = 'none'] = rule.seed.split(' ')
      const why = sentencesOf(docstrings[option] ?? '')
        .filter(isAboutSeed)
        .join(' ')
      const here = name === 'DriftOptions' ? 'createTickClock' : where
      const own = defaultOf(rule) || (option === 'snapshotHistory' ? '1.6 s of ticks' : '')
      return [`| \`${variable}\` | ${value} | \`${option}\` of \`${here}\` | ${own.replaceAll('`', '')} | ${why} |`]
    })
  })
  const others = Object.entries(INSTEAD).map(([variable, instead]) => `| \`${variable}\` | | | | ${instead} |`)
  return [...rows, ...others].join('\n')
}

/** The page, as it should be. */
export const optionsPage = () => `# Options

Written by \`npm run options\` from the tables in the source that check what is given, and from its docstrings. Every option can be left out but
\`transport\`. What is out of its range, not known, or makes no sense beside another one is an error that says so, when the server or client is made.

\`server.configure({ ... })\` and \`client.configure({ ... })\` change the options that have a *yes*, from that moment on, for those who are there and
those who come; for the others they throw (a function is asked each time, and can change its mind by itself). *Negotiated*: each client asks for its own, and the server grants it within \`minUpdateRate\`,
\`maxUpdateRate\` and its tick rate; \`client.rates\` and, at the server, the client's \`updateRate\`, \`commandRate\` and \`interp\` tell what holds.
\`server.setRates(client, { ... })\` changes it for one client.

${INTERFACES.map(each => `## ${each.title}\n\n${each.note ? `${each.note}\n\n` : ''}${tableOf(each)}`).join('\n\n')}

## Coming from panda3d-pipes

Its variables are written \`pipes-tickrate\`, \`sv-tickrate\` or \`cl_updaterate\`; given as they are, the error names the option. With a fixed
delay (\`interp\` above 0) it is what it is there: the larger one of \`interp\` and \`interpRatio / updateRate\`.

| variable | default there | option | default here | |
|---|---|---|---|---|
${seedRows()}
`

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(join(root, 'OPTIONS.md'), optionsPage())
  console.log('OPTIONS.md is written.')
}
