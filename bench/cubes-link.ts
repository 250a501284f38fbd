// What the cubes of "Snapshot Compression" cost end to end, with real packets and acknowledgements:
// `node scripts/run.mjs bench/cubes-link.ts [--clients 16] [--lag 0.048] [--loss 0.01] [--seeds 3,4] [--bits 9]`.
import { runBundled } from './bundled.ts'

await runBundled('bench/cubes-link-report.ts')
