import { PERFECT_LINK, type LinkConditions } from '../net/conditioner.ts'
import { createDice, type Dice } from './dice.ts'

/** What happens to one client: when it joins, how its link is, how often it sends and receives. */
export interface ClientScenario {
  /** The tick in which it says hello. */
  readonly join: number
  /** Zones that it asks for when it is let in. */
  readonly zones: readonly number[]
  /** As of `ClientOptions`; left out: the default. */
  readonly updateRate?: number
  readonly commandRate?: number
  readonly interp?: number
  readonly up: LinkConditions
  readonly down: LinkConditions
}

/**
 * One thing that happens in one tick, or goes on for some. `object` is the number of a spawn, `client` an index into the
 * scenario's clients, `seed` that of the dice that decide the rest: an event means the same when others are left out.
 */
export type ScenarioEvent = { readonly tick: number } & (
  | {
      readonly kind: 'spawn'
      readonly object: number
      readonly name: string
      readonly zone: number
      readonly owner: number
      readonly seed: number
    }
  | { readonly kind: 'remove'; readonly object: number }
  | { readonly kind: 'move'; readonly object: number; readonly zone: number }
  | { readonly kind: 'own'; readonly object: number; readonly owner: number }
  | { readonly kind: 'write'; readonly object: number; readonly seed: number; readonly ticks: number }
  | { readonly kind: 'play'; readonly object: number; readonly seed: number; readonly ticks: number }
  | { readonly kind: 'tell'; readonly object: number; readonly seed: number }
  | { readonly kind: 'ask'; readonly object: number; readonly client: number; readonly seed: number }
  | { readonly kind: 'rule'; readonly name: string; readonly seed: number; readonly ticks: number }
  | {
      readonly kind: 'bot'
      readonly name: string
      readonly client: number
      readonly seed: number
      readonly ticks: number
    }
  | {
      readonly kind: 'interest'
      readonly client: number
      readonly operation: 'set' | 'add' | 'remove'
      readonly zones: readonly number[]
    }
  | {
      readonly kind: 'stall'
      readonly client: number
      readonly way: 'up' | 'down' | 'both'
      readonly isHeld: boolean
      readonly ticks: number
    }
  | { readonly kind: 'hide'; readonly client: number; readonly ticks: number }
  /** The connection breaks, and no other can be opened for so long. */
  | { readonly kind: 'cut'; readonly client: number; readonly ticks: number }
  | { readonly kind: 'leave'; readonly client: number; readonly isKicked: boolean }
  | { readonly kind: 'rejoin'; readonly client: number }
  | {
      readonly kind: 'show'
      readonly object: number
      readonly visibility: 'zone' | 'always' | 'never'
      /** For this client, or -1 for all. */
      readonly client: number
    }
  | { readonly kind: 'give'; readonly client: number; readonly zones: readonly number[] }
  | { readonly kind: 'revoke'; readonly client: number; readonly zone: number }
  | {
      readonly kind: 'rates'
      readonly client: number
      readonly byServer: boolean
      readonly updateRate: number
      readonly commandRate: number
    }
)

/** Options of the server that a scenario chooses, unless the game does; left out: the default. */
export interface ServerScenario {
  readonly tickRate: number
  readonly linger: number
  readonly packetsPerSend: number
  readonly snapshotHistory: number
  readonly maxBytesPerSecond: number
  /** `mark` only when the scenario alone writes to fields: it tells of each one. */
  readonly detect: 'compare' | 'mark'
  /** Seed of what each class in each zone is worth to each client; 0: all the same. */
  readonly priority: number
  /** Seed of what becomes of the objects of clients that leave; 0: they are removed. */
  readonly bequest: number
}

export type EventKind = ScenarioEvent['kind']

