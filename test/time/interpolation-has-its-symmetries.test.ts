import fc from 'fast-check'
import { mat3, quat, vec3 } from 'gl-matrix'
import { expect, test } from 'vitest'
import { advanceHistory, commitRow, insertRow, mixField, sealSlot, writeValue } from '../../src/net/history.ts'
import { curve, historyOf, push, show, type Kind, type Sample } from './film.ts'

const coordinate = fc.double({ min: -1000, max: 1000, noNaN: true }).map(value => value + 0)
const METHODS = fc.constantFrom<Kind>({ method: 'hermite' }, { method: 'linear' })

/** Samples of `size` numbers, unevenly 10 to 90 ms apart. */
const samplesOf = (size: number, value: fc.Arbitrary<number> = coordinate) =>
  fc
    .array(
      fc.record({
        gap: fc.integer({ min: 10, max: 90 }),
        values: fc.array(value, { minLength: size, maxLength: size }),
      }),
      {
        minLength: 2,
        maxLength: 12,
      },
    )
    .map(steps => {
      let time = 1000
      return steps.map(({ gap, values }): Sample => ({ time: (time += gap / 1000), values }))
    })

/** Times from before the first sample to after the last. */
const timesOf = (samples: readonly Sample[]) => {
  const first = samples[0]!.time - 0.02
  const span = samples.at(-1)!.time + 0.3 - first
  return Array.from({ length: 40 }, (_, index) => first + (index * span) / 39)
}

const expectClose = (a: number[][], b: number[][], tolerance: number) =>
  a.forEach((row, index) =>
    row.forEach((value, part) => expect(Math.abs(value - b[index]![part]!)).toBeLessThanOrEqual(tolerance)),
  )

test('what rests is shown bit for bit, however its neighbours move', () => {
  fc.assert(
    fc.property(fc.tuple(coordinate, coordinate, coordinate), coordinate, (rest, speed) => {
      const history = historyOf(3, {}, 2)
      for (let step = 0; step < 20; step++) {
        const at = insertRow(history, step * 0.05, step * 0.05)
        rest.forEach((value, word) => writeValue(history, at, 0, word, value))
        for (let word = 0; word < 3; word++) writeValue(history, at, 1, word, step * speed)
        sealSlot(history, at, 0)
        sealSlot(history, at, 1)
        commitRow(history, at)
        for (let frame = 0; frame < 3; frame++) expect(show(history, step * 0.05 - 0.03 + frame / 60)).toEqual(rest)
      }
    }),
    { numRuns: 50 },
  )
})

test('constant velocity is constant velocity, between samples and beyond the last', () => {
  fc.assert(
    fc.property(samplesOf(1), coordinate, coordinate, METHODS, (samples, start, speed, kind) => {
      const line = (time: number) => start + speed * (time - 1000)
      const moving = samples.map(({ time }) => ({ time, values: [line(time)] }))
      const last = moving.at(-1)!.time
      const times = timesOf(samples).filter(time => time >= moving[0]!.time && time < last + 0.07)
      expectClose(
        curve(moving, times, 1, kind),
        times.map(time => [line(time)]),
        1e-7,
      )
    }),
  )
})

test('a parabola is a parabola: acceleration is no error', () => {
  const fall = (time: number) => 3 + 2 * time - 4.9 * time * time
  const samples = Array.from({ length: 8 }, (_, index) => ({ time: index * 0.05, values: [fall(index * 0.05)] }))
  const times = Array.from({ length: 30 }, (_, index) => 0.05 + index * 0.01)
  expectClose(
    curve(samples, times, 1),
    times.map(time => [fall(time)]),
    1e-12,
  )
})

