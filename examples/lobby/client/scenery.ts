import { PLAZA, PLOT, PLOTS, PONDS, SIZE } from '../garden.ts'
import { blob, cut, ellipse, picture, polygon, randomOf, type Picture } from './paint.ts'

interface Biome {
  name: string
  soil: string
  lawn: string
  light: string
  tree: readonly [string, string, string]
  flower: readonly string[]
}

export const BIOMES: readonly Biome[] = [
  {
    name: 'meadow',
    soil: '#4b6a5d',
    lawn: '#6d9471',
    light: '#88ab7c',
    tree: ['#44705f', '#5c8a68', '#7ba573'],
    flower: ['#f6e3b0', '#f2b56b'],
  },
  {
    name: 'heather',
    soil: '#5a4c7c',
    lawn: '#82709f',
    light: '#9c87b3',
    tree: ['#4f4a7d', '#6b6397', '#8b80b0'],
    flower: ['#e6a6c7', '#f3d3e0', '#c98fd0'],
  },
  {
    name: 'moss',
    soil: '#3f6663',
    lawn: '#578a7c',
    light: '#70a08b',
    tree: ['#31615f', '#467c72', '#629782'],
    flower: ['#d7ecc0', '#a6d3b0'],
  },
  {
    name: 'stubble',
    soil: '#8a6a58',
    lawn: '#bf9a6a',
    light: '#d4b27c',
    tree: ['#a0583f', '#c8743f', '#e39a4d'],
    flower: ['#f7dd93', '#e66a4e'],
  },
  {
    name: 'clover',
    soil: '#466b56',
    lawn: '#5f9163',
    light: '#7ba870',
    tree: ['#3c6c52', '#52875a', '#719f65'],
    flower: ['#fdf2df', '#f1a7a0'],
  },
  {
    name: 'rose',
    soil: '#7b4a66',
    lawn: '#ab6f7f',
    light: '#c18a90',
    tree: ['#8b4560', '#b4606f', '#d5857f'],
    flower: ['#ffe1cf', '#f7b49f', '#ffd27d'],
  },
]

const QUILT = [
  [0, 2, 4, 1, 0, 2, 3, 4],
  [4, 2, 0, 3, 4, 1, 0, 2],
  [1, 0, 5, 4, 0, 3, 2, 5],
  [3, 4, 2, 0, 5, 4, 0, 1],
  [0, 5, 1, 4, 0, 2, 4, 3],
  [2, 2, 3, 0, 1, 5, 0, 4],
  [4, 1, 0, 2, 3, 0, 1, 0],
  [0, 3, 4, 5, 0, 4, 3, 2],
]
export const biomeOf = (column: number, row: number): number => QUILT[row]![column]!

export const PATH_COLOUR = 0xb58d88
export const NIGHT_COLOUR = 0x272049

/** A square with rounded corners and slightly uneven sides, as scissors leave it. */
function handCutSquare(half: number, random: () => number): Path2D {
  const corner = 26
  const points: [number, number][] = []
  const steps = 5
  const along = half - corner
  const sides: readonly (readonly [number, number])[] = [
    [1, 0],
    [0, 1],
    [-1, 0],
    [0, -1],
  ]
  for (const [nx, ny] of sides) {
    for (let n = 0; n <= steps; n++) {
      const t = -along + (n / steps) * along * 2
      const out = half + (random() - 0.5) * 3
      points.push([nx * out - ny * t, ny * out + nx * t])
    }
  }
  return blob(points)
}

