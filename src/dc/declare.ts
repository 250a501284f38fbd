/**
 * DC declarations in plain TypeScript: `dclass({ health: field(uint8(0, 100), 'broadcast') })`. What they declare is written as
 * DC text by `declaration-text.ts` and read like any other, so bytes, numbers and hashes are those of the `.dc` file one would have written.
 */

import type { Extension } from './extension.ts'

declare const VALUE: unique symbol
declare const COLUMNS: unique symbol
declare const MEMBERS: unique symbol

/** A type of values. `Value` is what messages carry, `Columns` what holds it as state, one slot an entity. */
export interface TypeDeclaration<Value = any, Columns = any> {
  readonly kind: 'number' | 'bytes' | 'array' | 'class' | 'switch' | 'default' | 'extension'
  readonly [VALUE]: Value
  readonly [COLUMNS]: Columns
}

/** The value of a declared type, as messages carry it. */
export type ValueOf<T> = T extends { readonly [VALUE]: infer V } ? V : never
/** The columns of a declared type: a typed array, named columns for a struct of numbers, else an array of values. */
export type ColumnsOf<T> = T extends { readonly [COLUMNS]: infer C } ? C : never

/** Panda3D's keywords, ours, or one of your own. */
export type Keyword =
  | 'required'
  | 'broadcast'
  | 'ownrecv'
  | 'ram'
  | 'db'
  | 'clsend'
  | 'clrecv'
  | 'ownsend'
  | 'airecv'
  | 'unreliable'
  | 'predicted'
  | 'interp_linear'
  | 'interp_hermite'
  | 'interp_angle'
  | 'interp_quat'
  | 'interp_none'
  | (string & {})

/** A value with its communication keywords. */
export interface FieldDeclaration<T extends TypeDeclaration = TypeDeclaration> {
  readonly kind: 'field'
  readonly type: T
  readonly keywords: readonly Keyword[]
}

/** Named parameters, or a list of unnamed ones (`arg0`, `arg1` in their values). */
export type Parameters = Readonly<Record<string, TypeDeclaration>> | readonly TypeDeclaration[]

/** A method: a message. */
export interface MessageDeclaration<P extends Parameters = Parameters> {
  readonly kind: 'message'
  readonly parameters: P
  readonly keywords: readonly Keyword[]
}

/** Several methods of a class sent as one. */
export interface MoleculeDeclaration<Names extends readonly string[] = readonly string[]> {
  readonly kind: 'molecule'
  readonly names: Names
}

/** What stands in the body of a class: a type alone is a field without keywords. */
export type MemberDeclaration = TypeDeclaration | FieldDeclaration | MessageDeclaration | MoleculeDeclaration
/** The body of a class: members by name. A struct may also list unnamed fields. */
export type Members = Readonly<Record<string, MemberDeclaration>>

type Unnamed<T extends readonly unknown[]> = { [K in Extract<keyof T, `${number}`> as `arg${K}`]: T[K] }
type Named<P> = P extends readonly unknown[] ? Unnamed<P> : P
/** The arguments of a message with these parameters. */
export type ArgumentsOf<P> = Flat<{ -readonly [K in keyof Named<P>]: ValueOf<Named<P>[K]> }>
/** Shows an object type as one. */
type Flat<T> = { [K in keyof T]: T[K] } & {}

type IsMolecule<M> = M extends MoleculeDeclaration ? true : false
/** What a member adds to a value of its class. */
type MemberValue<M> =
  M extends FieldDeclaration<infer T> ? ValueOf<T> : M extends MessageDeclaration<infer P> ? ArgumentsOf<P> : ValueOf<M>
/** What a value of a class with these members is. */
type ClassValue<F> = Flat<{
  -readonly [K in keyof Named<F> as IsMolecule<Named<F>[K]> extends true ? never : K]: MemberValue<Named<F>[K]>
}>

/** The columns of a field. */
export type MemberColumns<M> =
  M extends FieldDeclaration<infer T> ? ColumnsOf<T> : M extends TypeDeclaration ? ColumnsOf<M> : unknown[]
/** Whether some member is held as a JavaScript value: then the whole struct is. */
type HasValues<F> = F extends readonly unknown[]
  ? true
  : true extends { [K in keyof F]: MemberColumns<F[K]> extends readonly unknown[] ? true : false }[keyof F]
    ? true
    : false
