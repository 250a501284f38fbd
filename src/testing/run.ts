import { addComponent, addEntity, hasComponent, query, removeEntity, type EntityId, type World } from 'bitecs'
import { createClient } from '../client.ts'
import { Alive, infoOf, Owned, type Schema } from '../components/index.ts'
import type { LinkConditions } from '../net/conditioner.ts'
import { memoryNetwork, type LinkPair, type MemoryNetwork } from '../net/memory.ts'
import type { ClientTransport, Connection } from '../net/transport.ts'
import {
  createServer,
  type Bequest,
  type Server,
  type ServerClient,
  type ServerOptions,
  type Visibility,
} from '../server.ts'
import { createDice, type Dice } from './dice.ts'
import { provideAll } from './provide.ts'
import type { ClientSide, PreparedGame, ServerSide } from './game.ts'
import { auditField, createLedger, noteField, type Ledger } from './ledger.ts'
import { differences, elementOf, show } from './oracle.ts'
import { plansOf, type ClassPlan, type FieldPlan } from './plan.ts'
import { randomValue } from './random-value.ts'
import type { ClientScenario, Scenario, ScenarioEvent } from './scenario.ts'
import { turn } from './worlds.ts'

/** Why a run failed. */
export interface Failure {
  /**
   * `difference`: a client shows something else than it should; `error`: something was thrown or reported; `session`: one
   * ended by itself, or did not begin; `lost`: all agree, on another value than the one that was written; `protocol`: an
   * honest side counted what only a broken one sends.
   */
  readonly kind: 'difference' | 'error' | 'session' | 'lost' | 'protocol'
  /** What is wrong, a line each. */
  readonly lines: readonly string[]
}

/** What came of a run. */
export interface Outcome {
  readonly failure: Failure | undefined
  /** Ticks in all, with the quiet. */
  readonly ticks: number
  /** Seconds of quiet until every client showed what it should; those that the limit allows when one never did. */
  readonly settled: number
  readonly clients: number
  readonly objects: number
  /** Datagrams and bytes sent, both ways. */
  readonly datagrams: number
  readonly bytes: number
  /** What happened, a line each, when asked for. */
  readonly log: readonly string[]
}

export interface RunOptions {
  /** Seconds of quiet after which every client must show what it should. Default 30. */
  readonly patience?: number
  /** Whether to write down what happens. */
  readonly isLogged?: boolean
  /** Told of the run's server, before anybody joins. */
  readonly onServer?: (server: Server) => void
  /**
   * Told after each tick of the action how long the server took for it, in real milliseconds, and what was sent until
   * then.
   */
  readonly onTick?: (tick: number, milliseconds: number, sent: MemoryNetwork['stats']) => void
}

/** Seconds of quiet. */
const PATIENCE = 30
/** Ticks between two looks at whether all is well by now. */
const LOOK_EVERY = 5
/** Ticks for which it must stay so: what the network still holds must not undo it. */
const STAY = 15
/**
 * Datagrams that the quiet's loss bursts have at the most, on average. A burst is counted in datagrams, and a stopped
 * sender probes but now and then: longer ones would be minutes of silence, as no link has them for all that.
 */
const QUIET_BURST = 4
/** Seconds: stalls and patience are shorter, so that no session ends by them. */
const TIMEOUT = 60
const NOTHING_LOST: LinkConditions = { lag: 0, jitter: 0, loss: 0, duplicate: 0, reorder: 0 }

interface Actor extends ClientSide<any> {
  readonly plan: ClientScenario
  readonly link: LinkPair
  readonly line: Line
  /** Zones that it asked for, that it was refused since or had taken away, and that it was given: what the oracle goes by. */
  readonly requested: Set<number>
  readonly denied: Set<number>
  readonly given: Set<number>
  state: 'connecting' | 'in' | 'out' | 'failed'
  hiddenUntil: number
  ended: string
}

/** A client's way to the server, which the scenario may break. */
interface Line {
  readonly transport: ClientTransport
  /** Both ends are told that the connection is gone; another one is not open before `mend`. */
  cut(): void
  mend(): void
}

const createLine = (transport: ClientTransport): Line => {
  let waiting: (() => void)[] | undefined
  let connection: Connection | undefined
  return {
    transport: {
      async connect() {
        if (waiting) await new Promise<void>(resolve => waiting!.push(resolve))
        return (connection = await transport.connect())
      },
    },
    cut() {
      waiting ??= []
      connection?.close()
      connection?.onClose()
      connection = undefined
    },
    mend() {
      for (const open of waiting ?? []) open()
      waiting = undefined
    },
  }
}

