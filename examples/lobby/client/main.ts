import { query } from 'bitecs'
import { zoneOfCell } from 'bitecs-pipes'
import { Alive, Owned } from 'bitecs-pipes/client'
import schema, { Avatar, Npc } from '../../../dc/lobby.dc'
import { GRID, LOOKS, PLAZA, SIZE, type Point } from '../garden.ts'
import { createActors } from './actors.ts'
import { createCamera } from './camera.ts'
import { createControls } from './controls.ts'
import { byId, createChat, createPanel } from './hud.ts'
import { createInterest } from './interest.ts'
import { createGate, type Guest } from './join.ts'
import { createLabels, EMOTES } from './labels.ts'
import { createMinimap } from './minimap.ts'
import { startSession, type Session, type SessionEvents } from './session.ts'
import { createStage, toGarden } from './stage.ts'
import { createTools } from './tools.ts'

const parameters = new URLSearchParams(location.search)
const port = Number(parameters.get('port') ?? import.meta.env.VITE_GAME_PORT ?? 9208)
const calm = matchMedia('(prefers-reduced-motion: reduce)').matches
const page = document.body

const garden = byId('garden')
const camera = createCamera(calm)
const labels = createLabels(byId('labels'))
const panel = createPanel()
const chat = createChat(say, () => garden.focus())
const gate = createGate(guest => void enter(guest))
const minimap = createMinimap(byId<HTMLCanvasElement>('map'))
const controls = createControls(garden, byId('stick'), (x, y) => {
  const bounds = garden.getBoundingClientRect()
  return toGarden(camera.view, x - bounds.left, y - bounds.top)
})
const stage = await createStage(garden, calm, parameters.get('renderer') === 'webgl' ? 'webgl' : undefined).catch(
  (error: unknown) => {
    byId('no-graphics').hidden = false
    throw error
  },
)
const actors = createActors(stage, calm)

let session: Session | undefined
const tools = createTools(() => session?.client)
let look: ReturnType<typeof createInterest> | undefined
/** The zones whose plots are lit. */
let lit: ReadonlySet<number> = new Set()
let whole = false
let guest: Guest = {
  name: parameters.get('name') ?? localStorage.getItem('lobby.name') ?? '',
  look:
    Number(parameters.get('look') ?? localStorage.getItem('lobby.look') ?? Math.floor(Math.random() * LOOKS)) % LOOKS,
  password: parameters.get('password') ?? '',
}

const events: SessionEvents = {
  avatarCame: (eid, own) => labels.add(eid, Avatar.name[eid]!, Avatar.look[eid]!, own),
  avatarWent(eid) {
    labels.remove(eid)
    actors.removeAvatar(eid)
  },
  npcWent: eid => actors.removeNpc(eid),
  said(eid, text) {
    labels.say(eid, text)
    chat.said(Avatar.name[eid]!, Avatar.look[eid]!, text)
  },
  emoted(eid, kind) {
    labels.emote(eid, kind)
    actors.hop(eid)
  },
  chirped(eid) {
    if (!calm && camera.view.zoom > 0.8) labels.note(camera.view, Npc.position.x[eid]!, Npc.position.y[eid]! - 22)
  },
  announced: (kind, name) => chat.toast(name, kind === 'joined' ? 'came into the garden' : 'went home', kind),
  away: isAway => {
    byId('away').hidden = !isAway
  },
  lost,
}

async function enter(who: Guest): Promise<void> {
  guest = who
  gate.busy(true)
  try {
    const started = await startSession(who, port, events)
    localStorage.setItem('lobby.name', who.name)
    localStorage.setItem('lobby.look', String(who.look))
    begin(started)
  } catch (error) {
    atGate()
    gate.refuse(error)
  } finally {
    gate.busy(false)
  }
}

function begin(started: Session): void {
  session = started
  look = createInterest(started.client)
  light(new Set())
  page.dataset.state = 'in'
  camera.arrive()
  gate.show(false)
  byId('lost').hidden = true
  byId('hint').hidden = false
  garden.focus({ preventScroll: true })
}

