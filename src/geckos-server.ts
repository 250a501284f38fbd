export { geckos, type GeckosServerTransport } from './net/geckos/server.ts'
export type { GeckosServerOptions, IceServer } from './net/geckos/options.ts'
export type { GeckosStats } from './net/geckos/stats.ts'