interface Spawned {
  readonly eid: EntityId
  readonly doId: number
  readonly plan: ClassPlan
  readonly ledger: Ledger
  /** Who sees it by a rule of its own, by client id; 0 is for all. */
  readonly visibility: Map<number, Visibility>
}

/** Something that goes on for some ticks. */
interface Activity {
  readonly until: number
  readonly side: 'server' | 'client'
  act(): void
}

/** A run in the making. */
interface Run {
  readonly prepared: PreparedGame
  readonly scenario: Scenario
  readonly side: ServerSide<any>
  readonly actors: (Actor | undefined)[]
  readonly objects: Map<number, Spawned>
  /** The newest spawn with an entity id. */
  readonly byEid: Map<EntityId, Spawned>
  readonly errors: string[]
  readonly log: string[] | undefined
  activities: Activity[]
  /** The objects (doIds) that each client (id) was ever the owner of. */
  readonly onceOwned: Map<number, Set<number>>
  /** When each client can be reached again, if it cannot. */
  readonly cutUntil: Map<number, number>
  stalls: {
    readonly client: number
    readonly up: boolean
    readonly down: boolean
    readonly isHeld: boolean
    readonly until: number
  }[]
  tick: number
}

/**
 * Plays a scenario to its end and compares. Never rejects for what it finds: that is in `failure`. The same scenario
 * gives the same run.
 */
export const play = async (prepared: PreparedGame, scenario: Scenario, options: RunOptions = {}): Promise<Outcome> => {
  const { patience = PATIENCE } = options
  const { game } = prepared
  const tickRate = game.server?.tickRate ?? scenario.server.tickRate ?? 30
  let time = 0
  const now = () => time
  const network = memoryNetwork({ seed: scenario.linkSeed, now })
  const makeWorld = prepared.makeWorlds()
  const errors: string[] = []
  const onError = (error: unknown, where: string) => errors.push(`${where}: ${describeError(error)}`)
  const actors: (Actor | undefined)[] = scenario.clients.map(() => undefined)
  const world = makeWorld()
  const schema = prepared.takeSchema()
  const allowZone = game.server?.allowZone
  let isReceiving = false
  const server = createServer(world, schema, {
    timeout: TIMEOUT,
    firstTick: scenario.firstTick,
    ...serverOptions(scenario, game),
    ...(scenario.server.bequest ? { whenOwnerLeaves: (eid: EntityId) => bequeath(run, eid) } : {}),
    ...game.server,
    tickRate,
    transport: network.server,
    now,
    onError,
    allowZone(client: ServerClient, zone: number) {
      const isAllowed = allowZone?.(client, zone) ?? true
      // Asked at other times it is about a zone that lingers.
      if (!isReceiving) return isAllowed
      const denied = actors.find(actor => actor?.client.clientId === client.id)?.denied
      if (isAllowed) denied?.delete(zone)
      else denied?.add(zone)
      return isAllowed
    },
  })
  options.onServer?.(server)
  const side: ServerSide<any> = { world, schema, server, now }
  const run: Run = {
    prepared,
    scenario,
    side,
    actors,
    objects: new Map(),
    byEid: new Map(),
    errors,
    log: options.isLogged ? [] : undefined,
    activities: [],
    onceOwned: new Map(),
    cutUntil: new Map(),
    stalls: [],
    tick: 0,
  }
  const frameTime = 1 / tickRate / scenario.framesPerTick
  let ticks = 0

  const join = async (index: number) => {
    actors[index] ??= createActor(run, index, makeWorld(), now, onError, (link, plan) =>
      game.tap ? game.tap(network.client(undefined, link), plan) : network.client(undefined, link),
    )
    await signIn(run, actors[index])
  }

  /** One tick: the server's frame and the clients'. `isActive`: whether events and the game go on. */
  const step = async (isActive: boolean, events: readonly ScenarioEvent[]) => {
    ticks++
    for (let frame = 0; frame < scenario.framesPerTick; frame++) {
      time += frameTime
      network.deliver()
      if (frame === 0) {
        const start = options.onTick ? performance.now() : 0
        isReceiving = true
        server.receive(world)
        isReceiving = false
        if (isActive) {
          for (const event of events) actAtServer(run, event)
          run.activities = run.activities.filter(activity => activity.until > run.tick)
          for (const activity of run.activities) if (activity.side === 'server') activity.act()
          game.tick?.(side)
        }
        server.replicate(world)
        if (isActive) options.onTick?.(run.tick, performance.now() - start, network.stats)
        noteOwners(run)
      }
      for (const actor of actors) if (actor && actor.hiddenUntil <= run.tick) showFrame(run, actor)
      if (frame === 0 && isActive) {
        for (const event of events) actAtClient(run, event)
        for (const activity of run.activities) if (activity.side === 'client') activity.act()
      }
      for (const actor of actors) actor?.client.send(actor.world)
    }
    for (const event of events) if (event.kind === 'rejoin' && isAway(actors[event.client])) await join(event.client)
  }

  let failure: Failure | undefined
  let settled = patience
  try {
    answerAsked(run)
    provideAll(server, schema, createDice(scenario.seed))
    game.start?.(side)
    if (scenario.idle > 0 && scenario.clients.length > 0) {
      await join(0)
      for (let count = 0; count < scenario.idle; count++) await step(false, [])
    }
    let next = 0
    for (; run.tick < scenario.ticks; run.tick++) {
      for (let index = 0; index < actors.length; index++)
        if (!actors[index] && scenario.clients[index]!.join <= run.tick) await join(index)
      const first = next
      while (next < scenario.events.length && scenario.events[next]!.tick <= run.tick) next++
      const events = first === next ? NO_EVENTS : scenario.events.slice(first, next)
      for (const event of events) if (event.kind === 'stall') startStall(run, event)
      condition(run)
      if (mendLines(run, run.tick)) await turn()
      await step(true, events)
    }
    run.activities = []
    if (mendLines(run, Infinity)) await turn()
    const lastHeld = Math.max(0, ...run.stalls.map(stall => stall.until - run.tick))
    run.stalls = []
    condition(run)
    for (const actor of actors)
      for (const link of actor ? [actor.link.up, actor.link.down] : [])
        if (link.burst !== undefined) link.burst = Math.min(link.burst, QUIET_BURST)
    for (const actor of actors) if (actor) actor.hiddenUntil = 0
    const limit = Math.ceil(patience * tickRate)
    let good = -1
    for (let quiet = 0; quiet <= limit; quiet++, run.tick++) {
      // What comes late, such as a request that had to be sent again, may change things once more.
      if (quiet % LOOK_EVERY === 0) {
        if (!isSettled(run)) good = -1
        else if (good < 0) good = quiet
        if (good >= 0 && quiet >= Math.max(good, lastHeld) + STAY) break
      }
      if (errors.length > 0) break
      await step(false, NO_EVENTS)
    }
    if (good >= 0) settled = good / tickRate
    failure = judge(run)
  } catch (error) {
    errors.push(describeError(error))
  }
  if (errors.length > 0) failure = { kind: 'error', lines: errors.slice(0, 10) }
  for (const actor of actors) actor?.client.disconnect()
  await server.close()
  await turn()
  prepared.release()
  const { up, down } = network.stats
  return {
    failure,
    ticks,
    settled,
    clients: actors.filter(Boolean).length,
    objects: run.objects.size,
    datagrams: up.sent + down.sent,
    bytes: up.bytes + down.bytes,
    log: run.log ?? [],
  }
}

