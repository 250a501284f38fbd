import { Cube, Player } from '../../../dc/cubes.dc'
import { CODECS, type Codec } from '../scene.ts'
import { createAutopilot, createControls } from './controls.ts'
import { createMeter } from './meter.ts'
import { createReader, type Reading } from './reading.ts'
import { createSession } from './session.ts'
import { colourOf, createStage, type Stage } from './stage.ts'

const parameters = new URLSearchParams(location.search)
const port = Number(parameters.get('port') ?? import.meta.env.VITE_GAME_PORT ?? 9208)
const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches
const element = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E

const field = element<HTMLCanvasElement>('field')
const more = element('more')
const notice = element('notice')
const hint = element('hint')
const people = element('people')
const showReading = createMeter(element('meter'))
const controls = createControls({
  field,
  stick: element('stick'),
  pull: element<HTMLButtonElement>('pull'),
  push: element<HTMLButtonElement>('push'),
})
const autopilot = parameters.get('auto') === '1' ? createAutopilot() : undefined

/** Said in the middle of the page, with a way to try again, if that helps. */
const tell = (text: string, isFinal = false): void => {
  notice.querySelector('p')!.textContent = text
  notice.querySelector('button')!.hidden = isFinal
  notice.hidden = false
}

const NO_WEBGL =
  'The cubes cannot be drawn: this browser has no WebGL. Turn on hardware acceleration, or try another one.'
const isHeadless = parameters.has('headless')

const openStage = (): Stage | undefined => {
  if (isHeadless) return undefined
  // Asked first on a canvas of its own: three.js would write to the console that there is none.
  if (document.createElement('canvas').getContext('webgl2')) {
    try {
      return createStage(field, isCalm)
    } catch {
      // as if it had none
    }
  }
  return undefined
}
const stage = openStage()

const REFUSALS: Record<string, string> = {
  full: 'All seats are taken. Somebody has to leave first.',
  schema: 'This page is older or newer than the server. Reload it.',
  version: 'This page is older or newer than the server. Reload it.',
  unreachable: 'The server could not be reached. Is it running?',
  timeout: 'The server did not answer in time.',
}

const session = createSession(port, {
  onAway(isAway) {
    if (isAway) tell('The connection was lost. Coming back…', true)
    else notice.hidden = true
  },
  onLost() {
    document.body.dataset.state = 'lost'
    tell('The connection was lost.')
  },
})

const enter = async (codec: Codec): Promise<void> => {
  notice.hidden = true
  // The meter runs all the same.
  if (!stage && !isHeadless) tell(NO_WEBGL, true)
  document.body.dataset.state = 'connecting'
  try {
    if (!(await session.enter(codec))) return
    document.body.dataset.state = 'in'
    hint.hidden = controls.hasActed || autopilot !== undefined
  } catch (error) {
    document.body.dataset.state = 'lost'
    const { reason = '', message } = error as { reason?: string; message: string }
    tell(REFUSALS[reason] ?? `The server cannot be joined: ${message}`)
  }
}
notice.querySelector('button')!.addEventListener('click', () => void enter(session.codec))

const choices = [...document.querySelectorAll<HTMLInputElement>('[name=codec]')]
for (const choice of choices)
  choice.addEventListener('change', () => {
    if (choice.checked) void enter(CODECS.find(codec => codec === choice.value)!)
  })

more.addEventListener('click', () =>
  more.setAttribute('aria-expanded', String(more.getAttribute('aria-expanded') !== 'true')),
)
more.setAttribute('aria-expanded', 'false')

const showPeople = (): void => {
  const players = session.players()
  const me = session.me()
  const text = players.length === 1 ? 'Only you' : `${players.length} players`
  if (me === undefined || people.dataset.text === text) return
  people.dataset.text = text
  const mark = document.createElement('i')
  mark.style.color = colourOf(Player.seat[me]!)
  people.replaceChildren(mark, text)
}

/** Set by a test, in place of what the player does. */
let steering: { x: number; y: number; force: number } | undefined

/** The network and the game, without drawing. `time` in seconds. */
const step = (time: number): void => {
  const { client, world } = session
  client.receive(world)
  client.interpolate(world)
  const me = session.me()
  if (me !== undefined) {
    const at = { x: Cube.position.x[me]!, y: Cube.position.y[me]! }
    const wanted = steering ?? (autopilot && !controls.hasActed ? autopilot(at, time) : controls.read())
    session.steer(wanted.x, wanted.y, wanted.force)
    if (controls.hasActed) hint.hidden = true
  }
  client.send(world)
}

let then = performance.now()
const read = createReader(session)
let reading: Reading | undefined
const frame = (now: number): void => {
  requestAnimationFrame(frame)
  const dt = Math.min(0.1, Math.max(0, now - then) / 1000)
  then = now
  step(now / 1000)
  // While the server is changed, what was there last stays.
  if (session.isWhole()) stage?.place(session.world, session.cubes(), session.me(), dt)
  stage?.draw(dt)
  const next = read()
  if (!next) return
  reading = next
  showReading(reading, session.client.stats)
  showPeople()
}
requestAnimationFrame(frame)
// A hidden page gets no frames: the autopilot drives on, and what is no longer held is let go.
setInterval(() => {
  if (document.hidden) step(performance.now() / 1000)
}, 1000)

/** For tests and for the curious. */
const handle = {
  session,
  reading: () => reading,
  /** Triangles of the last picture; 0 when nothing is drawn. */
  drawn: () => stage?.triangles() ?? 0,
  me() {
    const eid = session.me()
    return eid === undefined ? undefined : spot(eid)
  },
  players: () => Array.from(session.players(), spot),
  steer(x: number, y: number, force = 0): void {
    steering = { x, y, force }
  },
}
const spot = (eid: number) => ({
  seat: Player.seat[eid]!,
  x: Cube.position.x[eid]!,
  y: Cube.position.y[eid]!,
  z: Cube.position.z[eid]!,
})
declare global {
  interface Window {
    cubes: typeof handle
  }
}
window.cubes = handle

void enter(parameters.get('codec') === 'plain' ? 'plain' : 'range')
for (const choice of choices) choice.checked = choice.value === session.codec