function drawLawn(context: CanvasRenderingContext2D, biome: Biome, random: () => number): void {
  for (let n = 0; n < 7; n++) {
    context.globalAlpha = 0.2 + random() * 0.2
    context.fillStyle = biome.light
    context.fill(
      ellipse((random() - 0.5) * 150, (random() - 0.5) * 150, 14 + random() * 26, 8 + random() * 16, random()),
    )
  }
  context.globalAlpha = 1
  for (let n = 0; n < 54; n++) {
    const x = (random() - 0.5) * 158
    const y = (random() - 0.5) * 158
    const kind = random()
    if (kind < 0.62) {
      context.strokeStyle = random() < 0.6 ? biome.light : biome.soil
      context.globalAlpha = 0.75
      context.lineWidth = 1.1
      context.beginPath()
      for (const lean of [-2.2, 0, 2.2]) {
        context.moveTo(x + lean * 0.3, y)
        context.quadraticCurveTo(x + lean * 0.4, y - 3, x + lean, y - 4.4 - random() * 1.6)
      }
      context.stroke()
      context.globalAlpha = 1
    } else if (kind < 0.9) {
      const colour = biome.flower[Math.floor(random() * biome.flower.length)]!
      context.fillStyle = 'rgba(40, 25, 65, 0.28)'
      context.fill(ellipse(x, y + 1.4, 2.4, 1.2))
      context.fillStyle = colour
      for (let petal = 0; petal < 5; petal++) {
        const angle = (petal / 5) * Math.PI * 2 + random() * 0.2
        context.fill(ellipse(x + Math.cos(angle) * 1.5, y + Math.sin(angle) * 1.5, 1.15))
      }
      context.fillStyle = '#f3b648'
      context.fill(ellipse(x, y, 0.85))
    } else {
      cut(
        context,
        blob([
          [x - 4, y],
          [x - 3, y - 3],
          [x + 2, y - 3.6],
          [x + 4.6, y],
          [x, y + 1.4],
        ]),
        '#b9a6a6',
        { lift: 0.6 },
      )
    }
  }
}

/** A garden plot from above: two sheets of paper on the path. */
export function plotPictures(): Picture[][] {
  return BIOMES.map((biome, index) =>
    [0, 1].map(variant => {
      const random = randomOf(index * 31 + variant * 7 + 5)
      return picture(
        PLOT,
        PLOT,
        context => {
          cut(context, handCutSquare(PLOT / 2 - 10, random), biome.soil, { lift: 2.4, rim: 0.3 })
          const lawn = handCutSquare(PLOT / 2 - 15, random)
          cut(context, lawn, biome.lawn, { lift: 1.4, rim: 0.42 })
          context.save()
          context.clip(lawn)
          drawLawn(context, biome, random)
          context.restore()
        },
        PLOT / 2,
        2.5,
      )
    }),
  )
}

export function pondPicture(): Picture {
  const random = randomOf(77)
  const ring = (radius: number, wobble: number) =>
    blob(
      Array.from({ length: 14 }, (_, n) => {
        const angle = (n / 14) * Math.PI * 2
        const far = radius * (1 + (random() - 0.5) * wobble) * 1.02
        return [Math.cos(angle) * far, Math.sin(angle) * far] as const
      }),
    )
  return picture(
    132,
    132,
    context => {
      cut(context, ring(60, 0.05), '#c7a98f', { lift: 1.5, rim: 0.5 })
      const water = ring(55, 0.06)
      context.fillStyle = '#2d4a78'
      context.fill(water)
      context.save()
      context.clip(water)
      cut(context, ring(58, 0.04), 'rgba(0,0,0,0)', { lift: 0, rim: 0 })
      for (const [radius, colour] of [
        [50, '#3d6591'],
        [40, '#4f7fa3'],
        [27, '#6b9bb0'],
      ] as const) {
        context.save()
        context.translate(-3, 4)
        cut(context, ring(radius, 0.1), colour, { lift: 0.8, rim: 0.25 })
        context.restore()
      }
      context.strokeStyle = 'rgba(255, 226, 178, 0.55)'
      context.lineWidth = 1.2
      for (const [x, y, w] of [
        [-16, -8, 13],
        [4, 8, 17],
        [-8, 20, 10],
        [12, -18, 9],
      ] as const) {
        context.beginPath()
        context.moveTo(x - w, y)
        context.quadraticCurveTo(x, y - 2.6, x + w, y)
        context.stroke()
      }
      context.restore()
      for (const [x, y, r, flower] of [
        [22, -24, 8, 1],
        [-29, 20, 9, 0],
        [-38, 6, 5.5, 0],
        [30, 22, 7, 1],
        [-10, -36, 6, 0],
      ] as const) {
        const pad = new Path2D()
        pad.arc(x, y, r, 0.5, Math.PI * 2 - 0.1)
        pad.lineTo(x, y)
        pad.closePath()
        cut(context, pad, '#7fb083', { lift: 0.9, rim: 0.5 })
        if (!flower) continue
        for (let petal = 0; petal < 6; petal++) {
          const angle = (petal / 6) * Math.PI * 2
          cut(context, ellipse(x + Math.cos(angle) * 2.6, y - 1 + Math.sin(angle) * 2, 2.3, 1.7, angle), '#f9d4d2', {
            lift: 0.4,
          })
        }
        cut(context, ellipse(x, y - 1, 1.6), '#f5c257', { lift: 0.2 })
      }
    },
    66,
    3,
  )
}

