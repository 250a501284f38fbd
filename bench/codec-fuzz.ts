// Decodes mutated segments of random shapes and states: `node scripts/run.mjs bench/codec-fuzz.ts [count = 1000000] [seed = 1]`.
// Exits with 1 when one of them threw, wrote where it should not, or gave a value out of bounds.
import { runBundled } from './bundled.ts'

await runBundled('bench/codec-fuzz-loop.ts')
