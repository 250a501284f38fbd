// Compiles the segment encoder that servers run: `npm run wasm` writes src/net/codec/wasm/bytes.ts from encode.as.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../src/net/codec/wasm/', import.meta.url))
/** AssemblyScript under a name of its own: it is no TypeScript, and the tools for that leave it alone. */
const SOURCE = 'encode.as'
const OPTIONS = ['--runtime', 'stub', '--optimizeLevel', '3', '--shrinkLevel', '0', '--noAssert', '--importMemory']

/** The TypeScript module that holds the compiled bytes; throws with the compiler's messages when there is something wrong. */
export const compileEncoder = async () => {
  const { default: asc } = await import('assemblyscript/asc')
  let binary
  const { error, stderr } = await asc.main(['encode.ts', '--outFile', 'encoder.wasm', ...OPTIONS], {
    readFile: name => (name === 'encode.ts' ? readFileSync(join(folder, SOURCE), 'utf8') : null),
    writeFile: (_, contents) => void (binary = contents),
    listFiles: () => [],
  })
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`)
  const lines = Buffer.from(binary)
    .toString('base64')
    .match(/.{1,110}/g)
  return `// Made by \`npm run wasm\` from ${SOURCE}: not to be edited.
/** The compiled encoder, in base64. */
export const ENCODER =
  ${lines.map(line => `'${line}'`).join(' +\n  ')}
`
}

export const FILE = join(folder, 'bytes.ts')

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(FILE, await compileEncoder())
  console.log(`${FILE} is new.`)
}