export function plazaPicture(): Picture {
  const { radius } = PLAZA
  return picture(
    radius * 2 + 12,
    radius * 2 + 12,
    context => {
      cut(context, ellipse(0, 0, radius), '#b88f84', { lift: 2, rim: 0.5 })
      cut(context, ellipse(0, 0, radius - 5), '#e2c2a2', { lift: 0.8, rim: 0.6 })
      const random = randomOf(12)
      const rings = [28, 48, 67, 86]
      for (let ring = 1; ring < rings.length; ring++) {
        const inner = rings[ring - 1]! + 1.6
        const outer = rings[ring]! - 0.4
        const stones = 10 + ring * 7
        for (let n = 0; n < stones; n++) {
          const from = ((n + 0.06 + ring * 0.3) / stones) * Math.PI * 2
          const to = ((n + 0.94 + ring * 0.3) / stones) * Math.PI * 2
          const stone = new Path2D()
          stone.arc(0, 0, outer, from, to)
          stone.arc(0, 0, inner, to, from, true)
          stone.closePath()
          const tone = random()
          cut(context, stone, tone < 0.33 ? '#d3ad93' : tone < 0.66 ? '#dbb89b' : '#cda490', { lift: 0.4, rim: 0.4 })
        }
      }
      cut(context, ellipse(0, 0, 26), '#8c6a74', { lift: 1.2, rim: 0.5 })
      cut(context, ellipse(0, 0, 20), '#6f8a68', { lift: 0, rim: 0.3 })
    },
    radius + 6,
    3,
  )
}

function drawRoundTree(context: CanvasRenderingContext2D, tree: Biome['tree'], random: () => number): void {
  cut(
    context,
    polygon([
      [-3, 0],
      [-2, -20],
      [2, -20],
      [3, 0],
    ]),
    '#6b4a52',
    { lift: 0.6 },
  )
  const crown = (y: number, rx: number, ry: number) =>
    blob(
      Array.from({ length: 11 }, (_, n) => {
        const angle = (n / 11) * Math.PI * 2
        const far = 1.06 + (random() - 0.5) * 0.2
        return [Math.cos(angle) * rx * far, y + Math.sin(angle) * ry * far] as const
      }),
    )
  cut(context, crown(-33, 23, 21), tree[0], { lift: 1.6 })
  cut(context, crown(-37, 17.5, 15.5), tree[1], { lift: 1.3 })
  cut(context, crown(-42, 10.5, 9), tree[2], { lift: 1 })
}

function drawFir(context: CanvasRenderingContext2D, tree: Biome['tree']): void {
  cut(
    context,
    polygon([
      [-2.6, 0],
      [-2, -12],
      [2, -12],
      [2.6, 0],
    ]),
    '#5d4350',
    { lift: 0.6 },
  )
  const skirts = [
    [-8, 19, 24],
    [-24, 15.5, 22],
    [-40, 11.5, 21],
  ] as const
  skirts.forEach(([y, half, height], index) => {
    const skirt = new Path2D()
    skirt.moveTo(0, y - height)
    skirt.lineTo(half, y)
    const scallop = (half * 2) / 4
    for (let n = 0; n < 4; n++) skirt.quadraticCurveTo(half - scallop * (n + 0.5), y + 4.6, half - scallop * (n + 1), y)
    skirt.closePath()
    cut(context, skirt, tree[index]!, { lift: 1.4 })
  })
}

