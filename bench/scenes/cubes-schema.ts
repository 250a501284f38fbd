import type { Ages } from '../codec-runs.ts'

/** The cubes as a class. Its quat32 has 10 bits a component; the published figures are of 9, which benches make of it. */
export const CUBES = `
dclass Cube {
  int32/512(-256 - 255.998046875) x broadcast;
  int32/512(-256 - 255.998046875) y broadcast;
  uint16/512(0 - 31.998046875) z broadcast;
  quat32 turn broadcast;
  uint8(0-1) interacting broadcast;
};
`

/** Ages of baselines that are met at a round trip of 6 ticks, as often as at chains of 8: anchors, what follows them, and the rest. */
export const CUBE_AGES: readonly Ages[] = [
  { base: 6, before: 1 },
  { base: 7, before: 1 },
  { base: 9, before: 2 },
  { base: 1, before: 6 },
  { base: 1, before: 7 },
  { base: 1, before: 1 },
  { base: 1, before: 1 },
  { base: 1, before: 1 },
]
