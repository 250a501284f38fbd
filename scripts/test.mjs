// Everything that must hold before a change lands: `npm test`. It needs Node and npm only, and installs the rest.
// `npm test -- test/dc` hands its arguments to vitest and runs nothing else.
import { describeReport, filesToTryAgain, removeReport, secondFile } from './report.mjs'
import { installDependencies, run } from './setup.mjs'

const filters = process.argv.slice(2)
const checks = [
  { name: 'types', command: ['tsc'] },
  { name: 'lint', command: ['oxlint', '--deny-warnings'] },
  { name: 'format', command: ['oxfmt', '--check'] },
  { name: 'build', command: ['npm', 'run', 'build'] },
]
const tests = { name: 'tests', command: ['vitest', 'run', ...filters] }

/** The browser of the end-to-end tests. Chosen tests may not need it, so only a whole run insists on one. */
async function findBrowser() {
  // Imported here: it may use a package that was not installed until now.
  const { ensureChromium } = await import('./chromium.mjs')
  try {
    await ensureChromium()
  } catch (error) {
    if (filters.length === 0) throw error
    console.warn(`No Chromium, so tests in a browser will fail: ${error instanceof Error ? error.message : error}`)
  }
}

/**
 * Tests over real sockets and in real browsers fail now and then on a busy machine. Their files get a second try, alone, and
 * are named in the output; a file that fails twice has failed. All other tests are deterministic and have one try.
 */
async function tryAgain() {
  const files = filesToTryAgain()
  if (files.length === 0) return 1
  console.log(`\n▶ second try, of ${files.join(', ')}`)
  return run('vitest', ['run', '--maxWorkers=1', `--outputFile.json=${secondFile}`, ...files])
}

async function main() {
  removeReport()
  installDependencies()
  await findBrowser()

  const results = []
  for (const { name, command } of filters.length > 0 ? [tests] : [...checks, tests]) {
    const [program = '', ...args] = command
    console.log(`\n▶ ${name}: ${command.join(' ')}`)
    const start = performance.now()
    let code = await run(program, args)
    if (name === tests.name && code === 1 && filters.length === 0) code = await tryAgain()
    results.push({ name, code, seconds: (performance.now() - start) / 1000 })
    if (code === 130) break // Ctrl-C
  }

  console.log()
  for (const { name, code, seconds } of results) {
    const counts = name === tests.name ? `  ${describeReport() ?? 'no report'}` : ''
    console.log(`  ${code === 0 ? '✓' : '✗'} ${name.padEnd(6)} ${seconds.toFixed(1).padStart(6)} s${counts}`)
  }
  process.exitCode = results.every(({ code }) => code === 0) ? 0 : 1
}

main().catch(error => {
  console.error(`\n${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
})