function drawBush(context: CanvasRenderingContext2D, biome: Biome, random: () => number): void {
  cut(
    context,
    blob([
      [-15, 1],
      [-17, -9],
      [-7, -16],
      [6, -17],
      [16, -9],
      [15, 1],
    ]),
    biome.tree[0],
  )
  cut(
    context,
    blob([
      [-10, -1],
      [-11, -9],
      [-3, -13],
      [6, -13],
      [11, -7],
      [9, -1],
    ]),
    biome.tree[1],
    { lift: 0.9 },
  )
  for (let n = 0; n < 6; n++) {
    const colour = biome.flower[n % biome.flower.length]!
    cut(context, ellipse(-10 + random() * 20, -3 - random() * 10, 1.7), colour, { lift: 0.4 })
  }
}

function drawMushrooms(context: CanvasRenderingContext2D): void {
  for (const [x, y, size] of [
    [-5, 0, 1],
    [5, 1, 0.7],
  ] as const) {
    cut(
      context,
      blob([
        [x - 2 * size, y],
        [x - 1.4 * size, y - 8 * size],
        [x + 1.4 * size, y - 8 * size],
        [x + 2 * size, y],
      ]),
      '#f6e6cd',
      { lift: 0.5 },
    )
    const cap = new Path2D()
    cap.moveTo(x - 7 * size, y - 6 * size)
    cap.bezierCurveTo(x - 6 * size, y - 15 * size, x + 6 * size, y - 15 * size, x + 7 * size, y - 6 * size)
    cap.quadraticCurveTo(x, y - 8.4 * size, x - 7 * size, y - 6 * size)
    cut(context, cap, '#d9604f', { lift: 0.7 })
    context.fillStyle = '#fbeed6'
    for (const dx of [-3, 1.2, 3.6])
      context.fill(ellipse(x + dx * size, y - (dx === 1.2 ? 10.5 : 8.4) * size, 1.1 * size))
  }
}

/** `[tree, fir, bush, mushrooms]` of each biome. */
export const plantPictures = (): Picture[][] =>
  BIOMES.map((biome, index) => {
    const random = randomOf(index + 400)
    return [
      picture(60, 66, context => drawRoundTree(context, biome.tree, random), 61),
      picture(48, 70, context => drawFir(context, biome.tree), 65),
      picture(44, 28, context => drawBush(context, biome, random), 22),
      picture(26, 22, drawMushrooms, 18),
    ]
  })

function drawPaperLantern(context: CanvasRenderingContext2D, y: number, rx: number, ry: number): void {
  const body = ellipse(0, y, rx, ry)
  const glow = context.createRadialGradient(0, y + ry * 0.2, 0, 0, y, rx * 1.2)
  glow.addColorStop(0, '#fff6d2')
  glow.addColorStop(0.5, '#ffd987')
  glow.addColorStop(1, '#f2a24f')
  context.fillStyle = glow
  context.fill(body)
  context.save()
  context.clip(body)
  context.strokeStyle = 'rgba(176, 88, 48, 0.35)'
  context.lineWidth = 0.7
  for (let n = -2; n <= 2; n++) {
    context.beginPath()
    context.ellipse(0, y, Math.abs(n) * rx * 0.36 + 0.01, ry, 0, 0, Math.PI * 2)
    context.stroke()
  }
  context.restore()
  context.fillStyle = '#5a3a4a'
  context.fillRect(-rx * 0.4, y - ry - 1, rx * 0.8, 2)
  context.fillRect(-rx * 0.4, y + ry - 1, rx * 0.8, 2)
}

/** A garden lamp: a hooked pole with a paper lantern. */
export const lampPicture = (): Picture =>
  picture(
    30,
    60,
    context => {
      context.strokeStyle = '#4a3450'
      context.lineWidth = 2.2
      context.beginPath()
      context.moveTo(-6, 0)
      context.lineTo(-6, -38)
      context.quadraticCurveTo(-6, -47, 1, -47)
      context.quadraticCurveTo(6, -47, 6, -42)
      context.stroke()
      cut(context, ellipse(-6, 0, 3.6, 1.8), '#4a3450', { lift: 0.4 })
      context.save()
      context.translate(6, 0)
      drawPaperLantern(context, -33, 6.6, 7.6)
      context.restore()
    },
    55,
  )

