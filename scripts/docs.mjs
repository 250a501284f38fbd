// `npm run docs` shows the guide while it is written, `npm run docs:build` makes it in docs/.vitepress/dist. The guide has packages
// of its own, which are installed when they are missing.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { dependenciesAreStale, installDependencies, root, run } from './setup.mjs'

const docs = join(root, 'docs')
const [command = 'dev', ...args] = process.argv.slice(2)

installDependencies()
if (dependenciesAreStale('docs')) {
  console.log('Installing what the guide needs (npm ci)')
  const { status } = spawnSync('npm ci --no-audit --no-fund', { cwd: docs, shell: true, stdio: 'inherit' })
  if (status !== 0) throw new Error('`npm ci` in docs failed: its output above says why.')
}
const prepared = await run(process.execPath, [join(docs, 'prepare.mjs')])
// From its own folder: what it looks for, it looks for in the packages there.
const site = () => run(process.execPath, ['node_modules/vitepress/bin/vitepress.js', command, '.', ...args], docs)
process.exitCode = prepared || (await site())
