import { Application, Container, Rectangle, Sprite, Texture, TilingSprite } from 'pixi.js'
import { PLAZA, PLOT, PLOTS, PONDS, SIZE, type Point } from '../garden.ts'
import { mix, randomOf, type Picture } from './paint.ts'
import * as scenery from './scenery.ts'

export interface View {
  /** The middle of the view, garden units. */
  x: number
  y: number
  /** Pixels per unit. */
  zoom: number
  width: number
  height: number
}

export const toScreen = (view: View, x: number, y: number): { x: number; y: number } => ({
  x: (x - view.x) * view.zoom + view.width / 2,
  y: (y - view.y) * view.zoom + view.height / 2,
})

export const toGarden = (view: View, x: number, y: number): { x: number; y: number } => ({
  x: (x - view.width / 2) / view.zoom + view.x,
  y: (y - view.height / 2) / view.zoom + view.y,
})

export function sprite(picture: Picture, x = 0, y = 0): Sprite {
  const made = new Sprite(picture.texture)
  made.anchor.set(picture.anchorX, picture.anchorY)
  made.scale.set(picture.scale)
  made.position.set(x, y)
  return made
}

/** A light: its size is its radius in units. */
export function glow(picture: Picture, x: number, y: number, radius: number, alpha: number): Sprite {
  const made = sprite(picture, x, y)
  made.scale.set(picture.scale * radius * 2)
  made.alpha = alpha
  made.blendMode = 'add'
  return made
}

/** Without a graphics card WebGL is emulated, and ten times slower than a plain canvas. */
function hasGraphicsCard(): boolean {
  const context = document.createElement('canvas').getContext('webgl')
  const info = context?.getExtension('WEBGL_debug_renderer_info')
  const card = context && info ? String(context.getParameter(info.UNMASKED_RENDERER_WEBGL)) : ''
  context?.getExtension('WEBGL_lose_context')?.loseContext()
  return context !== null && !/swiftshader|llvmpipe|software|basic render/i.test(card)
}

interface PlotView {
  x: number
  y: number
  /** Ground and plants that take the plot's tint. */
  sprites: Sprite[]
  /** Lights, and how bright each is when the plot is lit. */
  lights: { sprite: Sprite; alpha: number }[]
  lit: number
  target: number
}

const UNLIT = 0x6a66a8
const LIGHT_SECONDS = 0.5
const FIREFLIES = 46