const isOpen = ({ client }: Actor): boolean => client.state === 'connected' || client.state === 'reconnecting'

/** Left, and knows it. */
const isAway = (actor: Actor | undefined): boolean => actor?.state === 'out' && actor.client.state === 'closed'

const NO_EVENTS: readonly ScenarioEvent[] = []

/** What a scenario has of the server's options: the game's own go before. */
const serverOptions = ({ server }: Scenario, game: PreparedGame['game']): Partial<ServerOptions> => {
  const { priority: seed = 0, detect, bequest: _, ...numbers } = server
  return {
    ...numbers,
    ...(detect === 'mark' && isOnlyRandom(game) && !game.spawn ? { detect } : {}),
    ...(seed === 0
      ? {}
      : {
          priority: (client, zone, dclass) =>
            WORTHS[(client.id + zone + infoOf(dclass).dclass.number + seed) % WORTHS.length]!,
        }),
  }
}

/** Removed, kept, or handed to any of those that are there. */
const bequeath = (run: Run, eid: EntityId): Bequest => {
  const { clients } = run.side.server
  const bequests: Bequest[] = ['remove', 'keep', ...clients.values()]
  const bequest = bequests[(eid + run.tick + run.scenario.server.bequest!) % bequests.length]!
  const ledger = run.byEid.get(eid)?.ledger
  // What its owner wrote last need not have come.
  if (ledger) ledger.isDisputed = true
  if (ledger && typeof bequest === 'object') ledger.isHandedOver = true
  say(
    run,
    `the owner of entity ${eid} left: ${typeof bequest === 'object' ? `client id ${bequest.id} gets it` : bequest}`,
  )
  return bequest
}

const WORTHS = [1, 0.5, 2, 0.25, 0.125]

const describeError = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : show(error)

