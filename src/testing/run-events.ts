import { addComponent, addEntity, hasComponent, removeEntity, type EntityId, type World } from 'bitecs'
import { Alive, Owned, type Schema } from '../components/index.ts'
import type { ServerClient } from '../server.ts'
import { createDice, type Dice } from './dice.ts'
import { createLedger, noteField } from './ledger.ts'
import { elementOf, show } from './oracle.ts'
import { plansOf, type ClassPlan, type FieldPlan } from './plan.ts'
import { randomValue } from './random-value.ts'
import type { ScenarioEvent } from './scenario.ts'
import { type Actor, type Spawned, type Run, isOpen, say, clientOf, objectOf, ownerOf } from './run-state.ts'

/* What the events of a scenario do, at the server and at its clients. */

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

export const actAtServer = (run: Run, event: ScenarioEvent): void => {
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
export const answerAsked = (run: Run): void => {
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

export const actAtClient = (run: Run, event: ScenarioEvent): void => {
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
