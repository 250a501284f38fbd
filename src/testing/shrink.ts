import { PERFECT_LINK, type LinkConditions } from '../net/conditioner.ts'
import type { PreparedGame } from './game.ts'
import { play, type Outcome, type RunOptions } from './run.ts'
import type { ClientScenario, Scenario, ScenarioEvent, ServerScenario } from './scenario.ts'

/** A failing scenario made small. */
export interface Shrunk {
  readonly scenario: Scenario
  readonly outcome: Outcome
  /** How many scenarios were played on the way. */
  readonly runs: number
}

export interface ShrinkOptions extends RunOptions {
  /** Runs after which it is small enough. Default 600. */
  readonly runs?: number
  /** Real seconds after which it is small enough. Default 30. */
  readonly seconds?: number
}

/** Other luck of the links that a smaller scenario is tried with: it sends other datagrams, so other ones get lost. */
const LUCKS = 3

const isPerfect = (link: LinkConditions): boolean =>
  link.bandwidth === undefined && link.lag + link.jitter + link.loss + link.duplicate + link.reorder === 0

const withClient = (scenario: Scenario, index: number, changes: Partial<ClientScenario>): Scenario => ({
  ...scenario,
  clients: scenario.clients.map((client, each) => (each === index ? { ...client, ...changes } : client)),
})

/** The scenario without one of its clients: what it owned is the server's. */
const withoutClient = (scenario: Scenario, index: number): Scenario => {
  const moved = (client: number) => (client > index ? client - 1 : client)
  return {
    ...scenario,
    clients: scenario.clients.filter((_, each) => each !== index),
    events: scenario.events.flatMap((event): ScenarioEvent[] => {
      if ('client' in event) return event.client === index ? [] : [{ ...event, client: moved(event.client) }]
      if ('owner' in event) return [{ ...event, owner: event.owner === index ? -1 : moved(event.owner) }]
      return [event]
    }),
  }
}

function* withMilderLinks(scenario: Scenario): Generator<Scenario> {
  for (let index = 0; index < scenario.clients.length; index++) {
    const client = scenario.clients[index]!
    if (!isPerfect(client.up) || !isPerfect(client.down))
      yield withClient(scenario, index, { up: { ...PERFECT_LINK }, down: { ...PERFECT_LINK } })
    for (const way of ['up', 'down'] as const) {
      const link = client[way]
      if (isPerfect(link)) continue
      yield withClient(scenario, index, { [way]: { ...PERFECT_LINK } })
      for (const name of ['bandwidth', 'burst'] as const) {
        if (link[name] === undefined) continue
        const { [name]: _, ...rest } = link
        yield withClient(scenario, index, { [way]: rest })
      }
      for (const name of ['jitter', 'reorder', 'duplicate', 'lag', 'loss'] as const) {
        if (link[name] === 0) continue
        yield withClient(scenario, index, { [way]: { ...link, [name]: 0 } })
        if (link[name] > 0.02) yield withClient(scenario, index, { [way]: { ...link, [name]: round(link[name] / 2) } })
      }
    }
  }
}

const round = (value: number): number => Math.round(value * 1000) / 1000

function* withPlainerClients(scenario: Scenario): Generator<Scenario> {
  for (let index = 0; index < scenario.clients.length; index++) {
    const { join, zones, updateRate: _, commandRate: __, interp: ___, ...rest } = scenario.clients[index]!
    if (join > 0) yield withClient(scenario, index, { join: 0 })
    const clients = scenario.clients.map((client, each) => (each === index ? { ...rest, join, zones } : client))
    yield { ...scenario, clients }
    for (const zone of zones) yield withClient(scenario, index, { zones: zones.filter(each => each !== zone) })
  }
}

function* withLessTime(scenario: Scenario): Generator<Scenario> {
  if (scenario.idle > 0) yield { ...scenario, idle: 0 }
  if (scenario.firstTick !== 0) yield { ...scenario, firstTick: 0 }
  if (Object.keys(scenario.server).length > 0) yield { ...scenario, server: {} }
  for (const name of Object.keys(scenario.server)) {
    const { [name as keyof ServerScenario]: _, ...server } = scenario.server
    yield { ...scenario, server }
  }
  if (scenario.framesPerTick > 1) yield { ...scenario, framesPerTick: 1 }
  const last = Math.max(0, ...scenario.events.map(event => event.tick), ...scenario.clients.map(({ join }) => join))
  if (scenario.ticks > last + 1) yield { ...scenario, ticks: last + 1 }
  if (scenario.ticks > 1) yield scaled(scenario, 0.5)
  // Each pause between two events, shorter.
  const ticks = [...new Set(scenario.events.map(event => event.tick))].sort((a, b) => a - b)
  for (let index = 0; index < ticks.length; index++) {
    const pause = ticks[index]! - (ticks[index - 1] ?? 0)
    for (const cut of pause > 1 ? [pause, pause - 1, pause >> 1] : [])
      if (cut > 0) yield earlier(scenario, ticks[index]!, cut)
  }
  for (let index = 0; index < scenario.events.length; index++) {
    const event = scenario.events[index]!
    if (!('ticks' in event) || event.ticks <= 1) continue
    for (const ticks of [1, event.ticks >> 1])
      yield {
        ...scenario,
        events: scenario.events.map((each, at) => (at === index ? { ...event, ticks } : each)),
      }
  }
}

