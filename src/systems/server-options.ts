import { infosOf, type DClass, type FieldColumns, type Message, type Schema } from '../components/index.ts'
import { columnKind, type DCField } from '../dc/index.ts'
import { CODECS, type CodecName } from '../net/codec.ts'
import { MAX_PASSWORD } from '../net/hello.ts'
import { MAX_ZONES } from '../net/interest.ts'
import { joinTransports } from '../net/join-transports.ts'
import { MAX_SILENT_TICKS } from '../net/ticks.ts'
import type { ServerTransport } from '../net/transport.ts'
import { checkAuthenticate, type Authenticate } from './authenticate.ts'
import type { OwnerLeaves } from './departure.ts'
import {
  checkOptions,
  inRange,
  withDefaults,
  type LiveOptions,
  type OptionTable,
  type WithDefaults,
} from '../net/options.ts'
import type {
  FieldLimit,
  ServerClient,
  ServerState,
  Violation,
  ViolationAction,
  ViolationPolicy,
} from './server-state.ts'
import { ACTIONS, POLICY } from './violations.ts'

/** A field that a limit is for: a message or the columns of a field, `Avatar.say`; its name, `'Avatar.say'`; or `'*'`, each of the others. */
export type LimitedField = Message<any> | FieldColumns | string

/** Limits of fields: pairs, in a list or a `Map`, or an object by names. */
export type FieldLimits = Iterable<readonly [LimitedField, FieldLimit]> | Readonly<Record<string, FieldLimit>>