function light(zones: ReadonlySet<number>): void {
  lit = zones
  stage.light((column, row) => zones.has(zoneOfCell(GRID, column, row)))
}

/** Takes down what belonged to the last visit. */
function end(): void {
  tools.close()
  byId('hint').hidden = true
  session = undefined
  look = undefined
  byId('away').hidden = true
  light(new Set())
  actors.clear()
  labels.clear()
}

/** At the gate the whole garden is lit; inside, what the player is interested in. */
function atGate(): void {
  page.dataset.state = 'gate'
  stage.light(() => true)
  gate.show(true)
}

function lost(reason: string): void {
  if (!session) return
  end()
  page.dataset.state = 'lost'
  byId('lost-reason').dataset.reason = reason
  chat.note('The connection to the garden was lost.')
  byId('lost').hidden = false
  byId('reconnect').focus()
}

byId('reconnect').addEventListener('click', () => {
  byId('lost').hidden = true
  void enter(guest)
})
byId('leave-lost').addEventListener('click', () => {
  byId('lost').hidden = true
  atGate()
})

function say(text: string): void {
  session?.say(text)
}

function showWhole(isWhole: boolean): void {
  whole = isWhole
  byId('map-toggle').setAttribute('aria-pressed', String(whole))
}
/** The library's tools say more than the panel, and take its place. */
function lookInside(): void {
  panel.fold()
  void tools.toggle()
}
byId('map-toggle').addEventListener('click', () => showWhole(!whole))
byId('look-inside').addEventListener('click', lookInside)

EMOTES.forEach((label, kind) => {
  const button = document.createElement('button')
  button.type = 'button'
  button.title = `${label} (${kind + 1})`
  button.setAttribute('aria-label', label)
  button.innerHTML = `<svg aria-hidden="true"><use href="#emote-${kind}" /></svg>`
  button.addEventListener('click', () => session?.emote(kind))
  byId('emotes').append(button)
})

window.addEventListener('keydown', event => {
  if (!session || event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey) return
  const kind = Number(event.key) - 1
  if (event.key === 'Enter' && !(event.target instanceof HTMLButtonElement)) {
    event.preventDefault()
    chat.focus()
  } else if (event.key.toLowerCase() === 'm') showWhole(!whole)
  else if (event.key.toLowerCase() === 'i') lookInside()
  else if (kind >= 0 && kind < EMOTES.length) session.emote(kind)
})

const resize = (): void => {
  camera.resize(garden.clientWidth, garden.clientHeight)
  stage.app.renderer.resize(garden.clientWidth, garden.clientHeight)
}
window.addEventListener('resize', resize)
resize()

const WORDS = [
  'What a fine evening.',
  'Have you seen the pond?',
  'Hello there!',
  'The moths like my lantern.',
  'Which way to the plaza?',
]
let botSeconds = 0
/** `?wander=1`: walks about and talks by itself. */
function wander(me: Point, dt: number): void {
  botSeconds -= dt
  if (controls.target && botSeconds > 0) return
  botSeconds = 4 + Math.random() * 6
  const near = (at: number): number => Math.min(SIZE - 40, Math.max(40, at + (Math.random() - 0.5) * 700))
  controls.walkTo({ x: near(me.x), y: near(me.y) })
  if (Math.random() < 0.25) say(WORDS[Math.floor(Math.random() * WORDS.length)]!)
  else if (Math.random() < 0.3) session?.emote(Math.floor(Math.random() * EMOTES.length))
}

const focus: Point = { x: PLAZA.x, y: PLAZA.y }