const scaled = (scenario: Scenario, share: number): Scenario => ({
  ...scenario,
  ticks: Math.max(1, Math.floor(scenario.ticks * share)),
  clients: scenario.clients.map(client => ({ ...client, join: Math.floor(client.join * share) })),
  events: scenario.events.map(event => ({ ...event, tick: Math.floor(event.tick * share) })),
})

const earlier = (scenario: Scenario, from: number, cut: number): Scenario => ({
  ...scenario,
  ticks: Math.max(1, scenario.ticks - cut),
  events: scenario.events.map(event => (event.tick >= from ? { ...event, tick: event.tick - cut } : event)),
})

function* withFewerClients(scenario: Scenario): Generator<Scenario> {
  for (let index = scenario.clients.length - 1; index >= 0; index--) yield withoutClient(scenario, index)
}

/** What is being made small: the less the better. */
const sizeOf = (scenario: Scenario): string => JSON.stringify({ ...scenario, seed: 0, linkSeed: 0 })

/** Seconds of quiet after which a run on the way counts as failed: most that have not settled by then never do. */
const IMPATIENCE = 5

/**
 * Makes a failing scenario small: fewer clients, events and ticks, milder links, as long as a run of it fails in the same
 * way. `failed`: what came of the scenario itself.
 */
export const shrink = async (
  prepared: PreparedGame,
  scenario: Scenario,
  failed: Outcome,
  options: ShrinkOptions = {},
): Promise<Shrunk> => {
  const { patience = Infinity } = options
  const quick = await shrinkWith(prepared, scenario, failed, { ...options, patience: Math.min(patience, IMPATIENCE) })
  const logged = { ...options, isLogged: true }
  const outcome = await play(prepared, quick.scenario, logged)
  if (outcome.failure?.kind === failed.failure?.kind) return { ...quick, outcome, runs: quick.runs + 1 }
  // It settles after all, if given time.
  const slow = await shrinkWith(prepared, scenario, failed, options)
  return { ...slow, outcome: await play(prepared, slow.scenario, logged), runs: quick.runs + slow.runs + 2 }
}

const shrinkWith = async (
  prepared: PreparedGame,
  scenario: Scenario,
  failed: Outcome,
  options: ShrinkOptions,
): Promise<Shrunk> => {
  const { runs: mostRuns = 600, seconds = 30 } = options
  const end = performance.now() + seconds * 1000
  const kind = failed.failure?.kind
  let best: Shrunk = { scenario, outcome: failed, runs: 0 }
  let runs = 0
  const isOver = () => runs >= mostRuns || performance.now() > end
  const fails = async (candidate: Scenario): Promise<boolean> => {
    for (let luck = 0; luck < LUCKS && !isOver(); luck++) {
      // Without luck to change, one run says all.
      const isLucky = candidate.clients.some(({ up, down }) => !isPerfect(up) || !isPerfect(down))
      if (luck > 0 && !isLucky) return false
      const tried = { ...candidate, linkSeed: candidate.linkSeed + luck }
      runs++
      const outcome = await play(prepared, tried, options)
      if (outcome.failure?.kind !== kind) continue
      best = { scenario: tried, outcome, runs }
      return true
    }
    return false
  }
  /** Leaves out one half, quarter, ... of the events at a time, in the end single ones. */
  const dropEvents = async () => {
    for (let size = Math.ceil(best.scenario.events.length / 2); size >= 1 && !isOver(); size = size > 1 ? size >> 1 : 0)
      for (let start = 0; start < best.scenario.events.length && !isOver();) {
        const { events } = best.scenario
        const fewer = [...events.slice(0, start), ...events.slice(start + size)]
        if (!(await fails({ ...best.scenario, events: fewer }))) start += size
      }
  }
  const runPass = async (pass: (scenario: Scenario) => Generator<Scenario>) => {
    // It starts anew from what it made smaller, until nothing in it helps.
    for (let helped = true; helped && !isOver();) {
      helped = false
      for (const candidate of pass(best.scenario)) {
        if (isOver()) return
        if (sizeOf(candidate) === sizeOf(best.scenario) || !(await fails(candidate))) continue
        helped = true
        break
      }
    }
  }
  for (let before = ''; before !== sizeOf(best.scenario) && !isOver();) {
    before = sizeOf(best.scenario)
    await runPass(withFewerClients)
    await runPass(withMilderLinks)
    await dropEvents()
    await runPass(withLessTime)
    await runPass(withPlainerClients)
  }
  return { ...best, runs }
}
