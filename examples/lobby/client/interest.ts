import { followViews } from 'bitecs-pipes'
import type { Client } from 'bitecs-pipes/client'
import { GRID, LOBBY_ZONE } from '../garden.ts'

/** A plot is asked for when it comes this near to the view, and kept until it is twice as far, in units. */
const MARGIN = 60

/**
 * Has interest follow what is in view: `width` x `height` units about a point. A view that is as far on all sides of an
 * entity needs none of this: that is `createFollow`.
 */
export function createInterest(client: Client) {
  const zones = new Set([LOBBY_ZONE])
  return (x: number, y: number, width: number, height: number): void => {
    const view = { x, y, radius: width / 2, radiusY: height / 2 }
    if (followViews(zones, GRID, [view], MARGIN)) void client.interest.set([...zones])
  }
}
