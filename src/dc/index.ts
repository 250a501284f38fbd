/** The DC language: text in, a model out; values to bytes and back. Pure text and bytes: nothing here does I/O. */
export type * from './model.ts'
export { fieldByName, fixedByteSize, isBig } from './model.ts'
export { parseDC, type ParseOptions, type ParseResult } from './parser.ts'
export { compileDC, loadDC } from './compiled.ts'
export { hashFile } from './hash.ts'
export { defaultValue, packDefault, packField, packFieldSlowly, packType } from './packer.ts'
export { createWriter, type Writer } from './writer.ts'
export {
  createReader,
  initialValue,
  unpackField,
  unpackType,
  type Reader,
  type UnpackFailure,
  type Unpacked,
  type UnpackOptions,
} from './unpacker.ts'
export { dequantise, inRange, LIMITS, quantise, type Limits, type Path } from './number.ts'
export { caseMembers, memberKeys, membersOf, type Member } from './members.ts'
export { formatError, formatErrors, nearest } from './errors.ts'
export { packText, type PackedText } from './text-value.ts'
export { columnReader, type ColumnReader, type NumberArray, type ReadColumns } from './column-reader.ts'
export { formatPacked, type FormatOptions } from './value-text.ts'
export { columnKind, partOf, type Column, type Column as ColumnKind, type ColumnArray } from './columns.ts'
export { declareTypes, declarationOf } from './types.ts'
export type * from './declare.ts'
export { declarationText, type DeclarationOptions, type DeclarationText } from './declaration-text.ts'
export {
  canonicalText,
  printOf,
  schemaVersion,
  structureOf,
  type ClassStructure,
  type FieldStructure,
  type SchemaStructure,
} from './structure.ts'
export { type DCText, parseSchema, PRELUDE, type SchemaTextOptions } from './prelude.ts'
export { isQuaternion, QUATERNION_BITS, type Extension, type FloatExtension } from './extension.ts'
export { floatBits, floatValue, halfBits, halfValue, MAX_HALF } from './half.ts'
export { decodeQuaternion, encodeQuaternion, type QuaternionWords } from './quaternion.ts'
export { hasReferences, mapReferences } from './references.ts'
export { formatDC, type Formatted } from './format.ts'
export { diffSchemas, formatChanges, type SchemaChange } from './diff.ts'