/** The lantern a player carries. */
export const handLanternPicture = (): Picture =>
  picture(
    12,
    18,
    context => {
      context.strokeStyle = '#5a3a4a'
      context.lineWidth = 1
      context.beginPath()
      context.moveTo(0, -6)
      context.lineTo(0, 2)
      context.stroke()
      drawPaperLantern(context, 5, 3.5, 4)
    },
    6,
  )

/** The great lantern in the middle of the plaza. */
export const greatLanternPicture = (): Picture =>
  picture(
    110,
    150,
    context => {
      cut(
        context,
        polygon([
          [-9, 0],
          [-5, -88],
          [5, -88],
          [9, 0],
        ]),
        '#6a4a58',
        { lift: 1, rim: 0.4 },
      )
      cut(
        context,
        blob([
          [-16, 3],
          [-14, -7],
          [0, -10],
          [14, -7],
          [16, 3],
          [0, 6],
        ]),
        '#7d5a66',
        { lift: 1 },
      )
      context.strokeStyle = '#5a3f52'
      context.lineWidth = 3
      context.beginPath()
      context.moveTo(-34, -92)
      context.quadraticCurveTo(0, -112, 34, -92)
      context.stroke()
      for (const [x, y, size] of [
        [-34, -76, 1],
        [34, -76, 1],
        [0, -72, 1.7],
      ] as const) {
        context.save()
        context.translate(x, 0)
        context.lineWidth = 1.2
        context.beginPath()
        context.moveTo(0, y - 11 * size)
        context.lineTo(0, size > 1 ? -102 : -92)
        context.stroke()
        drawPaperLantern(context, y, 9.6 * size, 10.6 * size)
        context.restore()
      }
      cut(
        context,
        polygon([
          [-22, -99],
          [0, -122],
          [22, -99],
          [0, -104],
        ]),
        '#c9604f',
        { lift: 1.4, rim: 0.6 },
      )
      cut(context, ellipse(0, -123, 3), '#f7d27c', { lift: 0.5 })
    },
    138,
  )

/** A round light that fades to nothing, to be added to what is below it. */
export const glowPicture = (): Picture => {
  const glow = picture(
    128,
    128,
    context => {
      const gradient = context.createRadialGradient(0, 0, 0, 0, 0, 64)
      gradient.addColorStop(0, 'rgba(255, 214, 140, 1)')
      gradient.addColorStop(0.25, 'rgba(255, 190, 110, 0.56)')
      gradient.addColorStop(0.6, 'rgba(255, 160, 90, 0.16)')
      gradient.addColorStop(1, 'rgba(255, 150, 90, 0)')
      context.fillStyle = gradient
      context.fillRect(-64, -64, 128, 128)
    },
    64,
    1,
  )
  return { ...glow, scale: 1 / 128 }
}

/** A soft shadow one unit wide, to be scaled. */
export const shadowPicture = (): Picture => {
  const shadow = picture(
    64,
    32,
    context => {
      context.scale(1, 0.5)
      const gradient = context.createRadialGradient(0, 0, 0, 0, 0, 32)
      gradient.addColorStop(0, 'rgba(36, 20, 62, 0.5)')
      gradient.addColorStop(0.6, 'rgba(36, 20, 62, 0.34)')
      gradient.addColorStop(1, 'rgba(36, 20, 62, 0)')
      context.fillStyle = gradient
      context.fillRect(-32, -32, 64, 64)
    },
    16,
    1,
  )
  return { ...shadow, scale: 1 / 64 }
}

/** The ring on the ground around the player's own animal. */
export const ringPicture = (): Picture =>
  picture(
    52,
    26,
    context => {
      context.scale(1, 0.46)
      context.fillStyle = 'rgba(255, 214, 130, 0.3)'
      context.fill(ellipse(0, 0, 20))
      context.strokeStyle = '#ffe6a6'
      context.lineWidth = 2.4
      context.stroke(ellipse(0, 0, 21))
    },
    13,
  )

