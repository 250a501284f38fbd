import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The code block of the README that follows a mention of the file's name. */
export const readmeBlock = async (name: string): Promise<string> => {
  const text = await readFile(`${root}README.md`, 'utf8')
  const at = text.indexOf('`' + name + '`')
  const block = /```\w+\n([\s\S]*?)```/.exec(text.slice(at))
  if (at < 0 || !block) throw new Error(`README.md has no code block for ${name}`)
  return block[1]!
}

/** Writes the README's program into a folder that git ignores; `port` replaces the one in the text. */
export const writeProgram = async (port: number): Promise<string> => {
  const folder = 'test/readme/program/'
  await rm(root + folder, { recursive: true, force: true })
  await mkdir(root + folder, { recursive: true })
  for (const name of ['lobby.dc', 'server.ts', 'client.ts'])
    await writeFile(`${root}${folder}${name}`, (await readmeBlock(name)).replaceAll('9208', String(port)))
  await writeFile(
    `${root}${folder}index.html`,
    '<!doctype html><link rel="icon" href="data:," /><body><script type="module" src="client.ts"></script></body>',
  )
  await writeFile(
    `${root}${folder}tsconfig.json`,
    JSON.stringify({
      extends: '../../../tsconfig.json',
      files: ['server.ts', 'client.ts'],
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
