import { textSize } from './bytes.ts'

/** What holds for an option of any type. */
interface AnyOption {
  /** Whether `configure` changes it while everything runs. */
  readonly live?: true
  /** Whether each client asks for a value of its own, which the server may cut down. */
  readonly negotiated?: true
  /** The variable of panda3d-pipes that it stands for, and its default there: `cmdrate 100`. */
  readonly seed?: string
}

/** What can be given for an option that is a number. */
export interface NumberOption extends AnyOption {
  /** Taken when it is left out; none where that depends on other options. */
  readonly default?: number
  readonly least: number
  readonly most: number
  /** What is counted: `seconds`. */
  readonly unit: string
  readonly whole?: true
}

/** What can be given for any other option. */
export interface OtherOption extends AnyOption {
  readonly default?: string | boolean
  /** As `typeof` says, or the words of which it is one. */
  readonly type: 'string' | 'boolean' | 'function' | 'object' | readonly string[]
  /** A function does as well. */
  readonly orFunction?: true
  /** Of a string: UTF-8 bytes at most. */
  readonly bytes?: number
}

/** The rule of one option. Rules check what is given, fill in what is not, and make OPTIONS.md. */
export type Option = NumberOption | OtherOption

/** The rules of all options in an interface. */
export type OptionTable<Options> = { readonly [Name in keyof Options]-?: Option }

/** Options whose rule has a default are there, the others may not be. */
export type WithDefaults<Options, Table> = {
  [
    Name in keyof Options as Name extends keyof Table
      ? Table[Name] extends { default: unknown }
        ? Name
        : never
      : never
  ]-?: Exclude<Options[Name], undefined>
} & Options

/** Options that `configure` takes. */
export type LiveOptions<Options, Table> = {
  readonly [
    Name in keyof Options as Name extends keyof Table ? (Table[Name] extends { live: true } ? Name : never) : never
  ]?: Exclude<Options[Name], undefined>
}

/** The value, or a `RangeError` that says what may be given. */
export const inRange = (name: string, value: number, least: number, most: number, unit: string): number => {
  if (!(typeof value === 'number' && value >= least && value <= most))
    throw new RangeError(`${name} is ${show(value)}: give ${least} to ${most} ${unit}.`)
  return value
}

const show = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value) : String(value))

const check = (name: string, option: Option, value: any): void => {
  if ('unit' in option) {
    inRange(name, value, option.least, option.most, option.unit)
    if (option.whole && !Number.isInteger(value))
      throw new RangeError(`${name} is ${value}: give a whole number of ${option.unit}.`)
    return
  }
  const { type, bytes, orFunction } = option
  if (orFunction && typeof value === 'function') return
  if (typeof type === 'object') {
    if (!type.includes(value)) throw new TypeError(`${name} is ${show(value)}: give ${type.join(' or ')}.`)
  } else if (typeof value !== type || value === null)
    throw new TypeError(`${name} is ${show(value)}: give a${type === 'object' ? 'n' : ''} ${type}.`)
  else if (bytes && textSize(value) > bytes)
    throw new RangeError(`${name} takes ${textSize(value)} bytes: give at most ${bytes}.`)
}

/** `sv-tickrate`, `pipes-tickrate`, `TICK_RATE` and `tickRate` are one name. */
const plain = (name: string): string => name.toLowerCase().replace(/^(sv|cl|pipes)[-_]|[-_]/g, '')

/**
 * What was given, without what is undefined. Throws a `TypeError` for an option that there is not, and, `live`, for one that
 * does not change; a `RangeError` or `TypeError` for a value that makes no sense.
 *
 * @param where who takes these options, for the error: `createServer`
 */
export const checkOptions = <Options extends object>(
  where: string,
  table: Readonly<Record<string, Option>>,
  given: Options,
  live = false,
): Options => {
  const all: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(table, name)) {
      const meant = Object.entries(table).find(([each, { seed }]) =>
        [plain(each), seed?.split(' ')[0]].includes(plain(name)),
      )
      throw new TypeError(`${where} has no option ${name}${meant ? `: is ${meant[0]} meant?` : '.'}`)
    }
    const option = table[name]!
    if (live && !option.live)
      throw new TypeError(`${where}: ${name} does not change while running, give it at the start.`)
    if (value === undefined) continue
    check(name, option, value)
    all[name] = value
  }
  return all as Options
}

/** The same, with defaults for what was left out. */
export const withDefaults = <Options extends object, Table extends OptionTable<Options>>(
  where: string,
  table: Table,
  given: Options,
): WithDefaults<Options, Table> => {
  const all: Record<string, unknown> = {}
  for (const [name, option] of Object.entries<Option>(table)) if ('default' in option) all[name] = option.default
  return Object.assign(all, checkOptions(where, table, given)) as WithDefaults<Options, Table>
}
