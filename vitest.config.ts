import { defineConfig, mergeConfig } from 'vitest/config'
import shared from './vite.config.ts'

export default mergeConfig(
  shared,
  defineConfig({
    test: {
      include: ['test/**/*.test.ts'],
      pool: 'forks',
      maxWorkers: 2,
      // Real browsers and builds share the machine with everything else.
      testTimeout: 30_000,
      hookTimeout: 60_000,
      reporters: ['default', 'json'],
      outputFile: { json: 'node_modules/.cache/vitest.json' },
    },
  }),
)
