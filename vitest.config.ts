import { defineConfig, mergeConfig } from 'vitest/config'
import shared from './vite.config.ts'

const browserTests = ['test/e2e/**/*.test.ts', 'test/readme/**/*.test.ts']

export default mergeConfig(
  shared,
  defineConfig({
    test: {
      pool: 'forks',
      maxWorkers: 2,
      // For what hangs: nothing is measured by this. Real browsers and builds share the machine with everything else.
      testTimeout: 120_000,
      hookTimeout: 60_000,
      reporters: ['default', 'json'],
      outputFile: { json: 'node_modules/.cache/vitest.json' },
      projects: [
        {
          extends: true,
          test: { name: 'core', include: ['test/**/*.test.ts'], exclude: browserTests, sequence: { groupOrder: 1 } },
        },
        // Several pages and a server each: one file at a time, when everything else is done, so that what they say of time holds.
        {
          extends: true,
          test: { name: 'browser', include: browserTests, maxWorkers: 1, sequence: { groupOrder: 2 } },
        },
      ],
    },
  }),
)