const createActor = (
  run: Run,
  index: number,
  world: World,
  now: () => number,
  onError: (error: unknown, where: string) => void,
  connectBy: (link: LinkPair, index: number) => ReturnType<ReturnType<typeof memoryNetwork>['client']>,
): Actor => {
  const { prepared, scenario } = run
  const plan = scenario.clients[index]!
  const isFirst = index === 0 && scenario.idle > 0
  const link: LinkPair = isFirst
    ? { up: { ...NOTHING_LOST }, down: { ...NOTHING_LOST } }
    : { up: { ...plan.up }, down: { ...plan.down } }
  const schema: Schema<any> = prepared.takeSchema()
  const line = createLine(connectBy(link, index))
  const client = createClient(world, schema, {
    ...(plan.updateRate === undefined ? {} : { updateRate: plan.updateRate }),
    ...(plan.commandRate === undefined ? {} : { commandRate: plan.commandRate }),
    ...(plan.interp === undefined ? {} : { interp: plan.interp }),
    timeout: TIMEOUT,
    ...prepared.game.client,
    // Nothing but packets counts while a sequence is brought to its wrap.
    ...(isFirst ? { updateRate: 255, commandRate: 255 } : {}),
    transport: line.transport,
    now,
    onError: (error, where) => onError(error, `client ${index}, ${where}`),
  })
  const actor: Actor = {
    world,
    schema,
    client,
    index,
    now,
    plan,
    link,
    line,
    requested: new Set(),
    denied: new Set(),
    given: new Set(),
    state: 'connecting',
    hiddenUntil: 0,
    ended: '',
  }
  listenToInterest(actor)
  client.onDisconnect(reason => {
    if (actor.state === 'in') actor.ended = reason
    for (const zones of [actor.requested, actor.denied, actor.given]) zones.clear()
  })
  return actor
}

/** Whoever asks for zones, the scenario or the game's own bots: the oracle has to know. */
const listenToInterest = ({ client, requested }: Actor): void => {
  const { interest } = client
  const { set, add, remove } = interest
  Object.assign(interest, {
    set(zones: readonly number[]) {
      const answer = set(zones)
      requested.clear()
      for (const zone of zones) requested.add(zone)
      return answer
    },
    add(zones: readonly number[]) {
      const answer = add(zones)
      for (const zone of zones) requested.add(zone)
      return answer
    },
    remove(zones: readonly number[]) {
      const answer = remove(zones)
      for (const zone of zones) requested.delete(zone)
      return answer
    },
  })
}

const signIn = async (run: Run, actor: Actor): Promise<void> => {
  const { game } = run.prepared
  actor.state = 'connecting'
  say(run, `client ${actor.index} signs in`)
  actor.client.connect(game.hello?.(actor.index, createDice(run.scenario.seed + actor.index))).catch((error: Error) => {
    if (actor.state !== 'connecting') return
    actor.state = 'failed'
    actor.ended = error.message
  })
  await turn()
}

const say = (run: Run, text: string): void => {
  run.log?.push(`tick ${run.tick}: ${text}`)
}

/** The client's half of a frame that is drawn. */
const showFrame = (run: Run, actor: Actor): void => {
  const { client, world } = actor
  if (actor.state === 'connecting' && client.state === 'connected') {
    actor.state = 'in'
    run.prepared.game.joined?.(actor)
    if (actor.plan.zones.length > 0) {
      say(run, `client ${actor.index} is let in and asks for zones ${actor.plan.zones.join(', ')}`)
      void client.interest.set(actor.plan.zones)
    }
  }
  client.receive(world)
  client.interpolate(world)
}

/** Returns whether anybody may connect now who had to wait. */
const mendLines = ({ cutUntil, actors }: Run, tick: number): boolean => {
  let isAny = false
  for (const [index, until] of cutUntil) {
    if (until > tick) continue
    cutUntil.delete(index)
    actors[index]!.line.mend()
    isAny = true
  }
  return isAny
}

type Stall = Extract<ScenarioEvent, { kind: 'stall' }>

const startStall = (run: Run, { client, way, isHeld, ticks }: Stall): void => {
  say(
    run,
    `client ${client}: the link ${isHeld ? 'holds back' : 'loses'} everything ${way === 'both' ? 'both ways' : way} for ${ticks} ticks`,
  )
  run.stalls.push({ client, up: way !== 'down', down: way !== 'up', isHeld, until: run.tick + ticks })
}

