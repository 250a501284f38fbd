import { HISTORY } from './frames.ts'
import type { Layout } from './layout.ts'

/** How much of a world one client holds: it refuses more, whatever a server sends, and a server sends no more. */

/** The most groups. */
export const MAX_GROUPS = 8192
/** The most bytes of frames. With many groups there are fewer frames of each, but never fewer than this. */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024
export const LEAST_FRAMES = 4

/** Groups that a client holds, and bytes that one frame of each takes together. */
export interface Held {
  groups: number
  bytes: number
}

export const frameBytes = ({ slots, width }: Pick<Layout, 'slots' | 'width'>): number => slots * (width + 1) * 4

/** Whether there is room for one more group. */
export const isRoomFor = ({ groups, bytes }: Held, layout: Pick<Layout, 'slots' | 'width'>): boolean =>
  groups < MAX_GROUPS && (bytes + frameBytes(layout)) * LEAST_FRAMES <= MAX_FRAME_BYTES

/** Adds a group, or with `-1` takes one away. */
export const holdGroup = (held: Held, layout: Pick<Layout, 'slots' | 'width'>, count: 1 | -1 = 1): void => {
  held.groups += count
  held.bytes += count * frameBytes(layout)
}

/** How many frames of each group there is room for. */
export const framesOfEach = ({ bytes }: Held): number =>
  Math.max(LEAST_FRAMES, Math.min(HISTORY, Math.floor(MAX_FRAME_BYTES / Math.max(1, bytes))))
