import { followViews, hasZone } from 'bitecs-pipes'
import { GRID, LOBBY_ZONE } from '../garden.ts'

/** A plot is subscribed when it comes this near to the view, and kept until it is twice as far, in units. */
const MARGIN = 60

/** Subscribes to the zones of the plots in view and a margin around it. */
export function createInterest(
  subscribe: (zones: number[]) => Promise<{ readonly granted: readonly number[] }>,
  onGranted: (zones: ReadonlySet<number>) => void,
) {
  const wanted = new Set([LOBBY_ZONE])
  let revision = 0

  /** Looks at the plots around a view of `width` x `height` units about a point. */
  function update(x: number, y: number, width: number, height: number): void {
    if (followViews(wanted, GRID, [{ x, y, radius: width / 2, radiusY: height / 2 }], MARGIN)) void send()
  }

  async function send(): Promise<void> {
    const mine = ++revision
    try {
      const { granted } = await subscribe([...wanted])
      if (mine === revision) onGranted(new Set(granted.filter(zone => hasZone(GRID, zone))))
    } catch {
      // The connection ended meanwhile; the disconnect handler tells the player.
    }
  }

  return { update }
}