export interface ServerOptions<Identity = unknown, Authorization = unknown> {
  /**
   * How clients reach the server: `geckos()` from `bitecs-pipes/geckos/server`, or `memoryNetwork().server`; or a list of them, as when
   * guests come over the network and the host plays in the same process.
   */
  readonly transport: ServerTransport<Authorization> | readonly ServerTransport<Authorization>[]
  /**
   * Ticks a second, for clients' clocks: call `replicate` that often (see {@link tickLoop}). 1..1000. Default 30. In panda3d-pipes it is
   * 66; but each tick looks at every object, and clients that take 20 packets a second see little of it.
   */
  readonly tickRate?: number
  /** Clients at once. 1..65535. Default 24. */
  readonly maxClients?: number
  /** What clients must know to get in. Default: nothing. */
  readonly password?: string
  /** Fewest packets a second that a client can ask for. Default 1. */
  readonly minUpdateRate?: number
  /** Most packets a second that a client can ask for. Default 255; never more than the tick rate. */
  readonly maxUpdateRate?: number
  /** Seconds without a packet after which a client's connection counts as lost. Default 5. */
  readonly timeout?: number
  /**
   * Seconds that a client whose connection was lost may take to come back; until then its objects stay, and it counts for `maxClients`
   * (but who comes when all places are taken gets one of several that are waited for of one address).
   * 0: its session ends at once. At most 32767 ticks. Default 30.
   */
  readonly resumeTime?: number
  /** How a client shows who it is, besides the password, within the handshake. Default: it need not. */
  readonly authenticate?: Authenticate<Identity>
  /**
   * What becomes of a client's objects when its session ends: `remove`, `keep` (they are the server's then), or a function, asked
   * about each of them after `onLeave`, which says so or names the client that gets it. Default `remove`.
   */
  readonly whenOwnerLeaves?: OwnerLeaves<ServerClient<Identity, Authorization>>
  /**
   * Seconds between two pings of `client.stats`, whose averages are over 16 of them. 0.01..60. Default 0.25. In panda3d-pipes it is 0.5,
   * as a ping is a message there; here every packet is one.
   */
  readonly pingInterval?: number
  /**
   * Messages a second that a client may send, on average; at once as many as a link that was dead for
   * `timeout` holds back, and 4 seconds' worth. Beyond it unreliable ones are dropped, a reliable one ends the session
   * (`flooded`): what goes out in every frame should be `unreliable`, or a field. Default 60.
   */
  readonly messageRate?: number
  /** The same in bytes a second, owner-written strings and blobs included; one largest message (256 KB) more at once. Default 32 KB. */
  readonly messageBytes?: number
  /** Interest requests a second that a client may send; at once as for messages. Beyond it the session ends (`flooded`). Default 20. */
  readonly interestRate?: number
  /**
   * How often each client may send a field, besides: `[[Avatar.say, { rate: 2, burst: 10 }], ['*', { rate: 20 }]]`, where `*` is each of the
   * others; or by names, `{ 'Avatar.say': { rate: 2 } }`. Of messages, of owner-written strings, blobs and lists, and of what `writeField` writes, over all objects; an inherited field has
   * one limit, under any of its classes' names. Default: a field may use all of `messageRate`. Beyond it as with `messageRate`.
   */
  readonly limits?: FieldLimits
  /**
   * What is done with a client besides refusing: `ignore`, `warn` (tell `onError`, ever more rarely) or `kick`. Default: `kick` for
   * `flooded`, as its reliable messages cannot be dropped (unreliable ones are, whatever is said here), else `ignore`.
   */
  readonly violationPolicy?: Partial<ViolationPolicy>
  /**
   * Told each time that a client which has signed in tries what it may not, right when it is refused; may return what to do instead of the
   * policy. Such as: `(client, { kind }) => (kind === 'forbidden' && client.violations.forbidden > 20 ? 'kick' : undefined)`.
   */
  readonly onViolation?: (client: ServerClient<Identity, Authorization>, violation: Violation) => ViolationAction | void
  /** Bytes a second that one client is sent at most; less while its link fills up. 1024 and up. Default 96 KB. */
  readonly maxBytesPerSecond?: number
  /**
   * How many sends state may build on what was sent last and not yet acknowledged: fewer bytes, but a lost datagram costs
   * those after it too; less on links that lose. 1: never, every datagram can be decoded by itself. 1..8. Default 8.
   */
  readonly maxChain?: number
  /** How many of them at least, whatever is lost, as far as `maxChain` allows: fewer bytes count for more than smoothness then. 1..8. Default 1. */
  readonly minChain?: number
  /** Datagrams that a client which lacks much is sent at once, as when it joins; else it is one. 1..64. Default 2. */
  readonly packetsPerSend?: number
  /** Zones that a client can ask for at once. 1..256. Default 256. */
  readonly maxZones?: number
  /**
   * Seconds that a zone which a client does not want any more is sent on, so that walking along a border is cheap; not when
   * `allowZone` or `revokeZone` take it away, nor beyond `maxZones`. 0..60. Default 0.
   */
  readonly linger?: number
  /**
   * Frames of each group that are kept as baselines: the seconds of change that a client may be behind. 8..64. Default: 1.6 seconds of
   * ticks. In panda3d-pipes it is 50 snapshots, whatever the tick rate.
   */
  readonly snapshotHistory?: number
  /**
   * How state is written: `range` foretells movement and codes what is left over with a range coder, in the fewest bytes;
   * `plain` is quicker to read in a dump. Default `range`.
   */
  readonly codec?: CodecName
  /**
   * What {@link Server.codecTables} gave in an earlier run with the same schema, or `pipes train`: fewest bytes from the first second.
   * Those of another schema are an error.
   */
  readonly codecTables?: Uint8Array
  /**
   * Whether the range coder makes better tables from what it writes, while the server runs, and sends them to the clients
   * (at most 4 KB): after 5 seconds, then ever less often. Default true.
   */
  readonly trainCodec?: boolean
  /**
   * How changes are found: `compare` looks at every object's columns in each tick; `mark` only at those that were
   * placed or given to {@link Server.markDirty} since the last one, for worlds where little changes. Default `compare`.
   */
  readonly detect?: 'compare' | 'mark'
  /**
   * What the objects of a class (`dclass === Debris`) in a zone are worth to a client, looked at four times a second. The worthier go first
   * when the budget is short; 0.5, 0.25 and 0.125 are also sent to it only every 2nd, 4th and 8th time. Default 1.
   */
  readonly priority?: (client: ServerClient<Identity, Authorization>, zone: number, dclass: DClass) => number
  /** Whether a client may see a zone that it asks for. Default: yes. */
  readonly allowZone?: (client: ServerClient<Identity, Authorization>, zone: number) => boolean
  /**
   * Told what handlers threw inside the server's systems, and which object holds a value that its DC type does not; the
   * tick goes on. Default: console.error.
   */
  readonly onError?: (error: unknown, where: string) => void
  /** The clock, in seconds. Default: `performance.now() / 1000`. */
  readonly now?: () => number
  /** The tick to start from, uint32. Default 0. */
  readonly firstTick?: number
}

/** What keeps a field from being limited, or undefined. */
const unlimitable = (field: DCField): string | undefined => {
  if (field.keywords.includes('clsend')) return undefined
  if (!field.keywords.includes('ownsend')) return 'has neither `clsend` nor `ownsend`: no client sends it'
  const isNumber = field.kind === 'parameter' && columnKind(field.type).kind !== 'value'
  return isNumber ? "is a number, which goes up at the client's command rate" : undefined
}

