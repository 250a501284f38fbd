import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The first code block of the README behind these words. */
export const readmeBlock = async (name: string): Promise<string> => {
  const text = await readFile(`${root}README.md`, 'utf8')
  const at = text.indexOf(name)
  const block = /```\w+\n([\s\S]*?)```/.exec(text.slice(at))
  if (at < 0 || !block) throw new Error(`README.md has no code block for ${name}`)
  return block[1]!
}

/** Where in the README each file stands. */
const PLACES: Record<string, string> = {
  'lobby.dc': 'Declare what is shared, in `lobby.dc`',
  'server.ts': 'The server, `server.ts`',
  'client.ts': 'The page, `client.ts`',
  'memory.ts': '## Without a network',
  'listen.ts': '### A host that plays too',
  'testing.ts': '## Testing your game',
}

/** What the README's tests import: a game's own. They run in `test/testing/a-game-has-a-budget.test.ts`. */
const MY_GAME = `import type { Game } from 'bitecs-pipes/testing'
export const schema = 'dclass Rock { uint8 size; };'
export const bots: NonNullable<Game['bots']> = {}
export const rules: NonNullable<Game['rules']> = {}
`

/** Writes the README's program into a folder that git ignores; `port` replaces the one in the text. */
export const writeProgram = async (port: number): Promise<string> => {
  const folder = 'test/readme/program/'
  await rm(root + folder, { recursive: true, force: true })
  await mkdir(root + folder, { recursive: true })
  for (const name of Object.keys(PLACES))
    await writeFile(`${root}${folder}${name}`, (await readmeBlock(PLACES[name]!)).replaceAll('9208', String(port)))
  await writeFile(`${root}${folder}my-game.ts`, MY_GAME)
  await writeFile(
    `${root}${folder}index.html`,
    '<!doctype html><link rel="icon" href="data:," /><body><script type="module" src="client.ts"></script></body>',
  )
  await writeFile(
    `${root}${folder}tsconfig.json`,
    JSON.stringify({
      extends: '../../../tsconfig.json',
      files: Object.keys(PLACES).filter(name => name.endsWith('.ts')),
      include: [],
      compilerOptions: { paths: await pathsFrom(root) },
    }),
  )
  return folder
}

/** The project's path aliases, seen from the folder of the program. */
const pathsFrom = async (folder: string): Promise<Record<string, string[]>> => {
  const { compilerOptions } = JSON.parse(await readFile(`${folder}tsconfig.json`, 'utf8'))
  return Object.fromEntries(
    Object.entries<string[]>(compilerOptions.paths).map(([name, [path]]) => [name, [path!.replace('./', '../../../')]]),
  )
}
