import { expect } from 'vitest'

export { expect }

/** The tests of a page, which our own test of the page runs. */
export const tests: { name: string; run: () => unknown }[] = []

/** What `test` of vitest is to the code of a page. */
export const test = (name: string, run: () => unknown, _timeout?: number): void => void tests.push({ name, run })
