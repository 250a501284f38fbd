import {
  declarationText,
  parseDC,
  type ArgumentsOf,
  type DCFile,
  type DClassDeclaration,
  type DeclarationOptions,
  type Declarations,
  type MemberColumns,
  type MembersOf,
  type MessageDeclaration,
  type MoleculeArguments,
  type MoleculeDeclaration,
} from '../dc/index.ts'
import { schemaOf, type DClass, type Message, type Schema, type SchemaOptions } from './schema.ts'

/** The component of a dclass with these members. */
export type DClassOf<F> = DClass & {
  readonly [K in keyof F]: F[K] extends MessageDeclaration<infer P>
    ? Message<ArgumentsOf<P>>
    : F[K] extends MoleculeDeclaration<infer Names>
      ? Message<{ [N in keyof MoleculeArguments<Names, F>]: MoleculeArguments<Names, F>[N] }>
      : MemberColumns<F[K]>
}

/** The components of declarations: one for each dclass. */
export type DClassesOf<D> = {
  readonly [K in keyof D as D[K] extends DClassDeclaration ? K : never]: DClassOf<MembersOf<D[K]>>
}

/**
 * The file that declarations stand for. Throws a `TypeError` that names the declaration, or a `SyntaxError` that lists
 * what DC does not allow, by class and field.
 */
export const fileOf = (declarations: Declarations, options?: DeclarationOptions): DCFile => {
  const { text, places } = declarationText(declarations, options)
  const { file, errors } = parseDC(text)
  if (errors.length === 0) return file
  const lines = text.split('\n')
  const list = errors.slice(0, 20).map(({ line, message }) => {
    // An error may be found at the line behind the one that it is about.
    const at = Math.min(line - 1, places.length - 1)
    return `  ${places[at]}: ${message}, in \`${lines[at]!.trim()}\``
  })
  throw new SyntaxError(
    `The schema has ${errors.length === 1 ? 'an error' : `${errors.length} errors`}:\n${list.join('\n')}`,
  )
}

/**
 * Makes the components of a schema declared in TypeScript:
 * `defineSchema({ Vec2: struct({ x: int16(), y: int16() }), Avatar: dclass({ ... }) })`. Field numbers follow the order of the
 * declarations; hash and bytes are those of the same schema as a `.dc` file.
 */
export const defineSchema = <const D extends Declarations>(
  declarations: D,
  options: SchemaOptions & DeclarationOptions = {},
): Schema<DClassesOf<D>> => schemaOf(fileOf(declarations, options), options)