export const grainPicture = (): Picture => {
  const random = randomOf(3)
  return picture(
    128,
    128,
    context => {
      for (let n = 0; n < 900; n++) {
        context.fillStyle = random() < 0.5 ? 'rgba(90, 54, 70, 0.07)' : 'rgba(255, 240, 214, 0.1)'
        context.fill(
          ellipse(
            (random() - 0.5) * 128,
            (random() - 0.5) * 128,
            0.4 + random() * 1.6,
            0.3 + random() * 0.7,
            random() * 3,
          ),
        )
      }
    },
    64,
    2,
  )
}

export interface Plant {
  kind: number
  x: number
  y: number
  size: number
}

/** Where the plants of a plot stand: along its edges, off the paths, out of the water. */
export function plantsOf(column: number, row: number): Plant[] {
  const random = randomOf(row * 97 + column * 13 + 1)
  const plants: Plant[] = []
  const count = 5 + Math.floor(random() * 3)
  for (let attempt = 0; attempt < 40 && plants.length < count; attempt++) {
    const x = (column + 0.13 + random() * 0.74) * PLOT
    const y = (row + 0.16 + random() * 0.72) * PLOT
    const crowded =
      plants.some(plant => Math.hypot(plant.x - x, plant.y - y) < 34) ||
      PONDS.some(pond => Math.hypot(pond.x - x, pond.y - y) < pond.radius + 14) ||
      Math.hypot(PLAZA.x - x, PLAZA.y - y) < PLAZA.radius + 16
    if (crowded) continue
    const roll = random()
    plants.push({ kind: roll < 0.3 ? 0 : roll < 0.52 ? 1 : roll < 0.82 ? 2 : 3, x, y, size: 0.82 + random() * 0.36 })
  }
  return plants
}

/** One lamp at a corner of each plot, beside the path; neighbours' lamps never stand together. */
export function lampOf(column: number, row: number): { x: number; y: number } {
  const x = (column + (row % 2 ? 0.1 : 0.88)) * PLOT
  const y = (row + (column % 2 ? 0.9 : 0.3)) * PLOT
  const far = Math.hypot(x - PLAZA.x, y - PLAZA.y)
  return far > PLAZA.radius + 20 ? { x, y } : { x: (column + 0.5) * PLOT, y: (row + 0.5) * PLOT }
}

/** The hedge around the garden: points and sizes, and the biome whose trees stand there. */
export function hedge(): (Plant & { biome: number })[] {
  const random = randomOf(21)
  const plants: (Plant & { biome: number })[] = []
  const biomes = [2, 0, 4, 1]
  // Bushes along the very edge, so that the paths end in green.
  for (let t = -14; t < SIZE + 14; t += 23 + random() * 7) {
    for (const [x, y] of [
      [t, 4],
      [t, SIZE + 12],
      [-4, t],
      [SIZE + 4, t],
    ] as const) {
      plants.push({ kind: 2, x, y, size: 0.8 + random() * 0.4, biome: biomes[Math.floor(random() * 4)]! })
    }
  }
  for (let ring = 0; ring < 4; ring++) {
    const out = 14 + ring * 30
    const steps = Math.round((SIZE + out * 2) / 36)
    for (let n = 0; n < steps; n++) {
      const t = -out + ((n + random() * 0.7) / steps) * (SIZE + out * 2)
      for (const side of [0, 1, 2, 3]) {
        const away = out + random() * 12
        const kind = random() < 0.55 ? 1 : 0
        const plant = {
          kind: ring === 0 && random() < 0.5 ? 2 : kind,
          size: 0.95 + random() * 0.5,
          biome: biomes[Math.floor(random() * 4)]!,
        }
        if (side === 0) plants.push({ ...plant, x: t, y: -away + 8 })
        else if (side === 1) plants.push({ ...plant, x: t, y: SIZE + away + 14 })
        else if (side === 2) plants.push({ ...plant, x: -away, y: t })
        else plants.push({ ...plant, x: SIZE + away, y: t })
      }
    }
  }
  return plants
}

export const plotIndex = (column: number, row: number): number => row * PLOTS + column
