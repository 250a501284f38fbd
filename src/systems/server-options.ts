import { infosOf, type Schema } from '../components/index.ts'
import { columnKind, type DCClass, type DCField } from '../dc/index.ts'
import { CODECS, type CodecName } from '../net/codec.ts'
import { MAX_ZONES } from '../net/interest.ts'
import type { ServerTransport } from '../net/transport.ts'
import { inRange } from './option-range.ts'
import type {
  FieldLimit,
  ServerClient,
  ServerState,
  Violation,
  ViolationAction,
  ViolationPolicy,
} from './server-state.ts'
import { ACTIONS, POLICY } from './violations.ts'

export interface ServerOptions {
  /** How clients reach the server: `geckos()` from `bitecs-pipes/geckos/server`, or `memoryNetwork().server`. */
  readonly transport: ServerTransport
  /** Ticks a second, for clients' clocks: call `replicate` that often (see {@link tickLoop}). 1..1000. Default 30. */
  readonly tickRate?: number
  /** Clients at once. 1..65535. Default 24. */
  readonly maxClients?: number
  /** What clients must know to get in. Default: nothing. */
  readonly password?: string
  /** Fewest packets a second that a client can ask for. Default 1. */
  readonly minUpdateRate?: number
  /** Most packets a second that a client can ask for. Default 255; never more than the tick rate. */
  readonly maxUpdateRate?: number
  /** Seconds without a packet after which a client counts as gone. Default 10. */
  readonly timeout?: number
  /** Seconds between two pings of `client.stats`, whose averages are over 16 of them. 0.01..60. Default 0.25. */
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
   * How often each client may send a field, besides: `{ 'Avatar.say': { rate: 2, burst: 10 }, '*': { rate: 20 } }`, where `*` is each of the
   * others. Of messages, of owner-written strings, blobs and lists, and of what `writeField` writes, over all objects; an inherited field has
   * one limit, under any of its classes' names. Default: a field may use all of `messageRate`. Beyond it as with `messageRate`.
   */
  readonly limits?: Readonly<Record<string, FieldLimit>>
  /**
   * What is done with a client besides refusing: `ignore`, `warn` (tell `onError`, ever more rarely) or `kick`. Default: `kick` for
   * `flooded`, as its reliable messages cannot be dropped (unreliable ones are, whatever is said here), else `ignore`.
   */
  readonly violationPolicy?: Partial<ViolationPolicy>
  /**
   * Told each time that a client which has signed in tries what it may not, right when it is refused; may return what to do instead of the
   * policy. Such as: `(client, { kind }) => (kind === 'forbidden' && client.violations.forbidden > 20 ? 'kick' : undefined)`.
   */
  readonly onViolation?: (client: ServerClient, violation: Violation) => ViolationAction | void
  /** Bytes a second that one client is sent at most; less while its link fills up. 1024 and up. Default 96 KB. */
  readonly maxBytesPerSecond?: number
  /**
   * How many sends state may build on what was sent last and not yet acknowledged: fewer bytes, but a lost datagram costs
   * those after it too; less on links that lose. 1: never, every datagram can be decoded by itself. 1..8. Default 8.
   */
  readonly maxChain?: number
  /** Datagrams that a client which lacks much is sent at once, as when it joins; else it is one. 1..64. Default 2. */
  readonly packetsPerSend?: number
  /** Zones that a client can ask for at once. 1..256. Default 256. */
  readonly maxZones?: number
  /**
   * Seconds that a zone which a client does not want any more is sent on, so that walking along a border is cheap; not when
   * `allowZone` or `revokeZone` take it away, nor beyond `maxZones`. 0..60. Default 0.
   */
  readonly linger?: number
  /** Frames of each group that are kept as baselines: the seconds of change that a client may be behind. 8..64. Default: 1.6 seconds of ticks. */
  readonly snapshotHistory?: number
  /**
   * How state is written: `range` foretells movement and codes what is left over with a range coder, in the fewest bytes;
   * `plain` is quicker to read in a dump. Default `range`.
   */
  readonly codec?: CodecName
  /** What {@link Server.codecTables} gave in an earlier run with the same schema: fewest bytes from the first second. */
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
   * What the objects of a class in a zone are worth to a client, looked at four times a second. The worthier go first
   * when the budget is short; 0.5, 0.25 and 0.125 are also sent to it only every 2nd, 4th and 8th time. Default 1.
   */
  readonly priority?: (client: ServerClient, zone: number, dclass: DCClass) => number
  /** Whether a client may see a zone that it asks for. Default: yes. */
  readonly allowZone?: (client: ServerClient, zone: number) => boolean
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
const limitsOf = (schema: Schema<any>, limits: Readonly<Record<string, FieldLimit>>): Map<number, FieldLimit> => {
  const byNumber = new Map<number, FieldLimit>()
  const fields = infosOf(schema).flatMap(({ dclass }) =>
    dclass.inherited.map(field => ({ name: `${dclass.name}.${field.name}`, field })),
  )
  const { '*': others, ...named } = limits
  for (const [name, limit] of Object.entries(limits)) {
    inRange(`limits['${name}'].rate`, limit.rate, 0.001, 1e6, 'a second')
    inRange(`limits['${name}'].burst`, limit.burst ?? 1, 1, 1e9, 'at once')
  }
  if (others) for (const { field } of fields) if (!unlimitable(field)) byNumber.set(field.number, others)
  for (const [name, limit] of Object.entries(named)) {
    const field = fields.find(each => each.name === name)?.field
    if (!field)
      throw new TypeError(`limits: the schema has no field "${name}": name one as 'Avatar.say', or all as '*'.`)
    const why = unlimitable(field)
    if (why) throw new TypeError(`limits: ${name} ${why}. Take it out.`)
    byNumber.set(field.number, limit)
  }
  return byNumber
}

const policyOf = (policy: Partial<ViolationPolicy>): ViolationPolicy => {
  for (const [kind, action] of Object.entries(policy))
    if (!(kind in POLICY) || !ACTIONS.includes(action))
      throw new TypeError(
        `violationPolicy: ${kind}: ${String(action)}; give ${Object.keys(POLICY).join(', ')} as ${ACTIONS.join(', ')}.`,
      )
  return { ...POLICY, ...policy }
}

const codecOf = ({ codec = 'range' }: ServerOptions): CodecName => {
  if (!CODECS.includes(codec)) throw new TypeError(`codec is ${String(codec)}: give ${CODECS.join(' or ')}.`)
  return codec
}

/** What the options come to: checked, and with defaults for what was left out. */
export type ServerSettings = Pick<
  ServerState,
  | 'transport'
  | 'tickRate'
  | 'maxClients'
  | 'password'
  | 'minUpdateRate'
  | 'maxUpdateRate'
  | 'timeout'
  | 'pingInterval'
  | 'messageRate'
  | 'messageBytes'
  | 'maxBytesPerSecond'
  | 'maxChain'
  | 'packetsPerSend'
  | 'maxZones'
  | 'linger'
  | 'detect'
  | 'priority'
  | 'allowZone'
  | 'onError'
  | 'now'
  | 'interestRate'
  | 'limits'
  | 'violationPolicy'
  | 'onViolation'
  | 'tick'
>

/** What the store is made with. */
export interface StoreSettings {
  readonly codec: CodecName
  /** Frames. */
  readonly snapshotHistory: number
}

/** Throws a `RangeError` or `TypeError` for options that make no sense. */
export const checkServerOptions = (schema: Schema<any>, options: ServerOptions): ServerSettings & StoreSettings => {
  if (!options.transport)
    throw new TypeError(
      'createServer needs a transport: geckos() from "bitecs-pipes/geckos/server" (install @geckos.io/server), ' +
        'or memoryNetwork().server from "bitecs-pipes/memory".',
    )
  const tickRate = inRange('tickRate', options.tickRate ?? 30, 1, 1000, 'ticks a second')
  const history = options.snapshotHistory ?? Math.max(8, Math.min(64, Math.ceil(tickRate * 1.6)))
  return {
    codec: codecOf(options),
    snapshotHistory: inRange('snapshotHistory', history, 8, 64, 'frames'),
    transport: options.transport,
    tickRate,
    maxClients: inRange('maxClients', options.maxClients ?? 24, 1, 0xffff, 'clients'),
    password: options.password ?? '',
    minUpdateRate: inRange('minUpdateRate', options.minUpdateRate ?? 1, 1, 255, 'packets a second'),
    maxUpdateRate: inRange('maxUpdateRate', options.maxUpdateRate ?? 255, 1, 255, 'packets a second'),
    timeout: inRange('timeout', options.timeout ?? 10, 0.1, 3600, 'seconds'),
    pingInterval: inRange('pingInterval', options.pingInterval ?? 0.25, 0.01, 60, 'seconds'),
    messageRate: inRange('messageRate', options.messageRate ?? 60, 1, 100_000, 'messages a second'),
    messageBytes: inRange('messageBytes', options.messageBytes ?? 32 * 1024, 1, 1e9, 'bytes a second'),
    maxBytesPerSecond: inRange(
      'maxBytesPerSecond',
      options.maxBytesPerSecond ?? 96 * 1024,
      1024,
      1e9,
      'bytes a second',
    ),
    maxChain: inRange('maxChain', options.maxChain ?? 8, 1, 8, 'sends'),
    packetsPerSend: inRange('packetsPerSend', options.packetsPerSend ?? 2, 1, 64, 'datagrams'),
    maxZones: inRange('maxZones', options.maxZones ?? MAX_ZONES, 1, MAX_ZONES, 'zones'),
    linger: inRange('linger', options.linger ?? 0, 0, 60, 'seconds'),
    detect: options.detect ?? 'compare',
    priority: options.priority,
    allowZone: options.allowZone ?? (() => true),
    onError: options.onError ?? ((error, where) => console.error(`bitecs-pipes: ${where} threw`, error)),
    now: options.now ?? (() => performance.now() / 1000),
    interestRate: inRange('interestRate', options.interestRate ?? 20, 1, 100_000, 'requests a second'),
    limits: limitsOf(schema, options.limits ?? {}),
    violationPolicy: policyOf(options.violationPolicy ?? {}),
    onViolation: options.onViolation,
    tick: inRange('firstTick', options.firstTick ?? 0, 0, 0xffffffff, '') >>> 0,
  }
}