/** The network and the game, without drawing. */
function step(dt: number): void {
  if (!session) return
  const { client, world } = session
  client.receive(world)
  if (!session) return
  client.interpolate(world)
  const eid = session.me()
  const seen = eid ?? session.mine()
  if (seen !== undefined) {
    focus.x = Avatar.position.x[seen]!
    focus.y = Avatar.position.y[seen]!
  }
  if (eid !== undefined) {
    if (parameters.get('wander') === '1') wander(focus, dt)
    const direction = controls.direction(focus, dt)
    if (direction.x || direction.y) byId('hint').hidden = true
    session.walk(direction, dt)
    focus.x = Avatar.position.x[eid]!
    focus.y = Avatar.position.y[eid]!
  }
  const zoom = camera.usualZoom()
  if (client.state === 'connected') look?.(focus.x, focus.y, camera.view.width / zoom, camera.view.height / zoom)
  client.send(world)
}

function moveLabels(dt: number): void {
  if (!session) return
  for (const eid of query(session.world, [Avatar, Alive])) {
    labels.move(eid, camera.view, Avatar.position.x[eid]!, Avatar.position.y[eid]!, Avatar.mood[eid] === 1, dt)
  }
}

let shownAt = 0
function showNumbers(now: number): void {
  if (now - shownAt < 0.25) return
  shownAt = now
  const zoom = camera.usualZoom()
  const zones = session?.client.interest.zones
  if (zones && [...zones].join() !== [...lit].join()) light(new Set(zones))
  minimap.draw(session?.world, lit, {
    ...focus,
    width: camera.view.width / zoom,
    height: camera.view.height / zoom,
  })
  if (!session) return
  panel.show(session.client.stats)
  const population = session.population()
  byId('population').textContent = population === 1 ? 'Only you' : `${population} here`
}

let then = performance.now()
function frame(now: number): void {
  const dt = Math.min(0.1, (now - then) / 1000)
  then = now
  step(dt)
  if (!session && page.dataset.state === 'gate' && !calm) {
    // Strolls about the plaza until the player comes in.
    focus.x = PLAZA.x + Math.sin(now / 9000) * 120
    focus.y = PLAZA.y + Math.cos(now / 11000) * 70
  }
  camera.follow(focus, whole, dt)
  if (session) actors.update(session.world, dt, now / 1000)
  stage.mark(session && controls.target, now / 1000)
  moveLabels(dt)
  showNumbers(now / 1000)
  stage.draw(camera.view, session ? focus : undefined, dt, now / 1000)
  requestAnimationFrame(frame)
}
requestAnimationFrame(frame)
// A hidden page gets no frames: its player walks on, and who comes and what is said is not all told at once later.
setInterval(() => {
  if (document.hidden) step(1)
}, 1000)

/** For tests and for the curious: the running client and what it sees. */
const handle = {
  get client() {
    return session?.client
  },
  get world() {
    return session?.world
  },
  schema,
  /** The player's own avatar, once it is here. */
  me() {
    const eid = session?.me()
    return eid === undefined
      ? undefined
      : { x: Avatar.position.x[eid]!, y: Avatar.position.y[eid]!, name: Avatar.name[eid]! }
  },
  avatars() {
    if (!session) return []
    const owned = query(session.world, [Avatar, Owned])
    return Array.from(query(session.world, [Avatar, Alive]), eid => ({
      name: Avatar.name[eid]!,
      x: Avatar.position.x[eid]!,
      y: Avatar.position.y[eid]!,
      owned: owned.includes(eid),
    }))
  },
  /** How many creatures this client knows of. */
  npcs: () => (session ? query(session.world, [Npc, Alive]).length : 0),
  walkTo: (x: number, y: number) => controls.walkTo({ x, y }),
  say,
  emote: (kind: number) => session?.emote(kind),
  /** The zones that the server granted. */
  zones: () => [...(session?.client.interest.zones ?? [])],
  log: chat.log,
}
declare global {
  interface Window {
    lobby: typeof handle
  }
}
window.lobby = handle

gate.fill(guest)
atGate()
if (parameters.get('auto') === '1') {
  gate.show(false)
  void enter(gate.guest())
}
