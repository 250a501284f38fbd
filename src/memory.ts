/** The in-process transport: listen servers, tests and benchmarks, with links of any quality. */
export { memoryNetwork } from './net/memory.ts'
export type { Direction, LinkPair, LinkStats, MemoryNetwork, MemoryNetworkOptions } from './net/memory.ts'
export type { LinkConditions } from './net/conditioner.ts'