/** Sets every link as its scenario and the stalls have it in this tick. */
const condition = (run: Run): void => {
  if (run.stalls.length === 0 && run.tick > 0 && run.tick < run.scenario.ticks && !run.scenario.idle) return
  const tickRate = run.side.server.tickRate
  for (const actor of run.actors) {
    if (!actor) continue
    Object.assign(actor.link.up, actor.plan.up)
    Object.assign(actor.link.down, actor.plan.down)
  }
  for (const stall of run.stalls) {
    const link = run.actors[stall.client]?.link
    const left = (stall.until - run.tick) / tickRate
    if (!link || left <= 0) continue
    for (const conditions of [...(stall.up ? [link.up] : []), ...(stall.down ? [link.down] : [])])
      if (stall.isHeld) Object.assign(conditions, { lag: conditions.lag + left, jitter: 0 })
      else conditions.loss = 1
  }
  if (run.stalls.length > 0) run.stalls = run.stalls.filter(stall => stall.until >= run.tick)
}

/** Also of who has not heard yet which client it is. */
const noteOwners = ({ side: { world, schema }, onceOwned }: Run): void => {
  const { doId, owner } = schema.DistributedObject
  for (const eid of query(world, [schema.DistributedObject])) {
    const id = owner[eid]!
    if (id === 0) continue
    if (!onceOwned.has(id)) onceOwned.set(id, new Set())
    onceOwned.get(id)!.add(doId[eid]!)
  }
}

const clientOf = (run: Run, index: number): ServerClient | undefined => {
  const actor = run.actors[index]
  return actor?.state === 'in' ? run.side.server.clients.get(actor.client.clientId) : undefined
}

/** A spawn that is still there: leaving owners take theirs along, and rules remove what they like. */
const objectOf = (run: Run, object: number): Spawned | undefined => {
  const found = run.objects.get(object)
  // Entity ids are used again, where worlds share an index even by another world.
  const isThere = found && run.side.server.entityOf(found.doId) === found.eid
  return isThere ? found : undefined
}

const spawnAtRandom = (run: Run, plan: ClassPlan, dice: Dice): EntityId => {
  const { world } = run.side
  const eid = addEntity(world)
  addComponent(world, eid, plan.info.component)
  for (const field of fieldsFor(run, plan, 'server')) if (dice.chance(0.5)) writeAtRandom(field, eid, dice, false)
  return eid
}

const fieldsFor = (run: Run, plan: ClassPlan, by: 'server' | 'owner'): readonly FieldPlan[] => {
  const { isWritten } = run.prepared.game
  const fields = by === 'server' ? plan.writable : plan.playable
  return isWritten ? fields.filter(({ name }) => isWritten(name, by)) : fields
}

/** Writes a random legal value, or some of the numbers of a struct. Returns what, in words, if somebody wants to hear. */
const writeAtRandom = (field: FieldPlan, eid: EntityId, dice: Dice, isTold: boolean): string => {
  if (field.leaves.length === 0) {
    const value = randomValue(field.field, dice)
    field.values[eid] = value
    return isTold ? `${field.name} = ${show(value)}` : ''
  }
  const chosen = field.leaves.length > 1 && dice.chance(0.5) ? [dice.pick(field.leaves)] : field.leaves
  for (const { type, column } of chosen) (column as Float64Array)[eid] = randomValue(type, dice) as number
  return isTold ? chosen.map(({ name, column }) => `${name} = ${show(elementOf(column, eid))}`).join(', ') : ''
}

/** The same by the server's game, which disputes it with an owner, if there is one. */
const writeAtServer = (run: Run, field: FieldPlan, eid: EntityId, dice: Dice): string => {
  const text = writeAtRandom(field, eid, dice, run.log !== undefined)
  run.side.server.markDirty(eid)
  const ledger = run.byEid.get(eid)?.ledger
  if (!ledger || !field.isOwnerWritten) return text
  noteField(ledger, field, eid)
  if (ledger.hadOwner) ledger.isDisputed = true
  return text
}

const planFor = ({ world, schema }: { world: World; schema: Schema<any> }, eid: EntityId): ClassPlan | undefined => {
  let found: ClassPlan | undefined
  for (const plan of plansOf(schema)) if (hasComponent(world, eid, plan.info.component)) found = plan
  return found
}