/** Everything that a run depends on, as plain data: the same scenario gives the same run, datagram by datagram. */
export interface Scenario {
  readonly seed: number
  /** Ticks in which things happen; what follows is the quiet. */
  readonly ticks: number
  /** Client frames in each tick. */
  readonly framesPerTick: number
  /** The server's first tick, uint32. */
  readonly firstTick: number
  /** Packets that go both ways, over a perfect link, before anything happens: how a packet sequence comes near its wrap. */
  readonly idle: number
  /** Of the links' luck. */
  readonly linkSeed: number
  readonly server: Partial<ServerScenario>
  readonly clients: readonly ClientScenario[]
  readonly events: readonly ScenarioEvent[]
}

/** How large and how wild scenarios are. */
export interface ScenarioOptions {
  /** Zones to play in. Default: five, two of them with large numbers. */
  readonly zones?: readonly number[]
  /** The most clients in an ordinary scenario; one in fifty has three times as many. Default 4. */
  readonly clients?: number
  /** The most ticks of action in an ordinary scenario; one in twelve has three times as many. Default 150. */
  readonly ticks?: number
  /** The most objects in an ordinary scenario; one in twenty has up to eight times as many. Default 14. */
  readonly objects?: number
  /** How often each kind of event happens beside the others; 0: never. Left out: as in {@link WEIGHTS}. */
  readonly weights?: Partial<Record<EventKind, number>>
}

/** How often each kind of event happens beside the others. */
export const WEIGHTS: Readonly<Record<EventKind, number>> = {
  spawn: 12,
  remove: 8,
  move: 8,
  own: 8,
  write: 26,
  play: 22,
  tell: 2,
  ask: 5,
  rule: 10,
  bot: 10,
  interest: 5,
  stall: 1.5,
  hide: 0.7,
  cut: 0.7,
  leave: 1,
  rejoin: 0.2,
  show: 3,
  give: 1,
  revoke: 1,
  rates: 1,
}

const RATES = [30, 30, 30, 20, 10, 60, 4]
const ZONES = [1, 2, 3, 70_000, 0xffffffff]
const LAST_TICK = 0xffffffff
/** Ticks after which the server has given a slot that became free to another object, if one comes. */
const SLOT_REST = 66
/** Packet sequences have 16 bits. */
const SEQUENCES = 0x10000
/** One seed in so many sees the packet sequence wrap: it costs as much as dozens of others. */
const WRAP_EVERY = 500

/** What there is to choose from: names of spawns, rules and bots. */
export interface Cast {
  readonly spawns: readonly string[]
  readonly rules: readonly string[]
  readonly bots: readonly string[]
}

const randomLink = (dice: Dice, cruelty: number): LinkConditions => {
  const link = { ...PERFECT_LINK }
  if (cruelty === 0) return link
  link.lag = dice.chance(0.8) ? dice.between(0, 0.15 * cruelty) : 0
  if (dice.chance(0.6)) link.jitter = dice.between(0, 0.06 * cruelty)
  if (dice.chance(0.75)) link.loss = dice.between(0, 0.4) ** (dice.chance(0.5) ? 1 : 1.7) * Math.min(1, cruelty)
  if (dice.chance(0.3)) link.burst = dice.between(1, 12)
  if (dice.chance(0.4)) link.reorder = dice.between(0, 0.3)
  if (dice.chance(0.4)) link.duplicate = dice.between(0, 0.3)
  return link
}

const randomClient = (dice: Dice, join: number, zones: readonly number[]): ClientScenario => {
  const cruelty = dice.pick([0, 0.5, 1, 1, 1, 1.5])
  const down = randomLink(dice, cruelty)
  // Some links lose what goes one way only: acknowledgements, above all.
  const up = dice.chance(0.5) ? { ...down } : randomLink(dice, dice.pick([0, 0.5, 1, 1.5]))
  if (dice.chance(0.1)) down.bandwidth = dice.between(6_000, 30_000)
  return {
    join,
    zones: someOf(zones, dice),
    updateRate: dice.pick(RATES),
    commandRate: dice.pick(RATES),
    interp: dice.pick([0, 0, 0, 0.1]),
    up,
    down,
  }
}

