import { networked } from 'bitecs-pipes/time'
import { createSeries, drawLane, drawPlot, drawTimeline, push, sheetOf, type Mark } from './draw.ts'
import { createLinear, linearPose, shownTime, takeSample } from './linear.ts'
import { KINDS, poseAt, type Pose } from './paths.ts'
import { createStage, TICK_RATE, UPDATE_RATE } from './stage.ts'

const element = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E

/** A clock that the pause button stops, seconds. */
const clock = { isRunning: true, time: 0, last: performance.now() / 1000 }
const now = (): number => {
  const real = performance.now() / 1000
  if (clock.isRunning) clock.time += Math.min(0.25, real - clock.last)
  clock.last = real
  return clock.time
}

const stage = createStage(now)
const { client, world, network, Mover } = stage

const LANES = ['raw', 'linear', 'ours'] as const
const COLOURS = { raw: '#ff7a6b', linear: '#ffd166', ours: '#4fd1b5' }
const SECONDS = 10
const lanes = LANES.map(name => {
  const section = element(name)
  return {
    name,
    sheet: sheetOf(section.querySelector('canvas')!),
    numbers: section.querySelector('dl')!,
    poses: Array.from({ length: KINDS }, (): Pose => ({ x: 0, y: 0, heading: 0 })),
    before: Array.from({ length: KINDS }, (): Pose => ({ x: 0, y: 0, heading: 0 })),
    /** Seconds by which it is late, smoothed. */
    delay: NaN,
    error: 0,
    /** Frames in which something stood still or went back while it moved in truth, of the last ones. */
    stuck: 0,
    series: createSeries(COLOURS[name], SECONDS * 60),
  }
})
const plot = sheetOf(element('plot'))
const timeline = sheetOf(element('timeline'))
const truth = Array.from({ length: KINDS }, (): Pose => ({ x: 0, y: 0, heading: 0 }))
const meant: Pose = { x: 0, y: 0, heading: 0 }
const linear = createLinear()
/** Ages of the newest datagrams, by their tick; whether each has come. */
const arrived = new Set<number>()
let newestTime = NaN

const conditions = { lag: 0, jitter: 0, loss: 0 }
const applyConditions = (): void => {
  for (const link of [network.conditions.up, network.conditions.down]) Object.assign(link, conditions)
}

const slider = (id: 'lag' | 'jitter' | 'loss', unit: string): void => {
  const input = element<HTMLInputElement>(id)
  const show = () => {
    element(`${id}-value`).textContent = `${input.value} ${unit}`
    conditions[id] = Number(input.value) / (id === 'loss' ? 100 : 1000)
    applyConditions()
  }
  input.addEventListener('input', show)
  show()
}
slider('lag', 'ms')
slider('jitter', 'ms')
slider('loss', '%')

const typical = [...document.querySelectorAll<HTMLButtonElement>('[data-link]')]
const sliders = (['lag', 'jitter', 'loss'] as const).map(id => element<HTMLInputElement>(id))
const showTypical = (): void => {
  const link = sliders.map(({ value }) => value).join(' ')
  for (const button of typical) button.setAttribute('aria-pressed', String(button.dataset.link === link))
}
for (const button of typical)
  button.addEventListener('click', () => {
    button.dataset.link!.split(' ').forEach((value, index) => {
      sliders[index]!.value = value
      sliders[index]!.dispatchEvent(new Event('input', { bubbles: true }))
    })
  })
element('link').addEventListener('input', showTypical)
showTypical()

let mend: ReturnType<typeof setTimeout> | undefined
element('stall').addEventListener('click', () => {
  clearTimeout(mend)
  for (const link of [network.conditions.up, network.conditions.down]) link.loss = 1
  mend = setTimeout(applyConditions, 1000)
})

const playButton = element('play')
const setRunning = (isRunning: boolean): void => {
  now()
  clock.isRunning = isRunning
  playButton.textContent = isRunning ? 'Pause' : 'Play'
}
playButton.addEventListener('click', () => setRunning(!clock.isRunning))

const EVERY = TICK_RATE / UPDATE_RATE
let tookAt = 0
/** Notes which datagrams are here. Only the newest can be asked for: of those between two slow frames nothing is known against them. */
const noteArrivals = (newest: number): void => {
  const isSlow = now() - tookAt > 1 / UPDATE_RATE
  for (let tick = newest - EVERY; isSlow && tick > newestTime * TICK_RATE + 1; tick -= EVERY) arrived.add(tick)
  arrived.add(newest)
  while (arrived.size > 200) arrived.delete(arrived.values().next().value!)
}

