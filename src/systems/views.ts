import { addComponent, hasComponent, observe, onAdd, onRemove, query, removeComponent, type World } from 'bitecs'
import {
  Generated,
  hasView,
  infoOf,
  infosOf,
  Owned,
  viewError,
  VIEWS,
  type DClass,
  type DClassInfo,
  type View,
} from '../components/index.ts'
import { ends, type End } from './ends.ts'

/** Components by view; one may be given with its data, as bitECS' `set(Mesh, { color: 'red' })`. */
export type ViewComponents = Readonly<Partial<Record<View, readonly object[]>>>

/** What {@link defineView} makes, and {@link useViews} takes. */
export interface ViewDefinition {
  readonly dclass: DClass
  readonly components: ViewComponents
}

/**
 * Says which components the objects of a class, and of the classes that inherit from it, have in each view, besides their fields:
 *
 *     const avatarView = defineView(Avatar, { client: [Mesh], owner: [Camera, Input], server: [Brain] })
 *
 * `client`: on every client that sees the object, its owner's too. `owner`: on the client that owns it, besides. `server`: on the
 * server, where Panda3D has the AI. Throws a `TypeError` for what is no dclass, no view, no list of components.
 */
export const defineView = (dclass: DClass, components: ViewComponents): ViewDefinition => {
  const { name } = infoOf(dclass).dclass
  for (const [view, list] of Object.entries(components)) {
    if (!VIEWS.includes(view as View))
      throw new TypeError(`defineView(${name}): there is no view "${view}": give ${VIEWS.join(', ')}.`)
    if (!Array.isArray(list) || list.some(each => typeof each !== 'object' || each === null))
      throw new TypeError(`defineView(${name}): ${view} is no list of components.`)
  }
  return { dclass, components }
}

/** What an object has as long as it has the view, besides its dclass. */
const TERMS: Readonly<Record<View, readonly object[]>> = { client: [Generated], owner: [Generated, Owned], server: [] }

/**
 * Has the objects in the world of a client or server get the components of their views, and lose them with the view: the owner's when
 * the object changes hands, all of a client's when it is not seen any more (`Disabled`). Objects that are there already get theirs at
 * once. What is for the other end is passed over, so that both may share a list. Returns how to stop: nothing more is added or removed.
 *
 *     useViews(client, avatarView, crateView)
 *
 * Throws a `TypeError` for a class of another schema, and for a view that the schema's imports do not declare.
 */
export const useViews = (end: object, ...definitions: readonly ViewDefinition[]): (() => void) => {
  const known = ends.get(end)
  if (!known) throw new TypeError('useViews: give it what createClient() or createServer() returned.')
  const infos = infosOf(known.schema)
  const stops = definitions.flatMap(definition => {
    const info = infoOf(definition.dclass)
    if (!infos.includes(info))
      throw new TypeError(`useViews: ${info.dclass.name} is a class of another schema than that of the ${known.side}.`)
    return VIEWS.flatMap(view => showView(known, infos, info, definition.components, view))
  })
  return () => stops.forEach(stop => stop())
}

/** What is shown in a world: components, of the objects with these terms that `isShown` says. */
interface Show {
  readonly terms: readonly object[]
  readonly components: readonly object[]
  isShown(eid: number): boolean
}

/** All that is shown at an end: what one gives up another may still want. */
const SHOWS = new WeakMap<End, Set<Show>>()

const showsOf = (end: End): Set<Show> => {
  let shows = SHOWS.get(end)
  if (!shows) SHOWS.set(end, (shows = new Set()))
  return shows
}

const showView = (
  end: End,
  infos: readonly DClassInfo[],
  info: DClassInfo,
  components: ViewComponents,
  view: View,
): (() => void)[] => {
  const { world, schema, side } = end
  const list = components[view]
  if (!list) return []
  const heirs = infos.filter(each => each === info || each.ancestors.includes(info))
  const shown = new Set(heirs.filter(each => hasView(schema.file, each.dclass, view)))
  if (shown.size === 0) throw viewError('useViews', schema.file, info.dclass, view)
  if ((view === 'server') !== (side === 'server')) return []
  const terms = [info.component, ...TERMS[view]]
  const isShown = (eid: number): boolean => shown.size === heirs.length || shown.has(classOf(world, heirs, eid))
  const shows = showsOf(end)
  const show: Show = { terms, components: list.map(bareOf), isShown }
  const isWanted = (eid: number, component: object): boolean =>
    [...shows].some(
      each =>
        each.components.includes(component) &&
        each.terms.every(term => hasComponent(world, eid, term)) &&
        each.isShown(eid),
    )
  const add = (eid: number): void => {
    if (isShown(eid)) for (const component of list) addComponent(world, eid, component)
  }
  const remove = (eid: number): void => {
    // bitECS removes the whole entity: it takes its components with it.
    if (terms.every(term => hasComponent(world, eid, term)) || !isShown(eid)) return
    for (const component of show.components) if (!isWanted(eid, component)) removeComponent(world, eid, component)
  }
  shows.add(show)
  for (const eid of query(world, terms)) add(eid)
  return [() => shows.delete(show), observe(world, onAdd(...terms), add), observe(world, onRemove(...terms), remove)]
}

/** The component itself, of `set(component, data)` too. */
const bareOf = (component: object): object => ('component' in component ? (component.component as object) : component)

/** An object's own class: one comes after its bases. */
const classOf = (world: World, heirs: readonly DClassInfo[], eid: number): DClassInfo =>
  heirs.filter(({ component }) => hasComponent(world, eid, component)).at(-1)!
