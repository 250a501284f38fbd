import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createWorld } from 'bitecs'
import { createClient } from 'bitecs-pipes/client'
import { memoryNetwork } from 'bitecs-pipes/memory'
import { createSchema, createServer } from 'bitecs-pipes/server'
import { expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { runPipes } from '../../src/cli/program.ts'
import { entries } from '../../vite.config.ts'
import { blocksOf, proseOf, readPages, root, type Block } from './support/blocks.ts'

// What is no program cannot be run: commands, configurations, links and names in the text are looked up.

const pages = readPages()
const all = [...pages].flatMap(([page, text]) => blocksOf(page, text))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const at = ({ page, line }: Block) => `docs/${page}.md:${line}`

/** Documents of the root that are pages of the site. */
const documents = new Set(JSON.parse(read('docs/documents.json')).map(([file]: string[]) => file))

/** The anchor of a heading, as VitePress makes it. */
const slug = (heading: string) =>
  heading
    .replace(/`/g, '')
    .replace(/[\s~!@#$%^&*()\-_+=[\]{}|\\;:"'“”‘’<>,.?/]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .replace(/^(\d)/, '_$1')
    .toLowerCase()

const anchorsOf = (text: string) => [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => slug(heading!))

test('every link leads to a page, and to a heading that it has', () => {
  const wrong: string[] = []
  for (const [page, text] of pages)
    for (const [, target] of proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target!)) continue
      const [path, anchor] = target!.split('#')
      const file = path ? new URL(path, `file:///docs/${page}`).pathname.slice(1) : `docs/${page}.md`
      const name = /^docs\/(.*)\.md$/.exec(file)?.[1]
      const document = documents.has(file) && existsSync(join(root, file)) ? read(file) : undefined
      const there = name === undefined ? document : pages.get(name)
      if (there === undefined || (anchor && !anchorsOf(there).includes(anchor))) wrong.push(`${page}: ${target}`)
    }
  expect(wrong).toEqual([])
})