type ClassColumns<F> = [keyof F] extends [never]
  ? ClassValue<F>[]
  : HasValues<F> extends true
    ? ClassValue<F>[]
    : Flat<{ readonly [K in keyof F as IsMolecule<F[K]> extends true ? never : K]: MemberColumns<F[K]> }>

/** A struct or a dclass, with its inherited members. */
export interface ClassDeclaration<F = any, Struct extends boolean = boolean> extends TypeDeclaration<
  ClassValue<F>,
  ClassColumns<F>
> {
  readonly kind: 'class'
  readonly isStruct: Struct
  readonly parents: readonly ClassDeclaration[]
  readonly members: Members | readonly MemberDeclaration[]
  readonly [MEMBERS]: F
}
/** A struct: a value with named parts. */
export type StructDeclaration<F = any> = ClassDeclaration<F, true>
/** A dclass: what objects are made of. */
export type DClassDeclaration<F = any> = ClassDeclaration<F, false>
/** The members of a class, inherited ones included. */
export type MembersOf<C> = C extends { readonly [MEMBERS]: infer F } ? F : never

/** Own members take the place of inherited ones; of equal names the first parent's is inherited. */
type Inherit<P, F> = P extends readonly [infer First, ...infer Rest]
  ? Inherit<Rest, Over<MembersOf<First>, F>>
  : { [K in keyof F]: F[K] }
type Over<Inherited, Own> = Omit<Inherited, keyof Own> & Own

/** A limit of a range: a number in units of the value; one character for `char`. */
export type Limit = number | bigint | string

/** What can be said of a number besides its base. */
export interface NumberOptions {
  /** The value is sent times this, rounded: `int16({ divisor: 100 })` holds hundredths. 1 to 2^32-1. */
  readonly divisor?: number
  /** The value wraps around at this, in units of the value: 360 for degrees. */
  readonly modulus?: number
  /** Legal values, both ends included, in units of the value. */
  readonly ranges?: readonly (readonly [Limit, Limit])[]
}

interface BaseColumns {
  int8: Int8Array
  int16: Int16Array
  int32: Int32Array
  int64: BigInt64Array
  uint8: Uint8Array
  uint16: Uint16Array
  uint32: Uint32Array
  uint64: BigUint64Array
  float64: Float64Array
  char: Uint8Array
}
/** The bases of numbers. */
export type NumberBase = keyof BaseColumns

type IsScaled<O> = O extends { readonly modulus: number }
  ? true
  : O extends { readonly divisor: infer D }
    ? D extends 1
      ? false
      : true
    : false
type NumberColumns<B extends NumberBase, O> =
  IsScaled<O> extends true
    ? B extends 'int8' | 'uint8' | 'int16' | 'uint16'
      ? Float32Array
      : B extends 'char'
        ? Uint8Array
        : Float64Array
    : BaseColumns[B]
type NumberValue<B extends NumberBase, O> = B extends 'int64' | 'uint64'
  ? IsScaled<O> extends true
    ? number
    : bigint
  : number

/** A number. */
export interface NumberDeclaration<B extends NumberBase = NumberBase, O = NumberOptions> extends TypeDeclaration<
  NumberValue<B, O>,
  NumberColumns<B, O>
> {
  readonly kind: 'number'
  readonly base: string
  readonly options: NumberOptions
}

/** Makes a number of one base: alone, with its least and greatest value, and with more said of it. */
export interface NumberBuilder<B extends NumberBase> {
  (): NumberDeclaration<B, {}>
  (min: Limit, max: Limit): NumberDeclaration<B, {}>
  <const O extends NumberOptions>(options: O): NumberDeclaration<B, O>
  <const O extends NumberOptions>(min: Limit, max: Limit, options: O): NumberDeclaration<B, O>
}

// Only the compiler knows of values, columns and members: at run time they are nowhere.
const declared = <T>(declaration: object): T => declaration as T

const optionsOf = (args: readonly unknown[]): NumberOptions => {
  const [first, second] = args
  if (args.length < 2) return (first as NumberOptions | undefined) ?? {}
  const { ranges = [], ...rest } = (args[2] as NumberOptions | undefined) ?? {}
  return { ...rest, ranges: [[first as Limit, second as Limit], ...ranges] }
}

