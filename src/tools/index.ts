/** What the Vite plugin, the Node loader and the command line share: `.dc` files on disk. */
export { readFiles } from './read-files.ts'
export { moduleOf } from './module.ts'
export { declarationsOf, keepTypes, staleTypes } from './types-file.ts'
