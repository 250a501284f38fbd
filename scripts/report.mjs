import { readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { root } from './setup.mjs'

/** Where `vitest.config.ts` has the JSON report written, and where that of a second try goes. */
const file = join(root, 'node_modules/.cache/vitest.json')
export const secondFile = join(root, 'node_modules/.cache/vitest-second.json')

/** Folders whose tests open sockets and browsers, and so depend on what else the machine does. */
const REAL = ['test/docs/', 'test/e2e/', 'test/geckos/', 'test/package/', 'test/readme/', 'test/vite/']
/** More failed files than that are no accident. */
const MAX_AGAIN = 3

/** Forgets the last run, so that a run which dies early is not reported with old numbers. */
export const removeReport = () => {
  for (const each of [file, secondFile]) rmSync(each, { force: true })
}

const read = path => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).testResults
  } catch {
    return undefined
  }
}

const isFailed = ({ status }) => status === 'failed'

/** Test files of the last run that failed and may be run a second time, alone; none if any other failed as well. */
export function filesToTryAgain() {
  const failed = (read(file) ?? []).filter(isFailed).map(({ name }) => relative(root, name).replaceAll('\\', '/'))
  const areReal = failed.every(name => REAL.some(folder => name.startsWith(folder)))
  return areReal && failed.length <= MAX_AGAIN ? failed : []
}

/**
 * The counts of the last run, or `undefined` if it left none; a file that was run again counts as it ended then. A test
 * file that failed before its first test counts as one failure: vitest itself counts only tests.
 */
export function readReport() {
  const first = read(file)
  if (!first) return undefined
  const second = new Map((read(secondFile) ?? []).map(result => [result.name, result]))
  const counts = { passed: 0, failed: 0, skipped: 0, again: [] }
  for (const { name } of first.filter(isFailed)) if (second.has(name)) counts.again.push(relative(root, name))
  for (const result of first) {
    const { status, assertionResults } = second.get(result.name) ?? result
    const failed = assertionResults.filter(isFailed).length
    counts.passed += assertionResults.filter(test => test.status === 'passed').length
    counts.failed += status === 'failed' ? Math.max(1, failed) : failed
    counts.skipped += assertionResults.filter(test => !['passed', 'failed'].includes(test.status)).length
  }
  return counts
}

/** Those counts in one line: `12 passed, 0 failed`. */
export function describeReport() {
  const report = readReport()
  if (!report) return undefined
  const { passed, failed, skipped } = report
  return `${passed} passed, ${failed} failed` + (skipped > 0 ? `, ${skipped} skipped` : '')
}

if (process.argv[1] === import.meta.filename) {
  const again = readReport()?.again ?? []
  if (again.length > 0) console.log(`Run a second time after a failure: ${again.join(', ')}`)
  const line = describeReport()
  if (line) console.log(`Tests: ${line}`)
}