const numberBuilder = <B extends NumberBase>(base: B): NumberBuilder<B> =>
  ((...args: unknown[]) => declared({ kind: 'number', base, options: optionsOf(args) })) as NumberBuilder<B>

/** -128 to 127, one byte. */
export const int8: NumberBuilder<'int8'> = /* @__PURE__ */ numberBuilder('int8')
/** -32,768 to 32,767, two bytes. */
export const int16: NumberBuilder<'int16'> = /* @__PURE__ */ numberBuilder('int16')
/** -2^31 to 2^31-1, four bytes. */
export const int32: NumberBuilder<'int32'> = /* @__PURE__ */ numberBuilder('int32')
/** A bigint from -2^63 to 2^63-1, eight bytes; a number when it has a divisor or a modulus. */
export const int64: NumberBuilder<'int64'> = /* @__PURE__ */ numberBuilder('int64')
/** 0 to 255, one byte. */
export const uint8: NumberBuilder<'uint8'> = /* @__PURE__ */ numberBuilder('uint8')
/** 0 to 65,535, two bytes. */
export const uint16: NumberBuilder<'uint16'> = /* @__PURE__ */ numberBuilder('uint16')
/** 0 to 2^32-1, four bytes. */
export const uint32: NumberBuilder<'uint32'> = /* @__PURE__ */ numberBuilder('uint32')
/** A bigint from 0 to 2^64-1, eight bytes; a number when it has a divisor or a modulus. */
export const uint64: NumberBuilder<'uint64'> = /* @__PURE__ */ numberBuilder('uint64')
/** Any JavaScript number, eight bytes. */
export const float64: NumberBuilder<'float64'> = /* @__PURE__ */ numberBuilder('float64')
/** One byte, read as a number; a one-character string may be written. */
export const char: NumberBuilder<'char'> = /* @__PURE__ */ numberBuilder('char')

/** Legal sizes: any, exactly so many, from so many to so many, or several such ranges. */
export type SizeArguments =
  | readonly []
  | readonly [exactly: number]
  | readonly [min: number, max: number]
  | readonly [options: { readonly sizes: readonly (readonly [number, number])[] }]

/** Lengths that are allowed: from, to. */
export type Sizes = readonly (readonly [number, number])[]

const sizesOf = ([first, second]: SizeArguments): Sizes =>
  first === undefined
    ? []
    : typeof first === 'object'
      ? first.sizes
      : [[first, second === undefined ? first : (second as number)]]

/** Text or bytes. */
export interface BytesDeclaration<Value = any> extends TypeDeclaration<Value, Value[]> {
  readonly kind: 'bytes'
  readonly base: 'string' | 'blob' | 'blob32'
  readonly sizes: Sizes
}

/** Text; sizes are bytes of UTF-8: `string(0, 24)`. */
export const string = (...sizes: SizeArguments): BytesDeclaration<string> =>
  declared({ kind: 'bytes', base: 'string', sizes: sizesOf(sizes) })
/** Bytes, up to 65,535. */
export const blob = (...sizes: SizeArguments): BytesDeclaration<Uint8Array> =>
  declared({ kind: 'bytes', base: 'blob', sizes: sizesOf(sizes) })
/** Bytes behind a 32-bit length. */
export const blob32 = (...sizes: SizeArguments): BytesDeclaration<Uint8Array> =>
  declared({ kind: 'bytes', base: 'blob32', sizes: sizesOf(sizes) })

/** A type of the prelude: plain DC under a name that this package knows. */
export interface ExtensionDeclaration<Value = any, Columns = any> extends TypeDeclaration<Value, Columns> {
  readonly kind: 'extension'
  readonly name: Extension
}
const extension = <E extends ExtensionDeclaration>(name: Extension): E => declared({ kind: 'extension', name })

