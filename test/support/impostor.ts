export { createImpostor, type Impostor } from '../../src/testing/impostor.ts'