test('every page is in the menu, and every entry of the menu is a page', () => {
  const menu = [...read('docs/.vitepress/config.ts').matchAll(/page\('[^']+', '\/([^']*)'\)/g)].map(([, link]) => link!)
  const names = menu.map(link => (link === '' || link.endsWith('/') ? `${link}index` : link))
  expect(names.sort()).toEqual([...pages.keys()].filter(name => name !== 'index').sort())
})

test('every drawing is there and is shown', () => {
  const shown = [...pages.values()].flatMap(text =>
    [...text.matchAll(/<Figure name="([\w-]+)"/g)].map(([, name]) => name),
  )
  const drawn = readdirSync(join(root, 'docs/figures')).map(name => name.replace('.svg', ''))
  expect([...new Set(shown)].sort()).toEqual(drawn.sort())
})

/** What the command line says of itself. */
const helpOf = async (words: readonly string[]): Promise<string | undefined> => {
  let text = ''
  const out = (line: string) => void (text += line)
  const terminal = { out, error: out, readInput: async () => '', isColoured: false, cwd: root }
  return (await runPipes([...words, '--help'], terminal as any, '0')) === 0 ? text : undefined
}

const complainOfPipes = async (words: readonly string[]): Promise<string | undefined> => {
  const help = await helpOf(words.filter(word => !word.startsWith('-')).slice(0, 2))
  if (help === undefined) return `no command ${words.join(' ')}`
  return words.find(word => word.startsWith('--') && !help.includes(word))
}

/** Why a shell command cannot be right; undefined when nothing speaks against it. */
const complaint = async (command: string): Promise<string | undefined> => {
  const words = command.replace(/#.*$/, '').trim().split(/\s+/)
  const [program, verb, name = ''] = words
  const packages = { ...manifest.devDependencies, ...manifest.peerDependencies, ...manifest.dependencies }
  const isPackage = (word: string) => word.startsWith('-') || word === 'bitecs-pipes' || word in packages
  const exists = (path: string) => (existsSync(join(root, path)) ? undefined : `no ${path}`)
  switch (`${program} ${verb}`) {
    case 'npm run':
      return name in manifest.scripts ? undefined : `no script ${name}`
    case 'npm install':
      return words.slice(2).find(word => !isPackage(word))
    case 'npm create':
      return exists('create/package.json')
    case 'npx pipes':
    case 'npx bitecs-pipes':
      return complainOfPipes(words.slice(2))
    case 'node scripts/run.mjs':
      return exists(name)
    case 'node --import':
      return exists(`src/${name.replace('bitecs-pipes/', '')}.ts`)
    case 'npm test':
    case 'npx vite':
    case 'docker build':
    case 'docker run':
    case 'node dist/server/server.js':
      return undefined
    default:
      return `unknown: ${command}`
  }
}

test('commands, in blocks and in the text, are of scripts, files and packages that exist', async () => {
  const commands = all.filter(({ language }) => language === 'sh').flatMap(({ text }) => text.trim().split(/\n| && /))
  for (const text of pages.values()) {
    const prose = text.replace(/^```[\s\S]*?^```/gm, '')
    commands.push(...[...prose.matchAll(/`((?:npm|npx|node|docker) [^`]+)`/g)].map(([, command]) => command!))
  }
  expect(commands.length).toBeGreaterThan(10)
  const wrong = await Promise.all(commands.map(async command => [command, await complaint(command)]))
  expect(wrong.filter(([, why]) => why)).toEqual([])
  const paths = [...pages.values()].flatMap(text =>
    [...text.matchAll(/`((?:examples|bench|src|scripts|test)\/[\w./-]+)`/g)].map(([, path]) => path!),
  )
  expect(paths.filter(path => !existsSync(join(root, path)))).toEqual([])
})

test('configurations are whole, and of the ports and files of their page', () => {
  const known = ['ts', 'js', 'dc', 'sh', 'json', 'html', 'nginx', 'caddy', 'dockerfile']
  expect(all.filter(({ language }) => !known.includes(language)).map(at)).toEqual([])
  for (const block of all) {
    const { language, text, page } = block
    const code = all.filter(other => other.page === page && other.language === 'ts')
    const named = code.map(({ text: each }) => each).join('\n')
    if (language === 'json') expect(() => JSON.parse(text), at(block)).not.toThrow()
    if (language === 'html')
      for (const [, file] of text.matchAll(/src="([^"]+)"/g))
        expect(
          code.map(({ name }) => name),
          at(block),
        ).toContain(file)
    if (language === 'nginx' || language === 'caddy') {
      expect(text.split('{').length, at(block)).toBe(text.split('}').length)
      for (const [, port] of text.matchAll(/127\.0\.0\.1:(\d+)/g)) expect(named, at(block)).toContain(`port: ${port}`)
      for (const [, path] of text.matchAll(/(?:location|handle_path) (\/\w+)/g))
        expect(named, at(block)).toContain(`path: '${path}'`)
    }
    if (language === 'dockerfile') {
      const [, file] = /CMD \["node", "(.*)"\]/.exec(text)!
      expect(text, at(block)).toContain(`--outDir ${file!.replace(/\/[^/]+$/, '')} `)
      for (const [, port] of text.matchAll(/EXPOSE (\d+) (?:\d+)/g)) expect(named, at(block)).toContain(`port: ${port}`)
    }
  }
})

test('what the text calls on server and client is there', () => {
  const schema = createSchema('dclass Any {};')
  const { server: transport, client: connect } = memoryNetwork()
  const ends: Record<string, object> = {
    server: createServer(createWorld(), schema, { transport }),
    client: createClient(createWorld(), schema, { transport: connect() }),
  }
  const wrong: string[] = []
  for (const [page, text] of [...pages, ['llms.txt', read('llms.txt')] as const])
    for (const [, span] of text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`\n]+)`/g))
      for (const [, end = '', member = ''] of span!.matchAll(/(?<![\w/.:-])(server|client)\.(?!ts\b|js\b)(\w+)/g)) {
        // Of the server's clients too: both are called `client`.
        const ofServer = ['id', 'data', 'authorization', 'identity', 'violations', 'stats', 'zones', 'send', 'on']
        if (!(member in ends[end]!) && !(end === 'client' && ofServer.includes(member))) wrong.push(`${page}: ${span}`)
      }
  expect(wrong).toEqual([])
})

test('llms.txt names imports, exports and files that exist', async () => {
  const text = read('llms.txt')
  for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) expect(existsSync(join(root, target!)), target).toBe(true)
  const imports = [...text.matchAll(/`(bitecs-pipes(?:\/[a-z]+)*|\/geckos\/client)`(?: \(([^)]*)\))?/g)]
  expect(imports.length).toBeGreaterThan(8)
  for (const [, name, list = ''] of imports) {
    const entry = name!.startsWith('/') ? `bitecs-pipes${name}` : name!
    const file = entries[entry as keyof typeof entries]
    expect(file, entry).toBeDefined()
    if (/register|vite|node$|\/server$/.test(entry) && entry.includes('geckos')) continue
    if (!list) continue
    const exported = await import(join(root, file))
    for (const each of list.split(', ')) expect(Object.keys(exported), `${entry}: ${each}`).toContain(each)
  }
})

test('errors that are quoted read so in the source', () => {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  // As TypeScript writes them: escaped backticks, and texts that go on in the next line.
  const code = sources
    .filter(name => name.endsWith('.ts'))
    .map(name => read(`src/${name}`))
    .join('\n')
    .replace(/\\`/g, '`')
    .replace(/['`] \+\n\s*['`]/g, '')
  const table = pages.get('troubleshooting')!.split('## Errors and what they mean')[1]!.split('What `onError`')[0]!
  const quoted = [...table.matchAll(/^\| (`{1,2}) ?(.*?) ?\1 \|/gm)].map(([, , text]) => text!)
  expect(quoted.length).toBeGreaterThan(8)
  const literally = (text: string) => text.trim().replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const isThere = (text: string) => new RegExp(text.split('...').map(literally).join('[^\\n]*')).test(code)
  expect(quoted.filter(text => !isThere(text))).toEqual([])
})
