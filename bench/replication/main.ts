import { compare } from './compare.ts'
import { growth } from './growth.ts'

// npm run bench:replication [-- options]: beside other libraries. npm run bench:replication -- growth [options]: how it grows.
const [first, ...rest] = process.argv.slice(2)
await (first === 'growth' ? growth(rest) : compare(process.argv.slice(2)))
process.exit(0)
