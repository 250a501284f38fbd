#!/usr/bin/env node
// `npm create bitecs-pipes my-game`: copies the template into a new folder. Asks nothing, installs nothing, and says what to do next.
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const USAGE = `Usage: npm create bitecs-pipes <folder>

  --pipes <version>   the bitecs-pipes to depend on: a version, a range, or file:path.tgz. Default: that of this command
  --help              this text`

/** What npm cannot publish under its own name. */
const RENAMED = { _gitignore: '.gitignore', _dockerignore: '.dockerignore' }

const fail = message => {
  console.error(`${message}\n\n${USAGE}`)
  process.exit(2)
}

const readArguments = () => {
  try {
    return parseArgs({ allowPositionals: true, options: { pipes: { type: 'string' }, help: { type: 'boolean' } } })
  } catch (error) {
    return fail(error.message)
  }
}

/** A folder's name as npm allows it for a package. */
const packageName = folder =>
  basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9._~-]+/g, '-')
    .replace(/^[._-]+|-+$/g, '') || 'my-game'

const main = () => {
  const { values, positionals } = readArguments()
  if (values.help) return console.log(USAGE)
  if (positionals.length !== 1) fail(positionals.length === 0 ? 'Name a folder for the game.' : 'Name one folder.')
  const folder = resolve(positionals[0])
  if (existsSync(folder) && readdirSync(folder).some(name => name !== '.git'))
    fail(`${folder} is not empty: name a new folder.`)

  const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))
  cpSync(new URL('template', import.meta.url), folder, { recursive: true })
  for (const [from, to] of Object.entries(RENAMED)) renameSync(join(folder, from), join(folder, to))
  const file = join(folder, 'package.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8'))
  manifest.name = packageName(folder)
  manifest.dependencies['bitecs-pipes'] = values.pipes ?? `^${version}`
  writeFileSync(file, `${JSON.stringify(manifest, undefined, 2)}\n`)

  const path = relative('', folder)
  console.log(`
  A game in ${folder}:

    ${path ? `cd ${path}\n    ` : ''}npm install
    npm run dev      the server, and a page to open in two windows
    npm test         two players over a bad link, what clients may do, and what they cost
`)
}

main()
