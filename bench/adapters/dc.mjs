// The conformance vectors' view of the DC language: read, pack and unpack as plain JSON values.
import { formatPacked, memberKeys, membersOf, packDefault, packText, parseDC, unpackField } from '../../dist/dc.js'

const hex = bytes => Buffer.from(bytes).toString('hex')

// The texts are files read byte by byte, unless they hold a character that is no byte. What Panda3D does not mind,
// undeclared types and bases, are warnings here.
const options = texts => ({ strict: false, latin1: !texts.some(text => /[^\0-\xff]/.test(text)) })

function fieldOf(text, className, fieldName) {
  const { file, errors } = parseDC(text, options([text]))
  if (errors.length) throw new Error(errors[0].message)
  return file.classByName(className).inherited.find(field => field.name === fieldName)
}

/** Undefined where the least legal value is too large to pack. */
function defaultOf(field) {
  try {
    return hex(packDefault(field))
  } catch {
    return undefined
  }
}

/** Reads several texts as one schema. */
export function read(texts) {
  const named = texts.map((text, i) => ({ name: `${i}.dc`, text }))
  const { file, errors, warnings } = parseDC(named, options(texts))
  return {
    ok: !errors.length,
    errors,
    allObjectsValid: !warnings.some(({ message }) => message.startsWith('Undeclared')),
    hash: file.hash,
    classes: file.classes.map(dclass => ({
      name: dclass.name,
      number: dclass.number,
      isStruct: dclass.isStruct,
      parents: dclass.parents.map(parent => parent.name),
      fields: dclass.fields.map(field => ({
        name: field.name,
        number: field.number,
        kind: field.kind,
        keywords: field.keywords,
        default: defaultOf(field),
      })),
      inherited: dclass.inherited.map(field => [field.number, field.name]),
    })),
  }
}

/** Packs DC value text. */
export function pack(text, className, fieldName, valueText) {
  const { ok, bytes, message } = packText(fieldOf(text, className, fieldName), valueText)
  return { ok, hex: hex(bytes), message }
}

/** Bytes as Panda3D writes them in text; undefined when they are no value of the field. */
export function format(text, className, fieldName, bytes) {
  return formatPacked(fieldOf(text, className, fieldName), Uint8Array.from(Buffer.from(bytes, 'hex')))
}

/** Unpacks as DCPacker does: left-over bytes are accepted, blob sizes are not checked. */
export function unpack(text, className, fieldName, bytes) {
  const field = fieldOf(text, className, fieldName)
  const { ok, value, end } = unpackField(field, Uint8Array.from(Buffer.from(bytes, 'hex')), {
    leftOver: true,
    panda: true,
    rawText: true,
  })
  return { ok, value: ok ? plain(field, value) : undefined, bytes: end }
}

/** Values by type: texts as the hex of their bytes, structs, switches and methods as lists. */
function plain(packable, value) {
  switch (packable.kind) {
    case 'number':
      return packable.base === 'char' ? { string: hex([value]) } : typeof value === 'bigint' ? String(value) : value
    case 'string':
      return { string: hex(value) }
    case 'blob':
    case 'blob32':
      return { blob: hex(value) }
    case 'array':
      return packable.element.base === 'char'
        ? { string: hex(value) }
        : value.map(each => plain(packable.element, each))
    case 'parameter':
      return plain(packable.type, value)
    case 'switch':
      return membersPlain(caseOf(packable, value), value)
    default:
      return membersPlain(membersOf(packable), value)
  }
}

function membersPlain(members, value) {
  const keys = memberKeys(members)
  return members.map((member, i) => plain(member, value[keys[i]]))
}

/** The members of a switch value: those of the first case with its keys. */
function caseOf(type, value) {
  const cases = [...type.cases, ...(type.defaultCase ? [type.defaultCase] : [])].map(({ fields }) => [
    type.key,
    ...fields,
  ])
  return cases.find(members => String(memberKeys(members)) === String(Object.keys(value)))
}
