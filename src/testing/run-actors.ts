import type { World } from 'bitecs'
import { createClient } from '../client.ts'
import type { Schema } from '../components/index.ts'
import type { LinkConditions } from '../net/conditioner.ts'
import type { LinkPair, memoryNetwork } from '../net/memory.ts'
import type { ClientTransport, Connection } from '../net/transport.ts'
import { createDice } from './dice.ts'
import type { ScenarioEvent } from './scenario.ts'
import { turn } from './worlds.ts'
import { type Actor, type Line, type Run, say } from './run-state.ts'

/* The clients of a run: how they come, what their links are like, and what they show. */

/** Seconds: stalls and patience are shorter, so that no session ends by them. */
export const TIMEOUT = 60

const NOTHING_LOST: LinkConditions = { lag: 0, jitter: 0, loss: 0, duplicate: 0, reorder: 0 }

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

/** Left, and knows it. */
export const isAway = (actor: Actor | undefined): boolean => actor?.state === 'out' && actor.client.state === 'closed'

export const createActor = (
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

export const signIn = async (run: Run, actor: Actor): Promise<void> => {
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

/** The client's half of a frame that is drawn. */
export const showFrame = (run: Run, actor: Actor): void => {
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
export const mendLines = ({ cutUntil, actors }: Run, tick: number): boolean => {
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

export const startStall = (run: Run, { client, way, isHeld, ticks }: Stall): void => {
  say(
    run,
    `client ${client}: the link ${isHeld ? 'holds back' : 'loses'} everything ${way === 'both' ? 'both ways' : way} for ${ticks} ticks`,
  )
  run.stalls.push({ client, up: way !== 'down', down: way !== 'up', isHeld, until: run.tick + ticks })
}

/** Sets every link as its scenario and the stalls have it in this tick. */
export const condition = (run: Run): void => {
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
