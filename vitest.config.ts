import { defineConfig, mergeConfig } from 'vitest/config'
import { BaseSequencer } from 'vitest/node'
import shared from './vite.config.ts'

const browserTests = ['test/e2e/**/*.test.ts', 'test/readme/**/*.test.ts']
/** All in one process, without sockets, browsers or globals of their own: they can share it, and what it has loaded. */
const PURE = 'codec|dc|link|net|sync|testing|time'
const pureTests = [`test/(${PURE})/**/*.test.ts`]
/** Of those, the ones that replace modules. */
const mockingTests = [
  'test/sync/the-codec-of-the-server-is-loaded-while-connecting.test.ts',
  'test/sync/what-each-tick-looks-at-is-fast.test.ts',
  'test/testing/a-schema-says-what-clients-may-do.test.ts',
]

/** What takes longest goes first, lest it goes on alone when all the others are done. */
const LONGEST = ['every-client-converges', 'a-new-game-starts', 'connecting-and-closing-at-once', 'cheats-leave']
class LongestFirst extends BaseSequencer {
  override async sort(files: Parameters<BaseSequencer['sort']>[0]): ReturnType<BaseSequencer['sort']> {
    const rank = (id: string): number => LONGEST.findIndex(name => id.includes(name)) >>> 0
    return [...(await super.sort(files))].sort((a, b) => rank(a.moduleId) - rank(b.moduleId))
  }
}

export default mergeConfig(
  shared,
  defineConfig({
    test: {
      pool: 'forks',
      maxWorkers: 2,
      sequence: { sequencer: LongestFirst },
      // For what hangs: nothing is measured by this. Real browsers and builds share the machine with everything else.
      testTimeout: 120_000,
      hookTimeout: 60_000,
      reporters: ['default', 'json'],
      outputFile: { json: 'node_modules/.cache/vitest.json' },
      projects: [
        {
          extends: true,
          test: {
            name: 'pure',
            include: pureTests,
            exclude: mockingTests,
            isolate: false,
            sequence: { groupOrder: 1 },
          },
        },
        {
          extends: true,
          test: {
            name: 'core',
            include: [`test/!(${PURE}|e2e|readme)/**/*.test.ts`, ...mockingTests],
            sequence: { groupOrder: 2 },
          },
        },
        // Several pages and a server each: one file at a time, when everything else is done, so that what they say of time holds.
        {
          extends: true,
          test: { name: 'browser', include: browserTests, maxWorkers: 1, sequence: { groupOrder: 3 } },
        },
      ],
    },
  }),
)
