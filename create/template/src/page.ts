import { createWorld, query } from 'bitecs'
import { fitText } from 'bitecs-pipes'
import { Alive, createClient, Owned } from 'bitecs-pipes/client'
import { geckos } from 'bitecs-pipes/geckos/client'
import { colourOf, draw, sparkle } from './draw.ts'
import schema, { Firefly, Player } from './game.dc'
import { moveBy, watchInput } from './input.ts'
import { MEADOW } from './meadow.ts'

const world = createWorld()
// In development the page comes from vite, the server from its own port; when built, both come from one.
const transport = geckos(import.meta.env.DEV ? { port: 9208 } : { url: location.origin, port: null })
const client = createClient(world, schema, { transport })
const status = document.querySelector('output')!
const count = document.querySelector('#count')!
const scores = document.querySelector('ol')!
const nameField = document.querySelector('input')!
const { x, y } = Player.position

nameField.value = localStorage.getItem('name') ?? `Guest ${Math.floor(Math.random() * 100)}`
nameField.addEventListener('input', () => localStorage.setItem('name', nameField.value))
client.on(Firefly.caught, (firefly, { by }) => sparkle(x[firefly]!, y[firefly]!, Player.hue[by] ?? 60))
// A lost connection comes back by itself, if it can; then it is all the same session.
client.onSuspend(() => (status.value = 'Connection lost. Coming back …'))
client.onResume(() => (status.value = ''))
client.onDisconnect(reason => {
  status.value = `Disconnected (${reason}). Joining again …`
  setTimeout(join, 2000)
})

async function join(): Promise<void> {
  try {
    await client.connect({ name: nameField.value })
    void client.interest.set([MEADOW])
    status.value = ''
  } catch (error) {
    status.value = `${(error as Error).message} Trying again …`
    setTimeout(join, 2000)
  }
}

function showScores(): void {
  const players = Array.from(query(world, [Player, Alive])).sort((a, b) => Player.score[b]! - Player.score[a]!)
  const text = players.map(eid => `${Player.score[eid]} ${Player.name[eid]}`).join('\n')
  if (text === scores.dataset.text) return
  scores.dataset.text = text
  count.textContent = String(players.length)
  scores.replaceChildren(
    ...players.slice(0, 8).map(eid => {
      const line = document.createElement('li')
      const score = document.createElement('b')
      line.style.color = colourOf(eid)
      score.textContent = String(Player.score[eid])
      line.append(score, Player.name[eid]!)
      return line
    }),
  )
}

let last = performance.now()
function frame(now: number): void {
  const seconds = Math.min(0.1, (now - last) / 1000)
  last = now
  client.receive(world) // what arrived goes into the columns
  client.interpolate(world) // others move smoothly
  for (const eid of query(world, [Player, Owned])) {
    moveBy(Player.position, eid, seconds)
    Player.name[eid] = fitText(nameField.value, 16) // what is as it was is not sent
  }
  showScores()
  draw(world, now)
  client.send(world) // what we own
  requestAnimationFrame(frame)
}

watchInput(document.querySelector('canvas')!)
requestAnimationFrame(frame)
await join()
