import type { EntityId } from 'bitecs'
import { infoOf } from '../components/index.ts'
import { memoryNetwork, type MemoryNetwork } from '../net/memory.ts'
import { createServer, type Bequest, type Server, type ServerClient, type ServerOptions } from '../server.ts'
import { createDice } from './dice.ts'
import { provideAll } from './provide.ts'
import type { PreparedGame, ServerSide } from './game.ts'
import { show } from './oracle.ts'
import type { Scenario, ScenarioEvent } from './scenario.ts'
import { turn } from './worlds.ts'
import { type Failure, noteOwners, isSettled, isOnlyRandom, judge } from './run-verdict.ts'
import { TIMEOUT, isAway, createActor, signIn, showFrame, mendLines, startStall, condition } from './run-actors.ts'
import { type Actor, type Run, say } from './run-state.ts'
import { actAtServer, answerAsked, actAtClient } from './run-events.ts'

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
