// What it costs a server to write one zone, the cubes of "Snapshot Compression", to many clients over links of all sorts: time of encoding, which
// is done once for all that have the same baselines, and of packing, which is done for each client:
// `node scripts/run.mjs bench/codec-clients.ts [--clients 64,256,1024] [--seconds 8]`.
import { runBundled } from './bundled.ts'

await runBundled('bench/codec-clients-report.ts')