const someOf = (zones: readonly number[], dice: Dice): number[] => {
  const some = zones.filter(() => dice.chance(0.45))
  return some.length > 0 || dice.chance(0.1) ? some : [dice.pick(zones)]
}

type PickedKind = Exclude<EventKind, 'cut'>

/** Picks kinds by weight; cuts come by {@link addCuts}. */
const kindPicker = (weights: Readonly<Record<EventKind, number>>) => {
  const kinds = (Object.keys(weights) as PickedKind[]).filter(
    kind => (kind as EventKind) !== 'cut' && weights[kind] > 0,
  )
  const total = kinds.reduce((sum, kind) => sum + weights[kind], 0)
  return (dice: Dice): PickedKind => {
    let luck = dice() * total
    for (const kind of kinds) if ((luck -= weights[kind]) < 0) return kind
    return kinds[kinds.length - 1]!
  }
}

/** Connections that break, by dice of their own: with and without them a seed means the same otherwise. */
const addCuts = (
  events: ScenarioEvent[],
  seed: number,
  weights: Readonly<Record<EventKind, number>>,
  clients: number,
  tickRate: number,
  zones: readonly number[],
): void => {
  const dice = createDice(seed ^ 0xc07)
  const share = weights.cut / Object.values(weights).reduce((sum, weight) => sum + weight, 0)
  const planned = [...events]
  let objects = planned.filter(({ kind }) => kind === 'spawn').length
  for (const { tick } of planned.filter(() => dice.chance(share))) {
    const length = Math.ceil(dice.between(0, 4) ** 2 * 0.25 * tickRate)
    const former =
      weights.move > 0 && weights.own > 0 && dice.chance(0.5) ? spawnBefore(planned, tick, dice) : undefined
    // Most often it is the owner who does not hear of it.
    const isOwner = former && former.owner >= 0 && dice.chance(0.8)
    const client = isOwner ? former.owner : dice.below(clients)
    events.push({ tick, kind: 'cut', client, ticks: former ? Math.max(length, SLOT_REST + 10) : length })
    if (!former) continue
    // Meanwhile an object goes elsewhere and is handed over, and another takes its place: all of it is heard of at once.
    const { object, name, zone } = former
    const owner = () => (dice.chance(0.5) ? -1 : dice.below(clients))
    events.push({ tick: tick + 1, kind: 'move', object, zone: dice.pick(zones) })
    events.push({ tick: tick + 1, kind: 'own', object, owner: owner() })
    const later = tick + SLOT_REST + dice.below(8)
    events.push({
      tick: later,
      kind: 'spawn',
      object: objects++,
      name,
      zone,
      owner: owner(),
      seed: dice.below(2 ** 31),
    })
  }
}

/** An object that was spawned before a tick; where it is and whose, as far as it can be told. */
const spawnBefore = (events: readonly ScenarioEvent[], before: number, dice: Dice) => {
  const past = events.filter(({ tick }) => tick < before)
  const spawns = past.filter(event => event.kind === 'spawn')
  if (spawns.length === 0) return undefined
  const { object, name, zone, owner } = dice.pick(spawns)
  const moved = past.filter(event => event.kind === 'move' && event.object === object).at(-1)
  const handed = past.filter(event => event.kind === 'own' && event.object === object).at(-1)
  return {
    object,
    name,
    zone: moved?.kind === 'move' ? moved.zone : zone,
    owner: handed?.kind === 'own' ? handed.owner : owner,
  }
}

