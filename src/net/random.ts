/**
 * A small seeded generator of uniform numbers in [0, 1): the same seed gives the same sequence on every machine.
 * For simulated links and tests; not for secrets.
 *
 * sfc32 by Chris Doty-Humphrey (PractRand): 128 bits of state, period of at least 2^32.
 *
 * @param seed any number; its lowest 32 bits count
 */
export function random(seed: number): () => number {
  let a = seed | 0
  let b = 0x9e3779b9 | 0
  let c = 0x243f6a88 | 0
  let counter = 1
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 4294967296
  }
  // PractRand's own number of rounds until neighbouring seeds have nothing in common.
  for (let round = 0; round < 12; round++) next()
  return next
}