const actAtServer = (run: Run, event: ScenarioEvent): void => {
  const { side, prepared } = run
  const { game } = prepared
  const { world, schema, server } = side
  const { zone, doId } = schema.DistributedObject
  if (event.kind === 'spawn') {
    const dice = createDice(event.seed)
    const make = game.spawn?.[event.name]
    const plan = plansOf(schema).find(({ name }) => name === event.name)
    const eid = make ? make(side, dice) : spawnAtRandom(run, plan!, dice)
    const owner = clientOf(run, event.owner)
    if (zone[eid] === 0 && event.zone !== 0) server.place(eid, event.zone, owner ?? 0)
    const spawned: Spawned = {
      eid,
      doId: doId[eid]!,
      plan: planFor(side, eid)!,
      ledger: createLedger(),
      visibility: new Map(),
    }
    run.objects.set(event.object, spawned)
    run.byEid.set(eid, spawned)
    for (const field of spawned.plan.fields) noteField(spawned.ledger, field, eid)
    spawned.ledger.hadOwner = schema.DistributedObject.owner[eid] !== 0
    say(
      run,
      `spawns #${event.object}, ${event.name} (object ${doId[eid]}), in zone ${zone[eid]}${owner ? ` for client ${event.owner}` : ''}`,
    )
    return
  }
  if (event.kind === 'rule') {
    const dice = createDice(event.seed)
    say(run, `rule ${event.name}${event.ticks > 1 ? ` for ${event.ticks} ticks` : ''}`)
    run.activities.push({
      until: run.tick + event.ticks,
      side: 'server',
      act: () => game.rules![event.name]!(side, dice),
    })
    return
  }
  if (event.kind === 'leave') {
    const client = clientOf(run, event.client)
    if (!event.isKicked || !client) return
    const actor = run.actors[event.client]!
    say(run, `client ${event.client} is kicked`)
    actor.state = 'out'
    server.kick(client)
    return
  }
  if (event.kind === 'give' || event.kind === 'revoke' || (event.kind === 'rates' && event.byServer)) {
    const client = clientOf(run, event.client)
    if (client) actOnClient(run, event, client, run.actors[event.client]!)
    return
  }
  if (!('object' in event)) return
  const object = objectOf(run, event.object)
  if (!object) return
  const { eid, plan } = object
  const name = `#${event.object} (${plan.name} ${object.doId})`
  switch (event.kind) {
    case 'remove':
      say(run, `removes ${name}`)
      removeEntity(world, eid)
      return
    case 'move':
      say(run, `moves ${name} from zone ${zone[eid]} to ${event.zone}`)
      server.place(eid, event.zone)
      return
    case 'own': {
      if (zone[eid] === 0) return
      const owner = clientOf(run, event.owner)
      say(run, `hands ${name} to ${owner ? `client ${event.owner}` : 'the server'}`)
      server.place(eid, zone[eid]!, owner ?? 0)
      if (object.ledger.hadOwner) object.ledger.isDisputed = true
      if (owner) object.ledger.hadOwner = object.ledger.isHandedOver = true
      return
    }
    case 'show': {
      const client = clientOf(run, event.client)
      if (event.client >= 0 && !client) return
      say(run, `shows ${name} to ${client ? `client ${event.client}` : 'all'}: ${event.visibility}`)
      server.setVisibility(eid, event.visibility, client)
      object.visibility.set(client?.id ?? 0, event.visibility)
      return
    }
    case 'write': {
      const dice = createDice(event.seed)
      const fields = fieldsFor(run, plan, 'server')
      if (fields.length === 0) return
      const field = dice.pick(fields)
      run.activities.push({
        until: run.tick + event.ticks,
        side: 'server',
        act() {
          if (objectOf(run, event.object) !== object) return
          const text = writeAtServer(run, field, eid, dice)
          if (run.log) say(run, `writes ${name}: ${text}`)
        },
      })
      return
    }
    case 'tell': {
      const dice = createDice(event.seed)
      const { isSent } = game
      const messages = plan.told.filter(field => isSent?.(`${plan.name}.${field.name}`) ?? true)
      if (messages.length === 0 || zone[eid] === 0) return
      const message = dice.pick(messages)
      say(run, `tells ${name}: ${message.name}`)
      server.sendUpdate(eid, { field: message }, randomValue(message, dice) as Record<string, unknown>)
      return
    }
    default:
  }
}

/** Whatever a client asks of an object changes it: handlers write between two ticks, when owners' values come in. */
const answerAsked = (run: Run): void => {
  const { side, scenario } = run
  const dice = createDice(scenario.seed + 1)
  for (const plan of plansOf(side.schema)) {
    const fields = fieldsFor(run, plan, 'server')
    const { isSent } = run.prepared.game
    for (const field of new Set(fields.length > 0 ? [...plan.asked, ...plan.owned] : []))
      if (isSent?.(`${plan.name}.${field.name}`) ?? true)
        side.server.on({ field }, eid => {
          const text = writeAtServer(run, dice.pick(fields), eid, dice)
          if (run.log) say(run, `${plan.name}.${field.name} of entity ${eid} is answered: ${text}`)
        })
  }
}

type ClientEvent = Extract<ScenarioEvent, { kind: 'give' | 'revoke' | 'rates' }>