/** A number of 16 bits, with 11 bits of precision. */
export const float16 = (): ExtensionDeclaration<number, Float32Array> => extension('float16')
/** A number of 32 bits, with 24 bits of precision. */
export const float32 = (): ExtensionDeclaration<number, Float32Array> => extension('float32')
/** A quaternion `[x, y, z, w]`. */
export type Quaternion = [x: number, y: number, z: number, w: number]
/** The columns of a quaternion. */
export interface QuaternionColumns {
  readonly x: Float32Array
  readonly y: Float32Array
  readonly z: Float32Array
  readonly w: Float32Array
}
/** A rotation in four bytes. */
export const quat32 = (): ExtensionDeclaration<Quaternion, QuaternionColumns> => extension('quat32')
/** A rotation in six bytes. */
export const quat48 = (): ExtensionDeclaration<Quaternion, QuaternionColumns> => extension('quat48')
/** True or false. As state 1 or 0, in a `Uint8Array`. */
export const bool = (): ExtensionDeclaration<boolean, Uint8Array> => extension('bool')
/** Another distributed object: the id of an entity here, 0 for none. */
export const doId = (): ExtensionDeclaration<number, Uint32Array> => extension('DoId')

/** A list of equal elements. */
export interface ArrayDeclaration<Value = any> extends TypeDeclaration<Value, Value[]> {
  readonly kind: 'array'
  readonly element: TypeDeclaration
  readonly sizes: Sizes
}

/** A list: `array(uint8())`, `array(uint8(), 3)`, `array(uint8(), 0, 10)`; sizes are elements. */
export const array = <T extends TypeDeclaration>(element: T, ...sizes: SizeArguments): ArrayDeclaration<ValueOf<T>[]> =>
  declared({ kind: 'array', element, sizes: sizesOf(sizes) })

/** Panda3D's old array types: options of their numbers are hashed but not applied. Prefer {@link array}. */
export interface LegacyArrayDeclaration<Value = any> extends TypeDeclaration<Value, Value[]> {
  readonly kind: 'number'
  readonly base: string
  readonly options: NumberOptions
}
const legacy = <Value>(base: string, args: readonly unknown[]): LegacyArrayDeclaration<Value> =>
  declared({ kind: 'number', base, options: optionsOf(args) })
/** The built-in array `int8array`. */
export const int8array = (options?: NumberOptions): LegacyArrayDeclaration<number[]> => legacy('int8array', [options])
/** The built-in array `int16array`. */
export const int16array = (options?: NumberOptions): LegacyArrayDeclaration<number[]> => legacy('int16array', [options])
/** The built-in array `int32array`. */
export const int32array = (options?: NumberOptions): LegacyArrayDeclaration<number[]> => legacy('int32array', [options])
/** The built-in array `uint8array`. */
export const uint8array = (options?: NumberOptions): LegacyArrayDeclaration<number[]> => legacy('uint8array', [options])
/** The built-in array `uint16array`. */
export const uint16array = (options?: NumberOptions): LegacyArrayDeclaration<number[]> =>
  legacy('uint16array', [options])
/** The built-in array `uint32array`. */
export const uint32array = (options?: NumberOptions): LegacyArrayDeclaration<number[]> =>
  legacy('uint32array', [options])
/** The built-in list of (uint32, uint8). */
export const uint32uint8array = (): LegacyArrayDeclaration<{ arg0: number; arg1: number }[]> =>
  legacy('uint32uint8array', [])

/** A type with a default. */
export interface DefaultDeclaration<T extends TypeDeclaration = TypeDeclaration> extends TypeDeclaration<
  ValueOf<T>,
  ColumnsOf<T>
> {
  readonly kind: 'default'
  readonly of: T
  readonly value: ValueOf<T>
}

/** What a new object has (a field), a message has when it is left out (a parameter), or both (a named type). */
export const withDefault = <T extends TypeDeclaration>(of: T, value: ValueOf<T>): DefaultDeclaration<T> =>
  declared({ kind: 'default', of, value })

/** Replicated state: a type, and who sends and receives it. */
export const field = <T extends TypeDeclaration>(type: T, ...keywords: Keyword[]): FieldDeclaration<T> => ({
  kind: 'field',
  type,
  keywords,
})

/** A message: its parameters, and who sends and receives it. */
export const message = <const P extends Parameters>(parameters: P, ...keywords: Keyword[]): MessageDeclaration<P> => ({
  kind: 'message',
  parameters,
  keywords,
})

/** Several messages of the same class, declared before, sent as one. Their keywords must be the same. */
export const molecule = <const Names extends readonly [string, ...string[]]>(
  ...names: Names
): MoleculeDeclaration<Names> => ({ kind: 'molecule', names })

