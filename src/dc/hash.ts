import type { DCAtomicField, DCClass, DCField, DCFile, DCParameter, DCRange, DCType } from './model.ts'

/** Panda3D's numbers of its types (dcSubatomicType.h). */
const TYPES = (
  'int8 int16 int32 int64 uint8 uint16 uint32 uint64 float64 string blob blob32 int16array int32array uint16array ' +
  'uint32array int8array uint8array uint32uint8array char invalid'
).split(' ')
const PRIMES = 10000

let primes: Int32Array | undefined

/** The first 10000 primes, 2 to 104729, by a sieve: the table would be larger than the code. */
function primeTable(): Int32Array {
  if (primes) return primes
  primes = new Int32Array(PRIMES)
  const composite = new Uint8Array(104730)
  for (let n = 2, count = 0; count < PRIMES; n++) {
    if (composite[n]) continue
    primes[count++] = n
    for (let multiple = n * n; multiple < composite.length; multiple += n) composite[multiple] = 1
  }
  return primes
}

/**
 * Panda3D's 32-bit hash of a schema, unsigned (DCFile::get_hash, hashGenerator.cxx). It does not see parameter names, defaults
 * and imports, and takes `T x` and `T x[]` for the same.
 */
export function hashFile(file: Pick<DCFile, 'classes'>): number {
  const table = primeTable()
  let hash = 0,
    index = 0
  const add = (n: number) => {
    hash = (hash + Math.imul(table[index]!, n | 0)) >>> 0
    index = (index + 1) % PRIMES
  }
  const addText = (text: string) => {
    add(text.length)
    for (let i = 0; i < text.length; i++) add(text.charCodeAt(i))
  }
  const addRanges = (ranges: readonly DCRange[], low = lowBits) => {
    if (ranges.length) add(ranges.length)
    for (const { min, max } of ranges) {
      add(low(min))
      add(low(max))
    }
  }
  const addKeywords = ({ keywords, flags }: { keywords: readonly string[]; flags: number }) => {
    if (flags !== -1) return add(flags)
    add(keywords.length)
    for (const keyword of [...keywords].sort()) addText(keyword)
  }
  const addSimple = (name: string, divisor: number, modulus: number | undefined, ranges: readonly DCRange[]) => {
    add(TYPES.indexOf(name))
    add(divisor)
    if (modulus !== undefined) add(truncated(modulus * divisor))
    addRanges(ranges, name === 'float64' ? truncated : lowBits)
  }
  const addType = (type: DCType): void => {
    switch (type.kind) {
      case 'number':
        return addSimple(type.base, type.divisor, type.modulus, type.ranges)
      case 'string':
      case 'blob':
      case 'blob32':
        return addSimple(type.kind, 1, undefined, type.sizes)
      case 'array':
        if (type.legacy)
          return addSimple(type.legacy.name, type.legacy.divisor, type.legacy.modulus, type.legacy.ranges)
        addType(type.element)
        return addRanges(type.sizes)
      case 'class':
        return addClass(type.dclass)
      case 'invalid':
        return addSimple('invalid', 1, undefined, [])
      case 'switch': {
        addText(type.name)
        addField(type.key)
        add(type.cases.length)
        for (const { value, fields } of type.cases) {
          add(value!.length)
          value!.forEach(add)
          add(fields.length + 1)
          addField(type.key)
          fields.forEach(addField)
        }
        if (type.defaultCase) {
          add(type.defaultCase.fields.length + 1)
          addField(type.key)
          type.defaultCase.fields.forEach(addField)
        }
      }
    }
  }
  const addMethod = (field: DCAtomicField) => {
    addText(field.name)
    add(field.number)
    add(field.parameters.length)
    field.parameters.forEach(addField)
    addKeywords(field)
  }
  const addField = (field: DCField | DCParameter): void => {
    if (field.kind === 'atomic') return addMethod(field)
    if (field.kind === 'parameter') {
      if ('keywords' in field && field.keywords.length) addKeywords(field)
      return addType(field.type)
    }
    addText(field.name)
    add(field.number)
    add(field.atomics.length)
    field.atomics.forEach(addMethod)
  }
  const addClass = (dclass: DCClass): void => {
    addText(dclass.name)
    if (dclass.isStruct) add(1)
    add(dclass.parents.length)
    for (const parent of dclass.parents) add(parent.number)
    if (dclass.constructorField) addMethod(dclass.constructorField)
    add(dclass.fields.length)
    dclass.fields.forEach(addField)
  }
  add(1)
  add(file.classes.length)
  file.classes.forEach(addClass)
  return hash
}

/** The low 32 bits of the limit of an integer, as C's cast to int keeps them. */
const lowBits = (n: number | bigint): number => (typeof n === 'bigint' ? Number(BigInt.asIntN(32, n)) : n | 0)

/** A double as C's cast to int makes of it; the least int for what does not fit, as on x86. */
const truncated = (n: number | bigint): number => {
  const whole = Math.trunc(Number(n))
  return whole >= -(2 ** 31) && whole < 2 ** 31 ? whole : -(2 ** 31)
}
