// `npm run figures`: runs the benchmarks one after the other and writes FIGURES.md, with tables, plots, machine and versions.
//   npm run figures -- --only replication,size   measures some of them, and keeps the others as they were
//   npm run figures -- --draw                    measures nothing: writes the page and the plots anew
//   npm run figures -- --quick --out /tmp/look   short runs, elsewhere: whether all of it works
import { spawn } from 'node:child_process'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, platform, release, tmpdir, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { figures } from '../bench/figures/list.mjs'
import { MARK, page, plotFile, rowsOf, summary } from '../bench/figures/page.mjs'
import { draw } from '../bench/figures/plot.mjs'
import { installDependencies, root } from './setup.mjs'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: figures.map(({ id }) => id).join() },
    draw: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    out: { type: 'string', default: root },
  },
})
const out = resolve(values.out)
const folder = join(out, 'figures')
const chosen = values.only.split(',')
const unknown = chosen.find(id => !figures.some(figure => figure.id === id))
if (unknown !== undefined) {
  console.error(`There is no figure "${unknown}": ${figures.map(({ id }) => id).join(', ')}.`)
  process.exit(2)
}

const PEERS = [
  'bitecs',
  '@colyseus/schema',
  '@geckos.io/server',
  '@geckos.io/snapshot-interpolation',
  '@dimforge/rapier3d-compat',
]

/** `Node 20.20.2, bitecs 0.4.0, ...` */
const versions = () => {
  const packages = PEERS.map(name => {
    const { version } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'))
    return `${name} ${version}`
  })
  return [`Node ${process.versions.node}`, ...packages].join(', ')
}

const machine = () => {
  const [first] = cpus()
  return `${cpus().length} x ${first?.model.trim() ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GB, ${platform()} ${release()}`
}

const commit = () => {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
  } catch {
    return 'an unknown commit'
  }
}

/** Runs a command line; its tables come back as data. */
const measure = async command => {
  const temporary = mkdtempSync(join(tmpdir(), 'bitecs-pipes-figures-'))
  const file = join(temporary, 'tables')
  const child = spawn(command, {
    cwd: root,
    shell: true,
    stdio: 'inherit',
    env: { ...process.env, FIGURES_FILE: file },
  })
  const code = await new Promise(done => child.once('exit', done))
  if (code !== 0) throw new Error(`${command} ended with ${code}`)
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  rmSync(temporary, { recursive: true })
  if (lines.length === 0) throw new Error(`${command} reported no table`)
  return lines.map(line => JSON.parse(line))
}

installDependencies()
mkdirSync(folder, { recursive: true })
for (const figure of values.draw ? [] : figures.filter(({ id }) => chosen.includes(id))) {
  const command = (values.quick && figure.quick) || figure.command
  console.log(`\n▶ ${figure.id}: ${command}`)
  const load = loadavg()[0].toFixed(1)
  const tables = await measure(command)
  const result = {
    command,
    date: new Date().toISOString(),
    commit: commit(),
    machine: machine(),
    versions: versions(),
    load,
    tables,
  }
  writeFileSync(join(folder, `${figure.id}.json`), `${JSON.stringify(result, undefined, 2)}\n`)
}
const results = new Map()
for (const { id, plots = [] } of figures) {
  const file = join(folder, `${id}.json`)
  if (!existsSync(file)) continue
  const result = JSON.parse(readFileSync(file, 'utf8'))
  results.set(id, result)
  plots.forEach((plot, index) => writeFileSync(join(folder, plotFile(id, index)), draw(rowsOf(result, plot), plot)))
}
writeFileSync(join(out, 'FIGURES.md'), page(figures, results))
const readme = join(out, 'README.md')
if (existsSync(readme)) {
  const [before, , after] = readFileSync(readme, 'utf8').split(MARK)
  if (after !== undefined) writeFileSync(readme, [before, `\n${summary(results)}\n`, after].join(MARK))
}
console.log(`\nWritten: ${join(out, 'FIGURES.md')}`)