/** The garden as it is drawn: layers, scenery and light. Everything that moves by itself is in `actors.ts`. */
export async function createStage(host: HTMLElement, calm: boolean, renderer?: 'webgl' | 'canvas') {
  const app = new Application()
  await app.init({
    preference: renderer ?? (hasGraphicsCard() ? ['webgl', 'canvas'] : ['canvas', 'webgl']),
    backgroundColor: scenery.NIGHT_COLOUR,
    resizeTo: host,
    antialias: true,
    autoDensity: true,
    resolution: Math.min(window.devicePixelRatio || 1, 2),
    autoStart: false,
    sharedTicker: false,
  })
  app.canvas.setAttribute('aria-hidden', 'true')
  host.append(app.canvas)

  const garden = new Container()
  const ground = new Container()
  const pools = new Container()
  const standing = new Container()
  const halos = new Container()
  standing.sortableChildren = true
  garden.addChild(ground, pools, standing, halos)
  app.stage.addChild(garden)
  app.stage.eventMode = 'none'

  const pictures = {
    glow: scenery.glowPicture(),
    shadow: scenery.shadowPicture(),
    handLantern: scenery.handLanternPicture(),
    ring: scenery.ringPicture(),
  }
  const tall: Sprite[] = []
  const marker = sprite(pictures.ring)
  marker.visible = false
  const plots = layScenery()
  pools.addChild(marker)
  const hedges = plantHedge()
  const fireflies = releaseFireflies()

  function layScenery(): PlotView[] {
    const soil = new Sprite(Texture.WHITE)
    soil.tint = scenery.PATH_COLOUR
    soil.position.set(-6, -6)
    soil.setSize(SIZE + 12, SIZE + 12)
    const grain = new TilingSprite({ texture: scenery.grainPicture().texture, width: SIZE + 12, height: SIZE + 12 })
    grain.position.set(-6, -6)
    grain.tileScale.set(0.5)
    ground.addChild(soil, grain)

    const plotPictures = scenery.plotPictures()
    const plantPictures = scenery.plantPictures()
    const lamp = scenery.lampPicture()
    const random = randomOf(8)
    const views: PlotView[] = []
    for (let row = 0; row < PLOTS; row++) {
      for (let column = 0; column < PLOTS; column++) {
        const biome = scenery.biomeOf(column, row)
        const lawn = sprite(plotPictures[biome]![random() < 0.5 ? 0 : 1]!, (column + 0.5) * PLOT, (row + 0.5) * PLOT)
        if (random() < 0.5) lawn.scale.x *= -1
        ground.addChild(lawn)
        const view: PlotView = { x: lawn.x, y: lawn.y, sprites: [lawn], lights: [], lit: 0, target: 0 }
        for (const plant of scenery.plantsOf(column, row)) {
          view.sprites.push(stand(sprite(plantPictures[biome]![plant.kind]!, plant.x, plant.y), plant.size))
        }
        const post = scenery.lampOf(column, row)
        view.sprites.push(stand(sprite(lamp, post.x, post.y), 1))
        view.lights.push(light(pools, post.x + 6, post.y - 6, 112, 0.3), light(halos, post.x + 6, post.y - 33, 28, 0.6))
        views.push(view)
      }
    }

    const pond = scenery.pondPicture()
    for (const at of PONDS) {
      const water = sprite(pond, at.x, at.y)
      water.scale.set(pond.scale * (at.radius / 58))
      ground.addChild(water)
      views[scenery.plotIndex(Math.floor(at.x / PLOT), Math.floor(at.y / PLOT))]!.sprites.push(water)
    }

    ground.addChild(sprite(scenery.plazaPicture(), PLAZA.x, PLAZA.y))
    stand(sprite(scenery.greatLanternPicture(), PLAZA.x, PLAZA.y + 6), 1)
    pools.addChild(glow(pictures.glow, PLAZA.x, PLAZA.y, 250, 0.3))
    halos.addChild(glow(pictures.glow, PLAZA.x, PLAZA.y - 68, 66, 0.5))
    return views
  }

  function light(layer: Container, x: number, y: number, radius: number, alpha: number): PlotView['lights'][number] {
    const made = glow(pictures.glow, x, y, radius, 0)
    layer.addChild(made)
    return { sprite: made, alpha }
  }

  function stand(made: Sprite, size: number): Sprite {
    made.scale.set(made.scale.x * size, made.scale.y * size)
    made.zIndex = made.y
    standing.addChild(made)
    tall.push(made)
    return made
  }

  /** What stands before the player turns transparent. */
  function fadeBefore(player: Point | undefined, dt: number): void {
    const move = 1 - Math.exp(-8 * dt)
    for (const thing of tall) {
      if (!thing.visible) continue
      const before = player ? thing.y - player.y : -1
      const covers = before > 2 && before < thing.height * 0.8 && Math.abs(thing.x - player!.x) < thing.width * 0.42
      thing.alpha += ((covers ? 0.3 : 1) - thing.alpha) * move
    }
  }

  function plantHedge(): Sprite[] {
    const plants = scenery.plantPictures()
    return scenery.hedge().map(plant => {
      const made = stand(sprite(plants[plant.biome]![plant.kind]!, plant.x, plant.y), plant.size)
      const depth = Math.max(-plant.x, -plant.y, plant.x - SIZE, plant.y - SIZE, 0) / 110
      made.tint = mix(0xb6b0d8, 0x4a4484, Math.min(1, depth))
      return made
    })
  }

  function releaseFireflies() {
    return Array.from({ length: FIREFLIES }, (_, n) => {
      const made = glow(pictures.glow, 0, 0, 5, 0)
      made.tint = n % 3 ? 0xfff2a8 : 0xc9ffb0
      halos.addChild(made)
      return { made, x: Math.random(), y: Math.random(), phase: Math.random() * 6.28, pace: 0.3 + Math.random() * 0.5 }
    })
  }

  /** The plots that are lit: those whose zones this client is interested in. */
  function lightPlots(isLit: (column: number, row: number) => boolean): void {
    plots.forEach((plot, index) => {
      plot.target = isLit(index % PLOTS, Math.floor(index / PLOTS)) ? 1 : 0
    })
  }

  const box = new Rectangle()
  const inBox = (thing: Sprite, reach: number): boolean =>
    thing.x > box.left - reach &&
    thing.x < box.right + reach &&
    thing.y > box.top - reach &&
    thing.y < box.bottom + reach

  function showPlot(plot: PlotView, dt: number): void {
    const step = dt / LIGHT_SECONDS
    plot.lit += Math.max(-step, Math.min(step, plot.target - plot.lit))
    const tint = mix(UNLIT, 0xffffff, plot.lit)
    const near =
      plot.x > box.left - PLOT && plot.x < box.right + PLOT && plot.y > box.top - PLOT && plot.y < box.bottom + PLOT
    for (const thing of plot.sprites) {
      thing.visible = near
      thing.tint = tint
    }
    for (const { sprite: lamp, alpha } of plot.lights) {
      lamp.visible = near && plot.lit > 0
      lamp.alpha = alpha * plot.lit
    }
  }

  function driftFireflies(view: View, time: number): void {
    // They live in a square of 900 units that repeats, so that some are always in view.
    const reach = 900
    for (const fly of fireflies) {
      const x = fly.x * reach + Math.sin(time * fly.pace + fly.phase) * 60
      const y = fly.y * reach + Math.cos(time * fly.pace * 0.8 + fly.phase * 2) * 46
      fly.made.x = view.x + ((((x - view.x) % reach) + reach * 1.5) % reach) - reach / 2
      fly.made.y = view.y + ((((y - view.y) % reach) + reach * 1.5) % reach) - reach / 2
      fly.made.alpha = Math.max(0, Math.sin(time * (0.7 + fly.pace) + fly.phase * 3)) * 0.9
    }
  }

  /** Shows where the player is walking to. */
  function mark(target: Point | undefined, time: number): void {
    marker.visible = target !== undefined
    if (!target) return
    marker.position.set(target.x, target.y)
    marker.scale.set(pictures.ring.scale * (calm ? 0.5 : 0.5 + Math.sin(time * 6) * 0.06))
  }

  /** Draws a frame; what stands before `player` is drawn so that the player can be seen. */
  function draw(view: View, player: Point | undefined, dt: number, time: number): void {
    garden.scale.set(view.zoom)
    garden.position.set(view.width / 2 - view.x * view.zoom, view.height / 2 - view.y * view.zoom)
    box.x = view.x - view.width / view.zoom / 2
    box.y = view.y - view.height / view.zoom / 2
    box.width = view.width / view.zoom
    box.height = view.height / view.zoom
    for (const plot of plots) showPlot(plot, dt)
    for (const plant of hedges) plant.visible = inBox(plant, 80)
    fadeBefore(player, dt)
    driftFireflies(view, calm ? 1 : time)
    app.renderer.render({ container: app.stage })
  }

  return { app, pictures, pools, standing, halos, light: lightPlots, mark, draw, inView: inBox }
}

export type Stage = Awaited<ReturnType<typeof createStage>>