/** What the server's game changes for a client. */
const actOnClient = (run: Run, event: ClientEvent, client: ServerClient, actor: Actor): void => {
  const { server } = run.side
  if (event.kind === 'give') {
    say(run, `client ${actor.index} is given zones ${event.zones.join(', ') || 'none'}`)
    server.setZones(client, event.zones)
    actor.given.clear()
    for (const zone of event.zones) actor.given.add(zone)
  } else if (event.kind === 'revoke') {
    say(run, `client ${actor.index} has zone ${event.zone} taken away`)
    server.revokeZone(client, event.zone)
    actor.denied.add(event.zone)
  } else {
    say(run, `client ${actor.index} is set to ${event.updateRate} packets/s down, ${event.commandRate} up`)
    server.setRates(client, { updateRate: event.updateRate, commandRate: event.commandRate })
  }
}

/** The client that owns an object, and its entity there, if it knows that it is its own. */
const ownerOf = (run: Run, { eid, doId }: Spawned): { actor: Actor; own: EntityId } | undefined => {
  const owner = run.side.schema.DistributedObject.owner[eid]!
  const actor =
    owner === 0 ? undefined : run.actors.find(each => each?.state === 'in' && each.client.clientId === owner)
  const own = actor?.client.entityOf(doId) ?? 0
  return actor && own !== 0 && hasComponent(actor.world, own, Owned) ? { actor, own } : undefined
}

const actAtClient = (run: Run, event: ScenarioEvent): void => {
  const { game } = run.prepared
  if (event.kind === 'play') {
    const dice = createDice(event.seed)
    const object = objectOf(run, event.object)
    const found = object && ownerOf(run, object)
    if (!found) return
    const plans = plansOf(found.actor.schema)
    const plan = plans[plansOf(run.side.schema).indexOf(object.plan)]!
    const fields = fieldsFor(run, plan, 'owner')
    if (fields.length === 0) return
    const field = dice.pick(fields)
    run.activities.push({
      until: run.tick + event.ticks,
      side: 'client',
      act() {
        const owner = objectOf(run, event.object) === object ? ownerOf(run, object) : undefined
        if (!owner || owner.actor !== found.actor || owner.own !== found.own) return
        const text = writeAtRandom(field, owner.own, dice, run.log !== undefined)
        // Strings, blobs and lists are the owner's to write from `Alive` on.
        if (field.leaves.length === 0 && !hasComponent(owner.actor.world, owner.own, Alive))
          object.ledger.isDisputed = true
        noteField(object.ledger, field, owner.own)
        if (run.log)
          say(run, `client ${owner.actor.index} writes #${event.object} (${plan.name} ${object.doId}): ${text}`)
      },
    })
    return
  }
  if (!('client' in event)) return
  const actor = run.actors[event.client]
  if (!actor || actor.state !== 'in' || !isOpen(actor)) return
  switch (event.kind) {
    case 'cut': {
      // Who was not heard since it was let in would not be waited for.
      const isHeard = (clientOf(run, event.client)?.stats.rtt ?? 0) > 0
      if (actor.client.state !== 'connected' || !isHeard) return
      say(run, `client ${actor.index}: the connection breaks, and no other opens for ${event.ticks} ticks`)
      run.cutUntil.set(event.client, run.tick + event.ticks)
      actor.line.cut()
      return
    }
    case 'interest':
      say(run, `client ${actor.index}: interest.${event.operation}(${event.zones.join(', ')})`)
      void actor.client.interest[event.operation](event.zones)
      return
    case 'hide':
      say(run, `client ${actor.index} is hidden for ${event.ticks} ticks`)
      actor.hiddenUntil = run.tick + event.ticks
      return
    case 'rates':
      if (event.byServer) return
      say(run, `client ${actor.index} asks for ${event.updateRate} packets/s down, ${event.commandRate} up`)
      actor.client.configure({ updateRate: event.updateRate, commandRate: event.commandRate })
      return
    case 'leave':
      if (event.isKicked) return
      say(run, `client ${actor.index} leaves`)
      // Its objects are there until the server hears of that, which what it wrote last need not have reached.
      for (const { eid, ledger } of run.objects.values())
        if (run.side.schema.DistributedObject.owner[eid] === actor.client.clientId) ledger.isDisputed = true
      actor.state = 'out'
      actor.client.disconnect()
      return
    case 'bot': {
      const dice = createDice(event.seed)
      say(run, `client ${actor.index}: bot ${event.name}${event.ticks > 1 ? ` for ${event.ticks} ticks` : ''}`)
      run.activities.push({
        until: run.tick + event.ticks,
        side: 'client',
        act() {
          if (actor.state === 'in' && actor.client.state === 'connected') game.bots![event.name]!(actor, dice)
        },
      })
      return
    }
    case 'ask': {
      const object = objectOf(run, event.object)
      const own = object ? actor.client.entityOf(object.doId) : 0
      if (!object || own === 0) return
      const dice = createDice(event.seed)
      const plan = plansOf(actor.schema)[plansOf(run.side.schema).indexOf(object.plan)]!
      const { isSent } = game
      const possible = hasComponent(actor.world, own, Owned) ? [...plan.asked, ...plan.owned] : plan.asked
      const messages = possible.filter(field => isSent?.(`${plan.name}.${field.name}`) ?? true)
      if (messages.length === 0) return
      const message = dice.pick(messages)
      say(run, `client ${actor.index} asks #${event.object} (${plan.name} ${object.doId}): ${message.name}`)
      actor.client.sendUpdate(own, { field: message }, randomValue(message, dice) as Record<string, unknown>)
      return
    }
    default:
  }
}