/** What `struct` takes: members by name, or in order without. */
export type StructMembers = Members | readonly MemberDeclaration[]
const classOf = (isStruct: boolean, args: readonly unknown[]): object => {
  const [first, second] = args
  const parents = second === undefined ? [] : Array.isArray(first) ? first : [first]
  return { kind: 'class', isStruct, parents, members: second ?? first }
}

/** A value with named parts; `struct(Base, { ... })` has those of `Base` first. Unnamed parts are given as a list. */
export function struct<const F extends StructMembers>(members: F): StructDeclaration<F>
export function struct<B extends StructDeclaration, const F extends Members>(
  base: B,
  members: F,
): StructDeclaration<Inherit<[B], F>>
export function struct<const P extends readonly StructDeclaration[], const F extends Members>(
  bases: P,
  members: F,
): StructDeclaration<Inherit<P, F>>
export function struct(...args: readonly unknown[]): StructDeclaration {
  return declared(classOf(true, args))
}

/** What objects are made of: fields and messages; `dclass(Node, { ... })` inherits, `dclass([A, B], { ... })` from several. */
export function dclass<const F extends Members>(members: F): DClassDeclaration<F>
export function dclass<B extends DClassDeclaration, const F extends Members>(
  base: B,
  members: F,
): DClassDeclaration<Inherit<[B], F>>
export function dclass<const P extends readonly DClassDeclaration[], const F extends Members>(
  bases: P,
  members: F,
): DClassDeclaration<Inherit<P, F>>
export function dclass(...args: readonly unknown[]): DClassDeclaration {
  return declared(classOf(false, args))
}

/** The fields that follow some values of a key. */
export interface CaseDeclaration<V = any, P extends Readonly<Record<string, TypeDeclaration>> = any> {
  readonly values: readonly V[] | undefined
  readonly fields: P
}

type CaseValue<K, C> =
  C extends CaseDeclaration<infer V, infer P>
    ? Flat<{ -readonly [N in keyof Named<K>]: KeyValue<V, Named<K>[N]> } & ArgumentsOf<P>>
    : never
/** A key is known by its case as far as it is a literal; of `otherwise` it may be anything. */
type KeyValue<V, K> = [V] extends [never] ? MemberValue<K> : [V] extends [MemberValue<K>] ? V : MemberValue<K>

/** A key, and the fields that each of its values brings along. */
export interface SwitchDeclaration<Value = any> extends TypeDeclaration<Value, Value[]> {
  readonly kind: 'switch'
  readonly key: Readonly<Record<string, TypeDeclaration | MessageDeclaration>>
  readonly cases: readonly CaseDeclaration[]
}

/** `switchOn({ kind: uint8() }, when(1, { text: string() }), otherwise({ data: blob() }))`. */
export const switchOn = <
  const K extends Readonly<Record<string, TypeDeclaration | MessageDeclaration>>,
  const C extends readonly CaseDeclaration[],
>(
  key: K,
  ...cases: C
): SwitchDeclaration<CaseValue<K, C[number]>> => declared({ kind: 'switch', key, cases })

/** The fields behind one value of the key, or behind each of several. */
export const when = <const V, const P extends Readonly<Record<string, TypeDeclaration>>>(
  values: V,
  fields: P,
): CaseDeclaration<V extends readonly (infer E)[] ? E : V, P> =>
  ({ values: Array.isArray(values) ? values : [values], fields }) as never

/** The fields behind any other value of the key. */
export const otherwise = <const P extends Readonly<Record<string, TypeDeclaration>>>(
  fields: P,
): CaseDeclaration<never, P> => ({ values: undefined, fields })

/** Types and classes by name, each before its first use. What is not a class or a switch becomes a typedef. */
export type Declarations = Readonly<Record<string, TypeDeclaration>>

/** The arguments of a molecule: those of its messages, if their names differ. */
export type MoleculeArguments<Names, F> = Names extends readonly [infer N, ...infer Rest]
  ? (N extends keyof F ? (F[N] extends MessageDeclaration<infer P> ? ArgumentsOf<P> : {}) : {}) &
      MoleculeArguments<Rest, F>
  : unknown
