/**
 * A schema in plain TypeScript instead of a `.dc` file, with all types inferred:
 *
 *     const Vec2 = struct({ x: int16({ divisor: 10 }), y: int16({ divisor: 10 }) })
 *     const Avatar = dclass({ position: field(Vec2, 'broadcast', 'ram'), say: message({ text: string(1, 200) }, 'ownsend') })
 *     export const schema = defineSchema({ Vec2, Avatar })
 */
import { declarationText, type DeclarationOptions, type Declarations } from './dc/index.ts'

export { defineSchema, type DClassesOf, type DClassOf, type Schema } from './components/index.ts'
export {
  array,
  blob,
  blob32,
  bool,
  char,
  dclass,
  doId,
  field,
  float16,
  float32,
  float64,
  int16,
  int16array,
  int32,
  int32array,
  int64,
  int8,
  int8array,
  message,
  molecule,
  otherwise,
  quat32,
  quat48,
  string,
  struct,
  switchOn,
  uint16,
  uint16array,
  uint32,
  uint32array,
  uint32uint8array,
  uint64,
  uint8,
  uint8array,
  when,
  withDefault,
} from './dc/declare.ts'
export type {
  ArgumentsOf,
  ColumnsOf,
  DClassDeclaration,
  DeclarationOptions,
  Declarations,
  FieldDeclaration,
  Keyword,
  MemberDeclaration,
  MessageDeclaration,
  Quaternion,
  StructDeclaration,
  TypeDeclaration,
  ValueOf,
} from './dc/index.ts'

/** The declarations as a `.dc` file, for Panda3D or for `pipes dc`. Throws a `TypeError` for what is no declaration. */
export const toDC = (declarations: Declarations, options?: DeclarationOptions): string =>
  declarationText(declarations, options).text