/** The limits by field number. Throws for a name or a number that makes no sense. */
const limitsOf = (schema: Schema<any>, limits: FieldLimits): Map<number, FieldLimit> => {
  const byNumber = new Map<number, FieldLimit>()
  const fields = infosOf(schema).flatMap(({ dclass, columns }) =>
    dclass.inherited.map(field => ({
      name: `${dclass.name}.${field.name}`,
      field,
      columns: field.kind === 'parameter' ? columns.get(field) : undefined,
    })),
  )
  const isOf = (given: LimitedField, { name, field, columns }: (typeof fields)[number]): boolean =>
    given === name || (given as Message)?.field === field || (columns !== undefined && given === columns)
  const pairs = Symbol.iterator in limits ? [...limits] : Object.entries(limits)
  const others = pairs.find(([given]) => given === '*')?.[1]
  if (others) for (const { field } of fields) if (!unlimitable(field)) byNumber.set(field.number, others)
  for (const [given, limit] of pairs) {
    const found = fields.find(each => isOf(given, each))
    const name = found?.name ?? (typeof given === 'string' ? given : 'that was given')
    if (!found && given !== '*')
      throw new TypeError(`limits: the schema has no field "${name}": give Avatar.say or 'Avatar.say', or '*' for all.`)
    inRange(`limits['${name}'].rate`, limit?.rate, 0.001, 1e6, 'a second')
    inRange(`limits['${name}'].burst`, limit.burst ?? 1, 1, 1e9, 'at once')
    if (!found) continue
    const why = unlimitable(found.field)
    if (why) throw new TypeError(`limits: ${name} ${why}. Take it out.`)
    byNumber.set(found.field.number, limit)
  }
  return byNumber
}

/** The game's `priority`, asked by what the codec knows of a class. */
const priorityOf = (schema: Schema<any>, priority: ServerOptions['priority']): ServerState['priority'] => {
  if (!priority) return undefined
  const components = new Map(infosOf(schema).map(({ dclass, component }) => [dclass, component]))
  return (client, zone, dclass) => priority(client, zone, components.get(dclass)!)
}

const policyOf = (policy: Partial<ViolationPolicy>): ViolationPolicy => {
  for (const [kind, action] of Object.entries(policy))
    if (!(kind in POLICY) || !ACTIONS.includes(action))
      throw new TypeError(
        `violationPolicy: ${kind}: ${String(action)}; give ${Object.keys(POLICY).join(', ')} as ${ACTIONS.join(', ')}.`,
      )
  return { ...POLICY, ...policy }
}

/** What can be given for each option, and what is taken without. */
export const SERVER_OPTIONS = {
  transport: { type: 'object' },
  tickRate: { default: 30, least: 1, most: 1000, unit: 'ticks a second', seed: 'tickrate 66' },
  maxClients: { default: 24, least: 1, most: 0xffff, unit: 'clients', whole: true, live: true, seed: 'max-clients 24' },
  password: { type: 'string', default: '', bytes: MAX_PASSWORD, live: true, seed: 'password' },
  minUpdateRate: { default: 1, least: 1, most: 255, unit: 'packets a second', live: true, seed: 'minupdaterate 1' },
  maxUpdateRate: { default: 255, least: 1, most: 255, unit: 'packets a second', live: true, seed: 'maxupdaterate 255' },
  timeout: { default: 5, least: 0.1, most: 3600, unit: 'seconds', live: true },
  resumeTime: { least: 0, most: 3600, unit: 'seconds' },
  authenticate: { type: 'object' },
  whenOwnerLeaves: { type: ['remove', 'keep'], orFunction: true, default: 'remove' },
  pingInterval: { default: 0.25, least: 0.01, most: 60, unit: 'seconds', live: true, seed: 'ping-interval 0.5' },
  messageRate: { default: 60, least: 1, most: 100_000, unit: 'messages a second', live: true },
  messageBytes: { default: 32 * 1024, least: 1, most: 1e9, unit: 'bytes a second', live: true },
  interestRate: { default: 20, least: 1, most: 100_000, unit: 'requests a second', live: true },
  limits: { type: 'object', live: true },
  violationPolicy: { type: 'object', live: true },
  onViolation: { type: 'function' },
  maxBytesPerSecond: { default: 96 * 1024, least: 1024, most: 1e9, unit: 'bytes a second', live: true },
  maxChain: { default: 8, least: 1, most: 8, unit: 'sends', whole: true, live: true },
  minChain: { default: 1, least: 1, most: 8, unit: 'sends', whole: true, live: true },
  packetsPerSend: { default: 2, least: 1, most: 64, unit: 'datagrams', whole: true, live: true },
  maxZones: { default: MAX_ZONES, least: 1, most: MAX_ZONES, unit: 'zones', whole: true, live: true },
  linger: { default: 0, least: 0, most: 60, unit: 'seconds', live: true },
  snapshotHistory: { least: 8, most: 64, unit: 'frames', whole: true, seed: 'snapshot-history 50' },
  codec: { type: CODECS, default: 'range' },
  codecTables: { type: 'object' },
  trainCodec: { type: 'boolean', default: true },
  detect: { type: ['compare', 'mark'], default: 'compare' },
  priority: { type: 'function' },
  allowZone: { type: 'function' },
  onError: { type: 'function' },
  now: { type: 'function' },
  firstTick: { default: 0, least: 0, most: 0xffffffff, unit: 'ticks', whole: true },
} as const satisfies OptionTable<ServerOptions>

