import type { Frame } from '../frames.ts'
import type { ClassLayouts, Layout } from '../layout.ts'
import { ticksSince } from '../ticks.ts'
import { planOf, type Plan } from './plan.ts'
import { shapeOf } from './shape.ts'
import { builtInTables, codecOf, type SegmentCodec, type Tables } from './tables.ts'

/** Ticks between two frames as the codec takes them, 1 to 255; 0 without the earlier one. */
export const span = (later: Frame, earlier: Frame | undefined): number =>
  earlier === undefined ? 0 : Math.min(255, ticksSince(later.tick, earlier.tick))

/** Every layout of a schema in the order that both ends agree on, with its plan. */
export interface Plans {
  readonly layouts: readonly Layout[]
  readonly plans: readonly Plan[]
}

export const plansOf = (classes: readonly (ClassLayouts | undefined)[]): Plans => {
  const layouts = classes.flatMap(each => (each ? [each.interested, ...(each.owner ? [each.owner] : [])] : []))
  return { layouts, plans: layouts.map(layout => planOf(shapeOf(layout))) }
}

/** What segments of each layout are coded with; without tables of its own, by the built-in ones. */
export const codecsOf = ({ layouts, plans }: Plans, tables: Tables = builtInTables(plans)): Map<Layout, SegmentCodec> =>
  new Map(layouts.map((layout, index) => [layout, codecOf(plans[index]!, tables, index)]))
