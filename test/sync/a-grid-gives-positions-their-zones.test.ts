import {
  columnOf,
  createGrid,
  distanceToZone,
  followViews,
  hasZone,
  rowOf,
  zoneAt,
  zoneOfCell,
  zonesAround,
} from 'bitecs-pipes'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const grid = createGrid({ cellSize: 10, columns: 4, rows: 3, firstZone: 100 })

test('zones are counted row by row from the first one on', () => {
  expect(zoneAt(grid, 0, 0)).toBe(100)
  expect(zoneAt(grid, 9.99, 0), 'up to its edge a cell is one zone').toBe(100)
  expect(zoneAt(grid, 10, 0), 'the edge is the next one').toBe(101)
  expect(zoneAt(grid, 35, 25)).toBe(111)
  expect([99, 100, 111, 112].map(zone => hasZone(grid, zone))).toEqual([false, true, true, false])
})

test('positions outside, and those that are no numbers, have a zone too', () => {
  expect(zoneAt(grid, -500, 5)).toBe(100)
  expect(zoneAt(grid, 1e300, Infinity)).toBe(111)
  expect(zoneAt(grid, -Infinity, NaN)).toBe(100)
})

test('bounds make as many cells as it takes', () => {
  const made = createGrid({ cellSize: 10, bounds: [-15, -10, 20, 10] })
  expect(made).toEqual({ cellSize: 10, columns: 4, rows: 2, x: -15, y: -10, firstZone: 1 })
  expect(zoneAt(made, -15, -10)).toBe(1)
  expect(zoneAt(made, 19, 9)).toBe(8)
})

test('mistaken grids are errors that say what to do', () => {
  expect(() => createGrid({ cellSize: 0, columns: 1, rows: 1 })).toThrow(/cellSize is 0: give a length/)
  expect(() => createGrid({ cellSize: 1, columns: 1.5, rows: 1 })).toThrow(/columns is 1.5: give a whole number/)
  expect(() => createGrid({ cellSize: 1 })).toThrow(/columns is undefined: give a whole number from 1 on, or bounds/)
  expect(() => createGrid({ cellSize: 1, bounds: [0, 0, 0, 5] })).toThrow(/bounds are \[0, 0, 0, 5\]: give least x/)
  expect(() => createGrid({ cellSize: 1, columns: 1, rows: 1, firstZone: 0 })).toThrow(/1 x 1 cells from zone 0 on/)
  expect(() => createGrid({ cellSize: 1, columns: 2, rows: 1, firstZone: 0xffffffff })).toThrow(/zones are whole/)
  expect(() => createGrid({ cellSize: 1, columns: 2, rows: 1, x: NaN })).toThrow(/begins at NaN, 0/)
})

const anyGrid = fc
  .record({
    cellSize: fc.double({ min: 0.1, max: 1000, noNaN: true }),
    columns: fc.integer({ min: 1, max: 40 }),
    rows: fc.integer({ min: 1, max: 40 }),
    x: fc.integer({ min: -5000, max: 5000 }),
    y: fc.integer({ min: -5000, max: 5000 }),
    firstZone: fc.integer({ min: 1, max: 1_000_000 }),
  })
  .map(createGrid)
const at = fc.double({ min: -20_000, max: 20_000, noNaN: true })

test('every position has exactly one zone, and is in it', () => {
  fc.assert(
    fc.property(anyGrid, at, at, (any, x, y) => {
      const zone = zoneAt(any, x, y)
      expect(hasZone(any, zone)).toBe(true)
      expect(zoneOfCell(any, columnOf(any, zone), rowOf(any, zone))).toBe(zone)
      expect(distanceToZone(any, zone, x, y)).toBeCloseTo(0, 6)
    }),
  )
})

test('the zones around a position are those that are not farther away', () => {
  fc.assert(
    fc.property(anyGrid, at, at, fc.double({ min: 0, max: 3000, noNaN: true }), (any, x, y, radius) => {
      const around = new Set(zonesAround(any, x, y, radius))
      expect(around.has(zoneAt(any, x, y)), 'its own among them').toBe(true)
      for (let index = 0; index < any.columns * any.rows; index++) {
        const zone = any.firstZone + index
        const distance = distanceToZone(any, zone, x, y)
        // At the very edge, rounding may go either way.
        if (Math.abs(distance - radius) > 1e-6) expect(around.has(zone), `zone ${zone}`).toBe(distance < radius)
      }
    }),
    { numRuns: 50 },
  )
})

test('a view is longer one way when it is told so', () => {
  expect(zonesAround(grid, 15, 15, 6, 0)).toEqual([104, 105, 106])
  expect(zonesAround(grid, 15, 15, 0, 6)).toEqual([101, 105, 109])
  expect(zonesAround(grid, 15, 15, Infinity), 'no radius makes more zones than there are').toHaveLength(12)
})

test('zones are added early and dropped late, and others left alone', () => {
  const zones = new Set([7])
  const look = (x: number) => followViews(zones, grid, [{ x, y: 5, radius: 1, radiusY: 0 }], 2)
  expect(look(5), 'at first there is something new').toBe(true)
  expect([...zones], 'only the own cell is near, the foreign zone stays').toEqual([7, 100])
  expect(look(6.9)).toBe(false)
  look(7)
  expect([...zones], 'the next one comes while it is 3 away').toEqual([7, 100, 101])
  expect(look(15), 'and the last one stays up to 5').toBe(false)
  expect(look(15.1)).toBe(true)
  expect([...zones]).toEqual([7, 101])
  followViews(
    zones,
    grid,
    [
      { x: 5, y: 5, radius: 0 },
      { x: 35, y: 25, radius: 0 },
    ],
    0,
  )
  expect([...zones], 'several views see what each of them does').toEqual([7, 100, 111])
})

test('who walks to and fro on a border changes nothing after the first step', () => {
  const zones = new Set<number>()
  const walk = (x: number) => followViews(zones, grid, [{ x, y: 15, radius: 3 }], 1)
  walk(6)
  let changes = 0
  for (let step = 0; step < 100; step++) if (walk(step % 2 ? 5.5 : 6.5)) changes++
  expect(changes).toBe(0)
})
