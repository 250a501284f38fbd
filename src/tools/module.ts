import { compileDC, type DCFile } from '../dc/index.ts'

/**
 * The JavaScript module that a `.dc` import is: one export per dclass, the schema as default. It carries the compiled schema,
 * so a page needs no parser.
 */
export const moduleOf = (file: DCFile, capacity?: number): string => {
  const names = file.classes.filter(dclass => !dclass.isStruct && !dclass.isPlaceholder).map(dclass => dclass.name)
  // Names may be JavaScript's reserved words; as export names these are legal.
  const locals = names.map((dclass, index) => `const $${index} = schema.dclasses[${JSON.stringify(dclass)}]`)
  const exported = names.map((dclass, index) => `$${index} as ${dclass}`)
  return [
    `import { loadSchema } from 'bitecs-pipes'`,
    `const schema = loadSchema(${JSON.stringify(compileDC(file))}, ${JSON.stringify({ capacity })})`,
    ...locals,
    `export { ${exported.join(', ')} }`,
    'export default schema',
    '',
  ].join('\n')
}