const differencesOf = (run: Run, actor: Actor, most?: number): string[] => {
  const { side, prepared } = run
  const { game } = prepared
  const { clientId } = actor.client
  const client = side.server.clients.get(clientId)
  const zones = new Set(actor.given)
  for (const zone of actor.requested) if (!actor.denied.has(zone)) zones.add(zone)
  const { owner } = side.schema.DistributedObject
  const isVisible = (eid: EntityId, byZone: boolean): boolean => {
    const visibility = run.byEid.get(eid)?.visibility
    const rule = visibility?.get(clientId) ?? visibility?.get(0) ?? 'zone'
    const isSeen = owner[eid] === clientId || rule === 'always' || (rule === 'zone' && byZone)
    return client && game.isVisible ? game.isVisible(side, eid, client, isSeen) : isSeen
  }
  return differences(side, actor, zones, {
    ...(most === undefined ? {} : { most }),
    onceOwned: run.onceOwned.get(clientId) ?? new Set(),
    isVisible,
  })
}

/** Whether every client is where its scenario ends, and shows what it should. */
const isSettled = (run: Run): boolean =>
  run.actors.every(actor => {
    if (!actor || actor.state === 'failed') return true
    if (actor.state === 'connecting') return false
    if (actor.state === 'out') return actor.client.state === 'closed' && objectsIn(actor) === 0
    if (actor.client.state === 'reconnecting') return false
    return actor.client.state !== 'connected' || differencesOf(run, actor, 1).length === 0
  })

const objectsIn = ({ world, schema }: Actor): number => query(world, [schema.DistributedObject]).length

/** Whether nobody writes to fields but the scenario itself: then it is known what they should hold. */
const isOnlyRandom = (game: PreparedGame['game']): boolean =>
  !game.tick && !game.rules && !game.bots && !game.start && !game.joined

const audit = (run: Run): string[] =>
  [...run.objects].flatMap(([number, { eid, doId, plan, ledger }]) =>
    objectOf(run, number)
      ? plan.fields.flatMap(field =>
          auditField(ledger, field, eid).map(line => `object ${doId} (${plan.name}): ${line}`),
        )
      : [],
  )

/** The last word, when all has been quiet for long enough. */
const judge = (run: Run): Failure | undefined => {
  const { actors, side } = run
  const ended = actors.flatMap(actor => {
    if (!actor || actor.state === 'out') return []
    if (actor.state === 'in' && actor.client.state === 'connected') return []
    return [`client ${actor.index} is ${actor.client.state}: ${actor.ended || 'its session did not begin'}`]
  })
  if (ended.length > 0) return { kind: 'session', lines: ended }
  const lines = actors.flatMap(actor => {
    if (!actor) return []
    if (actor.state === 'out') {
      const left = objectsIn(actor)
      return left > 0 ? [`client ${actor.index} has left and still shows ${left} objects`] : []
    }
    const { clientId } = actor.client
    return differencesOf(run, actor).map(line => `client ${actor.index} (id ${clientId}), ${line}`)
  })
  if (lines.length > 0) return { kind: 'difference', lines: lines.slice(0, 12) }
  const lost = isOnlyRandom(run.prepared.game) ? audit(run) : []
  if (lost.length > 0) return { kind: 'lost', lines: lost.slice(0, 12) }
  const { malformed, outOfRange, flooded } = side.server.violations
  const counts = Object.entries({ malformed, outOfRange, flooded }).filter(([, count]) => count > 0)
  const counted = [
    ...counts.map(([name, count]) => `server.violations.${name} is ${count}`),
    ...actors.flatMap(actor =>
      (['malformed', 'desyncs', 'faults'] as const).flatMap(name =>
        actor && actor.client.stats[name] > 0
          ? [`client ${actor.index}: stats.${name} is ${actor.client.stats[name]}`]
          : [],
      ),
    ),
  ]
  return counted.length > 0 ? { kind: 'protocol', lines: counted } : undefined
}
