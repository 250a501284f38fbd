// How benchmarks tell their results: tables on the console, and for `npm run figures` the same rows as data.
import { appendFileSync } from 'node:fs'

/**
 * Prints rows as a table under a title. With FIGURES_FILE in the environment they are appended to that file too, one JSON object a line:
 * `{ title, rows }`.
 *
 * @param {string} title what is measured, and how
 * @param {readonly object[]} rows the same keys in each, in the order of the columns, units in the keys
 */
export const report = (title, rows) => {
  console.log(`\n${title}`)
  console.table(rows)
  const file = process.env.FIGURES_FILE
  if (file) appendFileSync(file, `${JSON.stringify({ title, rows })}\n`)
}
