export { geckos, type GeckosClientOptions } from './net/geckos/client.ts'
