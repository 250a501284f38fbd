import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './setup.mjs'

/** Where `vitest.config.ts` has the JSON report written. */
const file = join(root, 'node_modules/.cache/vitest.json')

/** Forgets the last run, so that a run which dies early is not reported with old numbers. */
export const removeReport = () => rmSync(file, { force: true })

/**
 * The counts of the last run, or `undefined` if it left none. A test file that failed before its first test counts as one
 * failure: vitest itself counts only tests.
 */
export function readReport() {
  let report
  try {
    report = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
  const broken = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some(test => test.status === 'failed'),
  )
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

/** Those counts in one line: `12 passed, 0 failed`. */
export function describeReport() {
  const report = readReport()
  if (!report) return undefined
  const { passed, failed, skipped } = report
  return `${passed} passed, ${failed} failed` + (skipped > 0 ? `, ${skipped} skipped` : '')
}

if (process.argv[1] === import.meta.filename) {
  const line = describeReport()
  if (line) console.log(`Tests: ${line}`)
}