/** What `server.configure` changes. */
export type LiveServerOptions = LiveOptions<ServerOptions, typeof SERVER_OPTIONS>

/** Throws for options that make no sense together. */
export const checkTogether = (
  options: Pick<
    WithDefaults<ServerOptions, typeof SERVER_OPTIONS>,
    'tickRate' | 'timeout' | 'resumeTime' | 'minUpdateRate' | 'maxUpdateRate'
  >,
): void => {
  const { tickRate, timeout, resumeTime = 0, minUpdateRate, maxUpdateRate } = options
  if (minUpdateRate > maxUpdateRate)
    throw new RangeError(`minUpdateRate is ${minUpdateRate}, more than maxUpdateRate, which is ${maxUpdateRate}.`)
  if ((timeout + resumeTime) * tickRate >= MAX_SILENT_TICKS)
    throw new RangeError(
      `timeout is ${timeout} seconds and resumeTime ${resumeTime} at ${tickRate} ticks a second: ` +
        `give less than ${MAX_SILENT_TICKS / tickRate}, since only ${MAX_SILENT_TICKS} ticks can be told apart.`,
    )
}

/** The options, checked, with defaults for what was left out. Throws a `RangeError` or `TypeError` for what makes no sense. */
export const checkServerOptions = (schema: Schema<any>, options: ServerOptions) => {
  if (![options.transport].flat().every(transport => typeof transport?.listen === 'function'))
    throw new TypeError(
      'createServer needs a transport: geckos() from "bitecs-pipes/geckos/server" (install @geckos.io/server), ' +
        'or memoryNetwork().server from "bitecs-pipes/memory".',
    )
  const all = withDefaults('createServer', SERVER_OPTIONS, options)
  checkTogether(all)
  const { transport } = all
  return {
    ...all,
    transport: 'listen' in transport ? transport : joinTransports(transport),
    snapshotHistory: all.snapshotHistory ?? Math.max(8, Math.min(64, Math.ceil(all.tickRate * 1.6))),
    resumeTime: all.resumeTime ?? Math.max(0, Math.min(30, MAX_SILENT_TICKS / all.tickRate - all.timeout - 1)),
    authenticate: checkAuthenticate(all.authenticate),
    limits: limitsOf(schema, all.limits ?? {}),
    violationPolicy: policyOf(all.violationPolicy ?? {}),
    priority: priorityOf(schema, all.priority),
    onViolation: all.onViolation,
    allowZone: all.allowZone ?? (() => true),
    onError: all.onError ?? ((error: unknown, where: string) => console.error(`bitecs-pipes: ${where} threw`, error)),
    now: all.now ?? (() => performance.now() / 1000),
  }
}

/** The changes, checked, for `server.configure`. Throws as `createServer` does, and for what does not change while running. */
export const checkServerChanges = (
  schema: Schema<any>,
  changes: LiveServerOptions,
  now: Parameters<typeof checkTogether>[0],
) => {
  const { limits, violationPolicy, ...plain } = checkOptions('server.configure', SERVER_OPTIONS, changes, true)
  checkTogether({ ...now, ...plain })
  return {
    ...plain,
    ...(limits && { limits: limitsOf(schema, limits) }),
    ...(violationPolicy && { violationPolicy: policyOf(violationPolicy) }),
  }
}