/** The scenario of a seed. */
export const createScenario = (seed: number, cast: Cast, options: ScenarioOptions = {}): Scenario => {
  const {
    zones: allZones = ZONES,
    clients: mostClients = 4,
    ticks: mostTicks = 150,
    objects: mostObjects = 14,
  } = options
  const dice = createDice(seed ^ 0x5eed)
  const isLarge = dice.chance(0.05)
  const isCrowded = dice.chance(0.02)
  // Many objects of few classes in few zones need several groups.
  const isDense = isLarge && dice.chance(0.6)
  const zones = isDense ? allZones.slice(0, 2) : allZones
  const spawns = isDense && cast.spawns.length > 2 ? [dice.pick(cast.spawns), dice.pick(cast.spawns)] : cast.spawns
  const isWrapped = seed % WRAP_EVERY === WRAP_EVERY / 2
  // Slots rest for a while before they are used again, and a link has to be bad for long to run into limits.
  const isLong = dice.chance(0.08)
  const ticks = dice.whole(Math.ceil(mostTicks / 4), mostTicks) * (isLong ? 3 : 1)
  const clientCount = isWrapped ? 1 : dice.whole(1, mostClients) * (isCrowded ? 3 : 1)
  const clients = Array.from({ length: clientCount }, (_, index) =>
    randomClient(dice, index === 0 || dice.chance(0.5) ? 0 : dice.below(ticks), zones),
  )
  const weights: Record<EventKind, number> = { ...WEIGHTS, ...options.weights }
  const tickRate = dice.pick([30, 30, 30, 30, 20, 60, 10])
  const stalledUntil = clients.map(() => 0)
  if (cast.spawns.length === 0) weights.spawn = 0
  if (cast.rules.length === 0) weights.rule = 0
  if (cast.bots.length === 0) weights.bot = 0
  const events: ScenarioEvent[] = []
  const alive: number[] = []
  // As far as it can be told beforehand: -1 is the server.
  const owners: number[] = []
  let objects = 0
  const limit = isLarge ? mostObjects * 8 : dice.whole(1, mostObjects)
  const randomSeed = () => dice.below(2 ** 31)
  const owner = () => (dice.chance(0.4) ? -1 : dice.below(clientCount))
  const spawn = (tick: number) => {
    if (weights.spawn === 0) return
    // One in ten starts in no zone.
    const zone = dice.chance(0.1) ? 0 : dice.pick(zones)
    owners[objects] = owner()
    events.push({
      tick,
      kind: 'spawn',
      object: objects,
      name: dice.pick(spawns),
      zone,
      owner: owners[objects]!,
      seed: randomSeed(),
    })
    alive.push(objects++)
  }
  const pickKind = kindPicker(weights)
  const happen = (tick: number) => {
    const kind = pickKind(dice)
    const client = dice.below(clientCount)
    const object = alive.length > 0 ? dice.pick(alive) : -1
    const seed = randomSeed()
    // Motion goes on for a while; most values change once.
    const span = dice.chance(0.3) ? dice.whole(2, 20) : 1
    switch (kind) {
      case 'spawn':
        if (alive.length < limit) spawn(tick)
        return
      case 'remove':
        if (object >= 0) {
          alive.splice(alive.indexOf(object), 1)
          events.push({ tick, kind, object })
          // What comes at once in its place takes over its entity id, and soon its slot.
          if (dice.chance(0.4)) spawn(tick)
        }
        return
      case 'move':
        if (object >= 0) events.push({ tick, kind, object, zone: dice.pick(zones) })
        return
      case 'own':
        if (object >= 0) events.push({ tick, kind, object, owner: (owners[object] = owner()) })
        return
      case 'play': {
        const owned = alive.filter(each => owners[each]! >= 0)
        if (owned.length > 0) events.push({ tick, kind, object: dice.pick(owned), seed, ticks: span })
        return
      }
      case 'write':
        if (object < 0) return
        events.push({ tick, kind, object, seed, ticks: span })
        // Handed over in full motion: the new owner has not been shown the newest yet.
        if (weights.own > 0 && dice.chance(0.1))
          events.push({ tick: tick + span, kind: 'own', object, owner: (owners[object] = owner()) })
        return
      case 'tell':
        if (object >= 0) events.push({ tick, kind, object, seed })
        return
      case 'ask':
        // Owners may ask more than others, so it is mostly they who do.
        if (object >= 0) {
          const asking = owners[object]! >= 0 && dice.chance(0.7) ? owners[object]! : client
          events.push({ tick, kind, object, client: asking, seed })
        }
        return
      case 'rule':
        events.push({ tick, kind, name: dice.pick(cast.rules), seed, ticks: span })
        return
      case 'bot':
        events.push({ tick, kind, name: dice.pick(cast.bots), client, seed, ticks: span })
        return
      case 'interest':
        events.push({
          tick,
          kind,
          client,
          operation: dice.pick(['set', 'set', 'add', 'remove']),
          zones: someOf(zones, dice),
        })
        return
      case 'stall': {
        // One at a time: a server has no patience with a connection that does not say hello for 10 s.
        if (tick < stalledUntil[client]!) return
        const length = Math.ceil(dice.between(0.15, 2.5) * tickRate)
        stalledUntil[client] = tick + length + tickRate
        events.push({
          tick,
          kind,
          client,
          way: dice.pick(['up', 'down', 'both']),
          isHeld: dice.chance(0.4),
          ticks: length,
        })
        return
      }
      case 'hide':
        events.push({ tick, kind, client, ticks: dice.whole(5, 60) })
        return
      case 'leave':
        events.push({ tick, kind, client, isKicked: dice.chance(0.3) })
        if (weights.rejoin > 0 && dice.chance(0.6))
          events.push({ tick: tick + dice.whole(3, 40), kind: 'rejoin', client })
        return
      case 'rejoin':
        events.push({ tick, kind, client })
        return
      case 'show': {
        const visibility = dice.pick(['zone', 'always', 'never'] as const)
        if (object >= 0) events.push({ tick, kind, object, visibility, client: dice.chance(0.5) ? -1 : client })
        return
      }
      case 'give':
        events.push({ tick, kind, client, zones: dice.chance(0.3) ? [] : someOf(zones, dice) })
        return
      case 'revoke':
        events.push({ tick, kind, client, zone: dice.pick(zones) })
        return
      default: {
        const [updateRate, commandRate] = [dice.pick(RATES), dice.pick(RATES)]
        events.push({ tick, kind, client, byServer: dice.chance(0.5), updateRate, commandRate })
      }
    }
  }
  for (let count = dice.whole(0, isLarge ? limit : Math.min(limit, 6)); count > 0; count--) spawn(0)
  const pace = dice.between(0.2, isLarge ? 2.5 : 1.6)
  for (let tick = 0, credit = 0; tick < ticks; tick++) for (credit += pace; credit >= 1; credit--) happen(tick)
  if (weights.cut > 0) addCuts(events, seed, weights, clientCount, tickRate, zones)
  events.sort((a, b) => a.tick - b.tick)
  const idle = isWrapped ? SEQUENCES - dice.whole(5, 60) : 0
  // Every fourth lives through the wrap of the tick counter; when that is depends on what is idled away before.
  const firstTick = seed % 4 === 0 ? (LAST_TICK - idle - dice.below(ticks + 20)) >>> 0 : 0
  return {
    seed,
    // What came in place of another is seen, too.
    ticks: events.reduce((most, { tick }) => Math.max(most, tick + 1), ticks),
    framesPerTick: dice.chance(0.2) ? 2 : 1,
    firstTick,
    idle,
    linkSeed: seed,
    server: {
      tickRate,
      linger: dice.chance(0.2) ? dice.between(0.1, 1) : 0,
      packetsPerSend: dice.pick([2, 2, 1, 4]),
      snapshotHistory: dice.pick([64, 64, 16, 8]),
      maxBytesPerSecond: dice.chance(0.15) ? dice.whole(6_000, 20_000) : 96 * 1024,
      detect: dice.chance(0.2) ? 'mark' : 'compare',
      priority: dice.chance(0.2) ? randomSeed() : 0,
      bequest: dice.chance(0.3) ? randomSeed() : 0,
    },
    clients,
    events,
  }
}