/** The newest datagram that is here: for the lanes that are not ours, and the timeline. */
const takeDatagrams = (eids: readonly number[]): boolean => {
  const first = networked(client, eids[0]!, Mover.position)
  if (!first) return false
  if (first.time !== newestTime) take(eids, first.time)
  tookAt = now()
  return true
}

const take = (eids: readonly number[], time: number): void => {
  noteArrivals(Math.round(time * TICK_RATE))
  newestTime = time
  const poses = eids.map((eid, kind) => {
    const position = networked(client, eid, Mover.position)!.values
    const heading = networked(client, eid, Mover.heading)!.values[0]!
    Object.assign(lanes[0]!.poses[kind]!, { x: position[0]!, y: position[1]!, heading })
    return { x: position[0]!, y: position[1]!, heading }
  })
  takeSample(linear, time, now(), poses)
}

/** How late each lane is at this moment, seconds. */
const delays = (serverNow: number): number[] => [
  serverNow - newestTime,
  serverNow - shownTime(linear, now()),
  client.stats.playoutDelay,
]

const measure = (): void => {
  const story = stage.serverTime()
  // The server's clock and the story differ by the ticks before the first one: both count from its start.
  const late = delays(story)
  lanes.forEach((lane, index) => {
    const delay = late[index]!
    if (!Number.isFinite(delay)) return
    lane.delay =
      Number.isNaN(lane.delay) || Math.abs(delay - lane.delay) > 0.5 ? delay : lane.delay + (delay - lane.delay) / 45
    let error = 0
    let isStuck = false
    for (let kind = 0; kind < KINDS; kind++) {
      poseAt(kind, story - lane.delay, meant)
      const pose = lane.poses[kind]!
      const before = lane.before[kind]!
      error += Math.hypot(pose.x - meant.x, pose.y - meant.y) / KINDS
      if (kind === 0 && Math.hypot(pose.x - before.x, pose.y - before.y) < 0.005) isStuck = true
      Object.assign(before, pose)
    }
    lane.error += (error - lane.error) / 60
    lane.stuck += ((isStuck ? 1 : 0) - lane.stuck) / 120
    push(lane.series, error * 100)
  })
}

const writeNumbers = (): void => {
  for (const { numbers, delay, error, stuck } of lanes)
    numbers.innerHTML =
      `<dt>late by</dt><dd>${Number.isNaN(delay) ? '–' : Math.round(delay * 1000)} ms</dd>` +
      `<dt>off by</dt><dd>${Math.round(error * 100)} cm</dd>` +
      `<dt>stood still</dt><dd>${Math.round(stuck * 100)} %</dd>`
}

/** Datagrams of the last second, as far as one can tell from here. */
const marks = (): Mark[] => {
  const newest = Math.max(0, ...arrived)
  const offset = newest % EVERY
  const last = Math.floor((stage.serverTime() * TICK_RATE - offset) / EVERY) * EVERY + offset
  const list: Mark[] = []
  for (let tick = last; tick > last - TICK_RATE && tick > 0; tick -= EVERY) {
    const age = stage.serverTime() - tick / TICK_RATE
    // One that newer ones have overtaken is of no use any more, even if it still comes.
    const isLate = age > conditions.lag + conditions.jitter + (tick < newest ? 0.05 : 0.4)
    list.push({ age, fate: arrived.has(tick) ? 'here' : isLate ? 'lost' : 'under way' })
  }
  return list
}

let frames = 0
const frame = (): void => {
  requestAnimationFrame(frame)
  if (!clock.isRunning) return
  stage.step()
  client.receive(world)
  client.interpolate(world)
  client.send(world)
  const eids = stage.shown()
  const story = stage.serverTime()
  for (let kind = 0; kind < KINDS; kind++) poseAt(kind, story, truth[kind]!)
  if (eids.length === KINDS && takeDatagrams(eids)) {
    for (let kind = 0; kind < KINDS; kind++) {
      linearPose(linear, kind, now(), lanes[1]!.poses[kind]!)
      const eid = eids[kind]!
      const pose = lanes[2]!.poses[kind]!
      pose.x = Mover.position.x[eid]!
      pose.y = Mover.position.y[eid]!
      pose.heading = Mover.heading[eid]!
    }
    measure()
  }
  for (const { sheet, name, poses } of lanes) drawLane(sheet, COLOURS[name], poses, truth)
  drawPlot(
    plot,
    lanes.map(lane => lane.series),
    'cm',
  )
  drawTimeline(timeline, 1, marks(), client.stats.playoutDelay)
  if (frames++ % 15 === 0) writeNumbers()
}

stage.connect().catch((error: unknown) => console.error(error))
frame()
// Who asked for less motion decides when it starts.
if (matchMedia('(prefers-reduced-motion: reduce)').matches) setTimeout(() => setRunning(false), 1500)