test('moving, stretching and turning the world moves, stretches and turns what is shown', () => {
  const turn = mat3.fromQuat(mat3.create(), quat.setAxisAngle(quat.create(), [0.6, 0, 0.8], 1.1))
  const place = ([x, y, z]: readonly number[]) => {
    const turned = vec3.transformMat3([0, 0, 0], [x!, y!, z!], turn) as number[]
    return [turned[0]! * 2.5 + 7, turned[1]! * 2.5 - 30, turned[2]! * 2.5 + 0.25]
  }
  fc.assert(
    fc.property(samplesOf(3), METHODS, (samples, kind) => {
      const times = timesOf(samples)
      const placed = samples.map(({ time, values }) => ({ time, values: place(values) }))
      // gl-matrix turns in float32.
      expectClose(curve(placed, times, 3, kind), curve(samples, times, 3, kind).map(place), 0.02)
    }),
  )
})

test('angles do not depend on the turns that they are told with, and go the short way', () => {
  const angle = fc.double({ min: 0, max: 359.999, noNaN: true })
  fc.assert(
    fc.property(
      samplesOf(1, angle),
      fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 12, maxLength: 12 }),
      (samples, turns) => {
        const times = timesOf(samples)
        const turned = samples.map(({ time, values }, index) => ({ time, values: [values[0]! + 360 * turns[index]!] }))
        const difference = ([a]: number[], [b]: number[]) => Math.abs(((a! - b! + 540) % 360) - 180)
        const plain = curve(samples, times, 1, { period: 360 })
        curve(turned, times, 1, { period: 360 }).forEach((row, index) =>
          expect(difference(row, plain[index]!)).toBeLessThan(1e-6),
        )
        for (const [value] of plain) expect(value! >= 0 && value! < 360).toBe(true)
      },
    ),
  )
  const passing = [350, 355, 0, 5, 10].map((value, index) => ({ time: index * 0.05, values: [value] }))
  const shown = curve(passing, [0.06, 0.075, 0.09, 0.11], 1, { period: 360 }).map(([value]) => value!)
  expect(shown.map(value => (value + 180) % 360)).toEqual(shown.map(value => (value + 180) % 360).sort((a, b) => a - b))
})

/** A turning quaternion at a time. */
const turning = (time: number) => [...quat.setAxisAngle(quat.create(), [0, 0.6, 0.8], time * 3)] as number[]

test('a quaternion and its negative are the same turn', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }), signs => {
      const samples = signs.map((_, index) => ({ time: index * 0.05, values: turning(index * 0.05) }))
      const signed = samples.map(({ time, values }, index) => ({
        time,
        values: signs[index] ? values : values.map(value => -value),
      }))
      const times = timesOf(samples).filter(time => time >= 0 && time < 0.5)
      const kind: Kind = { kind: 'quaternion' }
      const plain = curve(samples, times, 4, kind)
      curve(signed, times, 4, kind).forEach((row, index) => {
        const dot = row.reduce((sum, value, part) => sum + value * plain[index]![part]!, 0)
        expect(Math.abs(dot)).toBeCloseTo(1, 12)
      })
    }),
  )
})

test('quaternions come out normalised and close to where they are', () => {
  const samples = Array.from({ length: 12 }, (_, index) => ({ time: index * 0.05, values: turning(index * 0.05) }))
  const times = Array.from({ length: 60 }, (_, index) => 0.05 + index / 120)
  for (const [index, row] of curve(samples, times, 4, { kind: 'quaternion' }).entries()) {
    // What is exactly a sample is shown as that, which gl-matrix made in float32.
    expect(Math.hypot(...row)).toBeCloseTo(1, 7)
    const dot = row.reduce((sum, value, part) => sum + value * turning(times[index]!)[part]!, 0)
    expect(2 * Math.acos(Math.min(1, Math.abs(dot))), 'radians').toBeLessThan(0.001)
  }
})

test('what turns goes on turning as fast when no samples come', () => {
  const samples = Array.from({ length: 6 }, (_, index) => ({ time: index * 0.05, values: turning(index * 0.05) }))
  const [row] = curve(samples, [0.7], 4, { kind: 'quaternion', extrapolate: 10 })
  const dot = row!.reduce((sum, value, part) => sum + value * turning(0.7)[part]!, 0)
  expect(2 * Math.acos(Math.min(1, Math.abs(dot))), 'radians off, of 1.35 turned').toBeLessThan(0.02)
})

