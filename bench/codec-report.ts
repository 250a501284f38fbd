// Run by `bench/codec.ts`. Trains on some recordings, measures on others.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { report as table } from './report.mjs'
import { planOf } from '../src/net/codec/plan.ts'
import {
  median,
  run,
  runKeyframes,
  runTraining,
  train,
  trained,
  untrained,
  type Ages,
  type RunResult,
} from './codec-runs.ts'
import { recordAvatars } from './scenes/avatars.ts'
import { recordCubes } from './scenes/cubes.ts'
import { groupsOf, type Groups } from './scenes/groups.ts'
import type { Recording } from './scenes/recording.ts'

const CUBE_AGES: Ages[] = [
  { base: 1, before: 1 },
  { base: 2, before: 1 },
  { base: 3, before: 1 },
  { base: 6, before: 1 },
  { base: 6, before: 4 },
  { base: 15, before: 1 },
]
const AVATAR_AGES: Ages[] = [
  { base: 1, before: 1 },
  { base: 2, before: 1 },
  { base: 6, before: 1 },
]

const report = (title: string, testing: readonly Groups[], ages: readonly Ages[], bytes: Uint8Array): void => {
  const plan = planOf(testing[0]!.shape)
  const rows = testing.flatMap(scene =>
    ages.map(age => {
      const result = run(scene, trained(plan, bytes), age)
      const plain = run(scene, untrained(plan), age)
      const { hz } = scene.recording
      return {
        scene: scene.recording.name,
        ages: `${age.base} / ${age.before}`,
        'changed a tick': +(result.changed / result.ticks).toFixed(1),
        segments: +(result.segments / result.ticks).toFixed(1),
        'bits each': +((result.bytes * 8) / result.changed).toFixed(2),
        untrained: +((plain.bytes * 8) / plain.changed).toFixed(2),
        kbps: +((result.bytes * 8 * hz) / result.ticks / 1000).toFixed(1),
        'encode ns': Math.round((result.encodeTime * 1e6) / result.changed),
        'in JavaScript': Math.round((result.scriptTime * 1e6) / result.changed),
        'decode ns': Math.round((result.decodeTime * 1e6) / result.changed),
      }
    }),
  )
  table(`${title}: tables of ${bytes.length} bytes, ${plan.contexts} contexts`, rows)
  for (const scene of testing) {
    const [own, built] = [trained(plan, bytes), untrained(plan)].map(codec => Math.round(runKeyframes(scene, codec)))
    const training = runTraining(
      scene,
      ages.find(({ base }) => base === (scene.recording.hz > 30 ? 6 : 2))!,
    )
    const bitsOf = (seconds: readonly RunResult[]) =>
      (
        (seconds.reduce((sum, { bytes }) => sum + bytes, 0) * 8) /
        seconds.reduce((sum, { changed }) => sum + changed, 0)
      ).toFixed(2)
    console.log(
      `${scene.recording.name}, tables made each second: ${bitsOf(training.seconds.slice(0, 1))} bits each in the first, ${bitsOf(training.seconds.slice(1, 5))} in ` +
        `the next four, then ${bitsOf(training.seconds.slice(5))}; making them takes ${median(training.times).toFixed(0)} ms in slices of ` +
        `at most ${median(training.slices).toFixed(1)} ms`,
    )
    console.log(`${scene.recording.name}: all of it without a baseline takes ${own} bytes, untrained ${built}`)
  }
}

// By another process: physics in WebAssembly detaches buffers when its memory grows, after which V8 checks each use of each array. A page that
// decodes has no physics.
const recordApart = async (seed: number): Promise<Recording> => {
  const recorder = fork(fileURLToPath(import.meta.url), ['record', String(seed)], { serialization: 'advanced' })
  const [recording] = (await once(recorder, 'message')) as [Recording]
  recorder.disconnect()
  return recording
}

if (process.argv[2] === 'record') {
  process.send!(await recordCubes(Number(process.argv[3])))
  await once(process, 'disconnect')
  process.exit()
}

const cubes = await Promise.all([1, 2, 3, 4].map(async seed => groupsOf(await recordApart(seed))))
report('cubes', cubes.slice(2), CUBE_AGES, train(cubes.slice(0, 2), CUBE_AGES))
const avatars = [1, 2, 3].map(seed => groupsOf(recordAvatars(seed)))
report('avatars', avatars.slice(2), AVATAR_AGES, train(avatars.slice(0, 2), AVATAR_AGES))
