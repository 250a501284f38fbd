import { query, type World } from 'bitecs'
import { zoneOfCell } from 'bitecs-pipes'
import { Alive, Disabled, Owned } from 'bitecs-pipes/client'
import { Avatar, Npc } from '../../../dc/lobby.dc'
import { GRID, PLAZA, PLOT, PLOTS, PONDS, SIZE } from '../garden.ts'
import { cloakColour } from './critters.ts'
import { BIOMES, biomeOf } from './scenery.ts'

/** The garden as a quilt: lit plots are those this client is interested in. */
export function createMinimap(canvas: HTMLCanvasElement) {
  const context = canvas.getContext('2d')!
  const scale = canvas.width / SIZE

  function dot(x: number, y: number, radius: number, colour: string): void {
    context.fillStyle = colour
    context.beginPath()
    context.arc(x, y, radius, 0, Math.PI * 2)
    context.fill()
  }

  function drawPlots(lit: ReadonlySet<number>): void {
    for (let row = 0; row < PLOTS; row++) {
      for (let column = 0; column < PLOTS; column++) {
        context.globalAlpha = lit.has(zoneOfCell(GRID, column, row)) ? 1 : 0.26
        context.fillStyle = BIOMES[biomeOf(column, row)]!.lawn
        context.beginPath()
        context.roundRect(column * PLOT + 8, row * PLOT + 8, PLOT - 16, PLOT - 16, 34)
        context.fill()
      }
    }
    context.globalAlpha = 0.75
    for (const pond of PONDS) dot(pond.x, pond.y, pond.radius * 0.9, '#3d6591')
    context.globalAlpha = 1
    dot(PLAZA.x, PLAZA.y, PLAZA.radius, '#e2c2a2')
  }

  /** Draws the map; the frame is what the view shows, in units. */
  function draw(
    world: World | undefined,
    lit: ReadonlySet<number>,
    frame: { x: number; y: number; width: number; height: number },
  ): void {
    context.setTransform(1, 0, 0, 1, 0, 0)
    context.clearRect(0, 0, canvas.width, canvas.height)
    context.scale(scale, scale)
    drawPlots(lit)
    if (!world) return
    // Out of sight: where they were seen last.
    for (const eid of query(world, [Npc, Disabled]))
      dot(Npc.position.x[eid]!, Npc.position.y[eid]!, 11, 'rgba(255, 236, 190, 0.3)')
    for (const eid of query(world, [Npc, Alive]))
      dot(Npc.position.x[eid]!, Npc.position.y[eid]!, 11, 'rgba(255, 236, 190, 0.8)')
    context.strokeStyle = 'rgba(255, 244, 220, 0.85)'
    context.lineWidth = 9
    context.beginPath()
    context.roundRect(frame.x - frame.width / 2, frame.y - frame.height / 2, frame.width, frame.height, 30)
    context.stroke()
    for (const eid of query(world, [Avatar, Alive])) {
      dot(Avatar.position.x[eid]!, Avatar.position.y[eid]!, 42, '#fff4dc')
      dot(Avatar.position.x[eid]!, Avatar.position.y[eid]!, 30, cloakColour(Avatar.look[eid]!))
    }
    for (const eid of query(world, [Avatar, Owned])) {
      dot(Avatar.position.x[eid]!, Avatar.position.y[eid]!, 60, '#2b2140')
      dot(Avatar.position.x[eid]!, Avatar.position.y[eid]!, 46, '#ffcf72')
    }
  }

  return { draw }
}
