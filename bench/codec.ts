// Bits and time of the segment codec, on recordings that its tables were not trained on: `node scripts/run.mjs bench/codec.ts`.
import { runBundled } from './bundled.ts'

await runBundled('bench/codec-report.ts')
