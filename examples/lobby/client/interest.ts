import { isPlotZone, LOBBY_ZONE, PLOT, PLOTS, zoneOfPlot } from '../garden.ts'

/** A plot is subscribed when it comes this near to the view, and kept until it is as far as `KEEP`, in units. */
const ADD = 50
const KEEP = 150

/** Subscribes to the zones of the plots in view and a margin around it. */
export function createInterest(
  subscribe: (zones: number[]) => Promise<{ readonly granted: readonly number[] }>,
  onGranted: (zones: ReadonlySet<number>) => void,
) {
  const wanted = new Set<number>()
  let revision = 0

  /** Looks at the plots around a view of `width` x `height` units about a point. */
  function update(x: number, y: number, width: number, height: number): void {
    let changed = false
    for (let row = 0; row < PLOTS; row++) {
      for (let column = 0; column < PLOTS; column++) {
        const zone = zoneOfPlot(column, row)
        const dx = Math.max(column * PLOT - (x + width / 2), x - width / 2 - (column + 1) * PLOT, 0)
        const dy = Math.max(row * PLOT - (y + height / 2), y - height / 2 - (row + 1) * PLOT, 0)
        const wants = Math.max(dx, dy) <= (wanted.has(zone) ? KEEP : ADD)
        if (wants === wanted.has(zone)) continue
        changed = true
        if (wants) wanted.add(zone)
        else wanted.delete(zone)
      }
    }
    if (changed) void send()
  }

  async function send(): Promise<void> {
    const mine = ++revision
    try {
      const { granted } = await subscribe([LOBBY_ZONE, ...wanted])
      if (mine === revision) onGranted(new Set(granted.filter(isPlotZone)))
    } catch {
      // The connection ended meanwhile; the disconnect handler tells the player.
    }
  }

  return { update, wanted: wanted as ReadonlySet<number> }
}
