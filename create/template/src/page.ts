import { createWorld, observe, onAdd, query } from 'bitecs'
import { fitText } from 'bitecs-pipes'
import { Alive, createClient, Owned } from 'bitecs-pipes/client'
import { geckos } from 'bitecs-pipes/geckos/client'
import { draw, resize, sparkle } from './draw.ts'
import schema, { Firefly, Player } from './game.dc'
import { moveBy, watchInput } from './input.ts'
import { MEADOW } from './meadow.ts'

const world = createWorld()
// In development the page comes from vite, the server from its own port; when built, both come from one.
const transport = geckos(import.meta.env.DEV ? { port: 9208 } : { url: location.origin, port: null })
const client = createClient(world, schema, { transport })
const status = document.querySelector('output')!
const count = document.querySelector('#count')!
const nameField = document.querySelector('input')!
const { x, y } = Player.position

nameField.value = localStorage.getItem('name') ?? `Guest ${Math.floor(Math.random() * 100)}`
nameField.addEventListener('input', () => localStorage.setItem('name', nameField.value))
observe(world, onAdd(Player, Alive, Owned), () => document.body.classList.add('playing'))
client.on(Firefly.caught, (firefly, { by }) => sparkle(x[firefly]!, y[firefly]!, Player.hue[by] ?? 60))
client.onDisconnect(reason => {
  status.value = `Connection lost (${reason}).`
  setTimeout(join, 2000)
})

async function join(): Promise<void> {
  status.value = 'Connecting ...'
  try {
    await client.connect({ name: nameField.value })
    await client.interest.set([MEADOW])
    status.value = ''
  } catch (error) {
    status.value = `${(error as Error).message} Trying again ...`
    setTimeout(join, 2000)
  }
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
  const players = query(world, [Player, Alive])
  if (count.textContent !== String(players.length)) count.textContent = String(players.length)
  draw(query(world, [Firefly, Alive]), players, now)
  client.send(world) // what we own
  requestAnimationFrame(frame)
}

watchInput(document.querySelector('canvas')!)
addEventListener('resize', resize)
resize()
requestAnimationFrame(frame)
await join()