test('in whatever order samples come, doubled or not, the curve is the same', () => {
  fc.assert(
    fc.property(
      samplesOf(2).chain(samples =>
        fc.tuple(
          fc.constant(samples),
          fc.shuffledSubarray([...samples, ...samples], { minLength: 2 * samples.length }),
        ),
      ),
      fc.constantFrom<Kind>({ method: 'hermite' }, { method: 'linear' }, { period: 360 }),
      ([samples, mixed], kind) => {
        const times = timesOf(samples)
        const tolerance = kind.period ? 1e-9 : 0
        expectClose(curve(mixed, times, 2, kind), curve(samples, times, 2, kind), tolerance)
      },
    ),
  )
})

test('objects do not depend on each other, nor on who is in which slot', () => {
  const SLOTS = 5
  fc.assert(
    fc.property(samplesOf(SLOTS), fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: SLOTS }), (samples, places) => {
      const history = historyOf(1, {}, SLOTS)
      for (const { time, values } of samples) {
        const at = insertRow(history, time, time)
        values.forEach((value, object) => {
          writeValue(history, at, places[object]!, 0, value)
          sealSlot(history, at, places[object]!)
        })
        commitRow(history, at)
      }
      for (const time of timesOf(samples))
        for (let object = 0; object < SLOTS; object++) {
          const alone = samples.map(sample => ({ time: sample.time, values: [sample.values[object]!] }))
          expect(show(history, time, 1 / 60, places[object])).toEqual(curve(alone, [time], 1)[0])
        }
    }),
    { numRuns: 20 },
  )
})

test('100,000 units from the origin, float32 values move as smoothly as at it', () => {
  const far = (time: number) => Math.fround(100_000 + Math.fround(5 * time))
  const samples = Array.from({ length: 20 }, (_, index) => ({ time: index * 0.05, values: [far(index * 0.05)] }))
  const times = Array.from({ length: 50 }, (_, index) => 0.2 + index / 60 / 2)
  // The values themselves are 0.0078 apart there.
  expectClose(
    curve(samples, times, 1),
    times.map(time => [100_000 + 5 * time]),
    0.0079,
  )
  const rest = samples.map(({ time }) => ({ time, values: [Math.fround(100_000.123)] }))
  for (const [value] of curve(rest, times, 1)) expect(value).toBe(Math.fround(100_000.123))
})

test('a frame shows no jump when a sample comes late, or another one than was foreseen', () => {
  fc.assert(
    fc.property(
      samplesOf(1, fc.double({ min: -1, max: 1, noNaN: true })),
      fc.integer({ min: 0, max: 11 }),
      (samples, late) => {
        const history = historyOf(1)
        const held = samples[late % samples.length]!
        for (const sample of samples) if (sample !== held) push(history, sample)
        const time = samples.at(-1)!.time + 0.01
        const [before] = show(history, time)
        push(history, held)
        const [after] = show(history, time, 0)
        // Weights too small to matter are left out: 1e-4 of 2 units, a few rows.
        expect(Math.abs(after! - before!)).toBeLessThan(0.002)
        expect(show(history, time), 'while time stands still, so does what is shown').toEqual([after])
        for (let frame = 1; frame <= 60; frame++) show(history, time + frame * 1e-9, 1 / 60)
        expect(show(history, time)[0], 'and a second later all of it is the curve').toBeCloseTo(
          curve(samples, [time], 1)[0]![0]!,
          9,
        )
      },
    ),
  )
})

test('a jump in time is blended over, but not one of seconds: who was away sees the present', () => {
  for (const [jump, isBlended] of [
    [0.5, true],
    [3, false],
  ] as const) {
    const history = historyOf(1, { method: 'linear' })
    push(history, { time: 10, values: [0] })
    push(history, { time: 20, values: [10] })
    const [before] = show(history, 12)
    advanceHistory(history, 12 + jump, 1 / 60, true)
    expect(mixField(history, history.fields[0]!)[0]).toBeCloseTo(isBlended ? before! : 2 + jump, 9)
  }
})
