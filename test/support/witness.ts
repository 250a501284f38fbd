import { readFileSync } from 'node:fs'
import { hasComponent, observe, onAdd, onRemove, type World } from 'bitecs'
import { Alive, Deleted, Disabled, Fresh, Generated, Owned, type Schema } from 'bitecs-pipes'

/** Transitions as `from > to`, by what an observer sees: `none` is before and after. */
export type Permitted = ReadonlySet<string>

/** The transitions that LIFECYCLE.md lists of one side: the first column of the table under its heading, as `from` → `to`. */
export const transitionsInPage = (side: 'server' | 'client'): Permitted => {
  const page = readFileSync(new URL('../../LIFECYCLE.md', import.meta.url), 'utf8')
  const part = page.split(/^## /m).find(text => text.startsWith(side === 'server' ? 'On the server' : 'On a client'))!
  return new Set(
    [...part.matchAll(/^\| (\w+) → (\w+) \|/gm)].map(([, from, to]) => `${from!.toLowerCase()} > ${to!.toLowerCase()}`),
  )
}

/** What observers of a world's lifecycle tags saw. */
export interface Witness {
  /** How often each transition happened. */
  readonly counts: Map<string, number>
  /** What must not be, a line each. */
  readonly complaints: string[]
  /** The states of an entity, in order. */
  statesOf(eid: number): readonly string[]
}

const TAGS = { Fresh, Generated, Alive, Disabled, Deleted, Owned }

/** The tags that an entity has when it has just come into a state; `Owned` as it may be. */
const EXPECTED: Record<string, readonly string[]> = {
  fresh: ['Fresh'],
  generated: ['Generated'],
  alive: ['Generated', 'Alive'],
  disabled: ['Disabled'],
  deleted: ['Disabled', 'Deleted'],
}

/** Watches every object of a world by bitECS observers alone, and holds what they see against the permitted transitions. */
export const watchLifecycle = (world: World, schema: Schema<any>, permitted: Permitted): Witness => {
  const { doId } = schema.DistributedObject
  const histories = new Map<number, string[]>()
  const eids = new Map<number, number>()
  const witness: Witness = { counts: new Map(), complaints: [], statesOf: eid => histories.get(eid) ?? [] }
  const enter = (eid: number, to: string): void => {
    const history = histories.get(eid) ?? []
    histories.set(eid, history)
    const from = history.at(-1) ?? 'none'
    history.push(to)
    const name = `${from} > ${to}`
    witness.counts.set(name, (witness.counts.get(name) ?? 0) + 1)
    if (!permitted.has(name)) witness.complaints.push(`entity ${eid} went ${history.join(' > ')}`)
    if (to === 'none') return
    const tags = Object.entries(TAGS).flatMap(([tag, component]) =>
      tag !== 'Owned' && hasComponent(world, eid, component) ? [tag] : [],
    )
    const expected = EXPECTED[to]!
    if (tags.join() !== expected.join()) witness.complaints.push(`entity ${eid} is ${to} with the tags ${tags}`)
    if ((to === 'disabled' || to === 'deleted') && hasComponent(world, eid, Owned))
      witness.complaints.push(`entity ${eid} is ${to} and Owned`)
    // Whatever happens to it, an object is one entity.
    const other = eids.get(doId[eid]!)
    if (other !== undefined && other !== eid) witness.complaints.push(`object ${doId[eid]} is two: ${other} and ${eid}`)
    if (doId[eid]! > 0) eids.set(doId[eid]!, eid)
  }
  observe(world, onAdd(Fresh), eid => enter(eid, 'fresh'))
  observe(world, onAdd(Generated), eid => enter(eid, 'generated'))
  observe(world, onAdd(Alive), eid => enter(eid, 'alive'))
  observe(world, onAdd(Disabled), eid => enter(eid, 'disabled'))
  observe(world, onAdd(Deleted), eid => enter(eid, 'deleted'))
  observe(world, onRemove(schema.DistributedObject), eid => {
    for (const [id, each] of eids) if (each === eid) eids.delete(id)
    enter(eid, 'none')
    histories.delete(eid)
  })
  return witness
}
