import { blob, canvasOf, cut, ellipse, picture, polygon, type Picture } from './paint.ts'

const INK = '#2b2140'
const CHEEK = 'rgba(236, 112, 99, 0.75)'
const CREAM = '#fbeed6'

type Ears = 'pointed' | 'long' | 'round' | 'tufts' | 'bumps'
type Muzzle = 'snout' | 'nose' | 'beak' | 'mouth'

interface Look {
  name: string
  fur: string
  inner: string
  face: string
  cloak: string
  ears: Ears
  muzzle: Muzzle
  stripes?: boolean
}

/** The eight players' animals; the index is `Avatar.look`. */
export const LOOK_NAMES = ['fox', 'rabbit', 'bear', 'cat', 'owl', 'frog', 'mouse', 'badger'] as const

const LOOKS: readonly Look[] = [
  { name: 'fox', fur: '#e58a4e', inner: '#6b3b3f', face: CREAM, cloak: '#2f7f86', ears: 'pointed', muzzle: 'snout' },
  { name: 'rabbit', fur: '#f3e3cd', inner: '#eaa79c', face: '#fff8ea', cloak: '#d9604f', ears: 'long', muzzle: 'nose' },
  { name: 'bear', fur: '#b67d52', inner: '#7d4d3a', face: '#e9c59a', cloak: '#e2ac3f', ears: 'round', muzzle: 'snout' },
  { name: 'cat', fur: '#6d6488', inner: '#c78d9f', face: '#8d84a6', cloak: '#e07f95', ears: 'pointed', muzzle: 'nose' },
  { name: 'owl', fur: '#a98565', inner: '#7c5a4b', face: '#f0dcb9', cloak: '#4b56a0', ears: 'tufts', muzzle: 'beak' },
  { name: 'frog', fur: '#8fbb6c', inner: '#5d8a55', face: '#b6d88c', cloak: '#e9bb4a', ears: 'bumps', muzzle: 'mouth' },
  { name: 'mouse', fur: '#bdb7cf', inner: '#e8a9ad', face: '#dcd7e6', cloak: '#4f9168', ears: 'round', muzzle: 'nose' },
  {
    name: 'badger',
    fur: '#5f5d70',
    inner: '#3d3a4e',
    face: '#f7efe2',
    cloak: '#e5793f',
    ears: 'round',
    muzzle: 'snout',
    stripes: true,
  },
]

function mirrored(context: CanvasRenderingContext2D, draw: (side: number) => void): void {
  for (const side of [-1, 1]) {
    context.save()
    context.scale(side, 1)
    draw(side)
    context.restore()
  }
}

function drawEars(context: CanvasRenderingContext2D, look: Look, back: boolean): void {
  mirrored(context, () => {
    if (look.ears === 'pointed') {
      cut(
        context,
        polygon([
          [3, -31],
          [9.5, -42],
          [12.2, -27],
        ]),
        look.fur,
      )
      if (!back)
        cut(
          context,
          polygon([
            [6, -31.5],
            [9.2, -38.5],
            [10.6, -30],
          ]),
          look.inner,
          { lift: 0, rim: 0 },
        )
    } else if (look.ears === 'long') {
      cut(context, ellipse(5.6, -42, 3.3, 10, 0.16), look.fur)
      if (!back) cut(context, ellipse(5.7, -41.5, 1.5, 7, 0.16), look.inner, { lift: 0, rim: 0 })
    } else if (look.ears === 'round') {
      const size = look.name === 'mouse' ? 6.4 : 4.5
      cut(context, ellipse(9.5, -34.5, size), look.fur)
      if (!back) cut(context, ellipse(9.5, -34.2, size * 0.55), look.inner, { lift: 0, rim: 0 })
    } else if (look.ears === 'tufts') {
      cut(
        context,
        polygon([
          [4, -34],
          [12.8, -41],
          [11, -29],
        ]),
        look.fur,
      )
    } else {
      cut(context, ellipse(6.6, -35, 4.6), look.fur)
    }
  })
}

function drawFace(context: CanvasRenderingContext2D, look: Look, shut: boolean): void {
  const bulging = look.ears === 'bumps'
  context.save()
  context.clip(ellipse(0, -25, 12.6, 11.4))
  if (look.stripes) {
    cut(
      context,
      blob([
        [-2.6, -38],
        [2.6, -38],
        [3, -24],
        [6, -12],
        [-6, -12],
        [-3, -24],
      ]),
      look.face,
      { lift: 0, rim: 0 },
    )
    mirrored(context, () =>
      cut(
        context,
        blob([
          [10, -34],
          [14, -30],
          [12, -18],
          [7, -16],
          [8, -26],
        ]),
        look.face,
        { lift: 0, rim: 0 },
      ),
    )
  } else if (look.muzzle === 'beak') {
    mirrored(context, () => cut(context, ellipse(5, -25.5, 6.2, 6.6), look.face, { lift: 0.4, rim: 0.3 }))
  } else if (look.name === 'fox') {
    mirrored(context, () =>
      cut(
        context,
        blob([
          [0, -22],
          [8, -27],
          [15, -22],
          [10, -12],
          [0, -12],
        ]),
        look.face,
        { lift: 0, rim: 0 },
      ),
    )
  } else {
    cut(context, ellipse(0, -19.5, bulging ? 9.5 : 7.2, bulging ? 5 : 5.6), look.face, { lift: 0, rim: 0 })
  }
  context.restore()

  const eyeY = bulging ? -35 : -26
  const eyeX = bulging ? 6.6 : look.muzzle === 'beak' ? 5 : 5.2
  mirrored(context, () => {
    if (bulging) context.fillStyle = CREAM
    if (bulging) context.fill(ellipse(eyeX, eyeY, 2.9))
    if (shut) {
      context.strokeStyle = look.stripes ? CREAM : INK
      context.lineWidth = 1
      context.beginPath()
      context.arc(eyeX, eyeY - 0.4, 1.9, 0.25, Math.PI - 0.25)
      context.stroke()
    } else {
      context.fillStyle = look.stripes ? '#15101f' : INK
      context.fill(ellipse(eyeX, eyeY, 1.55, 1.95))
      context.fillStyle = '#fff'
      context.fill(ellipse(eyeX + 0.5, eyeY - 0.7, 0.55))
    }
    context.fillStyle = CHEEK
    if (!look.stripes) context.fill(ellipse(8.6, -21.2, 1.9, 1.25))
  })

  context.fillStyle =
    look.muzzle === 'beak' ? '#eba23d' : look.name === 'rabbit' || look.name === 'mouse' ? '#d9736f' : INK
  if (look.muzzle === 'beak')
    context.fill(
      polygon([
        [-1.9, -23.6],
        [1.9, -23.6],
        [0, -19.6],
      ]),
    )
  else if (look.muzzle !== 'mouth')
    context.fill(
      blob([
        [-2.2, -22.6],
        [2.2, -22.6],
        [0, -19.8],
      ]),
    )
  if (look.muzzle === 'beak') return
  context.strokeStyle = INK
  context.lineWidth = 0.8
  context.beginPath()
  if (look.muzzle === 'mouth') context.arc(0, -24, 5, 0.5, Math.PI - 0.5)
  else {
    context.arc(-1.4, -20, 1.4, 0.2, Math.PI - 0.6)
    context.moveTo(2.7, -19.6)
    context.arc(1.4, -20, 1.4, 0.2, Math.PI - 0.6)
  }
  context.stroke()
}

function drawTail(context: CanvasRenderingContext2D, look: Look): void {
  if (look.name === 'fox') {
    cut(
      context,
      blob([
        [-2, -6],
        [6, -12],
        [15, -14],
        [17, -5],
        [9, 0],
        [0, -1],
      ]),
      look.fur,
    )
    cut(
      context,
      blob([
        [11, -13.5],
        [16, -14],
        [17, -6],
        [13, -5],
      ]),
      CREAM,
      { lift: 0 },
    )
  } else if (look.name === 'cat' || look.name === 'mouse') {
    context.strokeStyle = look.name === 'cat' ? look.fur : look.inner
    context.lineWidth = look.name === 'cat' ? 3 : 1.6
    context.beginPath()
    context.moveTo(4, -3)
    context.bezierCurveTo(15, -1, 12, -12, 17, -15)
    context.stroke()
  } else if (look.name !== 'frog' && look.name !== 'owl') {
    cut(context, ellipse(0, -6, 3.8), look.name === 'rabbit' ? '#fffaf0' : look.fur)
  }
}

function drawAvatar(context: CanvasRenderingContext2D, look: Look, back: boolean, shut = false): void {
  if (!back) drawTail(context, look)
  // The cloak: a bell with a scalloped hem.
  const cloak = new Path2D()
  cloak.moveTo(-6.5, -19)
  cloak.bezierCurveTo(-11, -14, -12.4, -7, -13, -2.4)
  for (let n = 0; n < 4; n++) cloak.quadraticCurveTo(-13 + n * 6.5 + 3.25, 1.6, -13 + (n + 1) * 6.5, -2.4)
  cloak.bezierCurveTo(12.4, -7, 11, -14, 6.5, -19)
  cloak.closePath()
  cut(context, cloak, look.cloak, { lift: 1, rim: 0.4 })
  context.save()
  context.clip(cloak)
  context.strokeStyle = 'rgba(255, 244, 220, 0.5)'
  context.lineWidth = 0.9
  context.beginPath()
  for (let n = 0; n < 4; n++) {
    context.moveTo(-13 + n * 6.5, -5)
    context.quadraticCurveTo(-13 + n * 6.5 + 3.25, -1, -13 + (n + 1) * 6.5, -5)
  }
  context.stroke()
  context.restore()
  if (back) drawTail(context, look)

  drawEars(context, look, back)
  const head = blob([
    [-14.6, -27],
    [-10.5, -38.5],
    [0, -39],
    [10.5, -38.5],
    [14.6, -27],
    [12, -14.5],
    [0, -13],
    [-12, -14.5],
  ])
  cut(context, head, look.fur, { lift: 1.3, rim: 0.4 })
  if (look.ears === 'bumps') drawEars(context, look, back)
  if (!back) drawFace(context, look, shut)
  else if (look.stripes)
    cut(
      context,
      blob([
        [-2.4, -37],
        [2.4, -37],
        [2, -16],
        [-2, -16],
      ]),
      look.face,
      { lift: 0, rim: 0 },
    )
  if (back) {
    context.strokeStyle = 'rgba(43, 33, 64, 0.22)'
    context.lineWidth = 1
    context.beginPath()
    for (const x of [-4, 0, 4]) {
      context.moveTo(x, -33 + Math.abs(x) * 0.4)
      context.quadraticCurveTo(x * 1.2, -30, x * 1.1, -28 + Math.abs(x) * 0.3)
    }
    context.stroke()
    const collar = blob([
      [-9, -18],
      [0, -15.5],
      [9, -18],
      [8, -11.5],
      [0, -9.5],
      [-8, -11.5],
    ])
    cut(context, collar, look.cloak, { lift: 0.6, rim: 0.5 })
    return
  }
  // The knot of the cloak.
  cut(context, ellipse(0, -12.6, 2.3), '#f7d27c', { lift: 0.5, rim: 0.8 })
}

export interface AvatarPictures {
  front: Picture
  back: Picture
  asleep: Picture
  foot: Picture
}

export function avatarPictures(): AvatarPictures[] {
  return LOOKS.map(look => ({
    front: picture(44, 62, context => drawAvatar(context, look, false), 56),
    back: picture(44, 62, context => drawAvatar(context, look, true), 56),
    asleep: picture(44, 62, context => drawAvatar(context, look, false, true), 56),
    foot: picture(12, 8, context => cut(context, ellipse(0, 0, 3.8, 2.5), look.inner, { lift: 0.3 }), 4),
  }))
}

/** A portrait for buttons and lists, as a canvas. */
export const portrait = (look: number): HTMLCanvasElement =>
  canvasOf(42, 46, context => drawAvatar(context, LOOKS[look]!, false), 54, 4)

export const cloakColour = (look: number): string => LOOKS[look]?.cloak ?? '#888'

function eye(context: CanvasRenderingContext2D, x: number, y: number, size = 1.1): void {
  context.fillStyle = INK
  context.fill(ellipse(x, y, size, size * 1.15))
  context.fillStyle = '#fff'
  context.fill(ellipse(x + size * 0.3, y - size * 0.35, size * 0.35))
}

function drawSnail(context: CanvasRenderingContext2D): void {
  cut(
    context,
    blob([
      [-13, 0],
      [-9, -4],
      [2, -5],
      [8, -9],
      [13, -8],
      [13, -2],
      [9, 1],
    ]),
    '#d8b48c',
  )
  context.strokeStyle = '#d8b48c'
  context.lineWidth = 1.3
  context.beginPath()
  context.moveTo(10, -7)
  context.lineTo(9.4, -12.4)
  context.moveTo(12, -7)
  context.lineTo(14, -12)
  context.stroke()
  eye(context, 9.4, -12.6, 0.9)
  eye(context, 14, -12.2, 0.9)
  cut(context, ellipse(-2, -8.5, 8.2, 7.6), '#c4687a')
  cut(context, ellipse(-1.4, -8.2, 5.4, 5), '#e08f8a', { lift: 0.6 })
  cut(context, ellipse(-0.8, -8, 2.7, 2.5), '#f6c9a4', { lift: 0.5 })
}

function drawBeetle(context: CanvasRenderingContext2D): void {
  context.strokeStyle = INK
  context.lineWidth = 1.3
  context.beginPath()
  for (const x of [-5, 0, 5]) {
    context.moveTo(x, -3)
    context.lineTo(x + 0.8, 0.6)
  }
  context.stroke()
  cut(context, ellipse(7.4, -5, 4, 4), '#3a2f4f')
  eye(context, 9.4, -6, 0.9)
  const shell = new Path2D()
  shell.moveTo(-9, -2)
  shell.bezierCurveTo(-9, -13.5, 8, -13.5, 7.6, -2)
  shell.closePath()
  cut(context, shell, '#dc5547', { rim: 0.5 })
  context.fillStyle = '#3a2f4f'
  for (const [x, y, r] of [
    [-4.5, -5, 1.6],
    [0.2, -8, 1.7],
    [3.6, -4.4, 1.5],
  ] as const)
    context.fill(ellipse(x, y, r))
}

function drawHedgehog(context: CanvasRenderingContext2D): void {
  const spines: [number, number][] = []
  for (let n = 0; n <= 11; n++) {
    const angle = Math.PI + (n / 11) * Math.PI * 0.92
    const far = n % 2 ? 1 : 0.82
    spines.push([Math.cos(angle) * 12.5 * far - 1, Math.sin(angle) * 12.5 * far - 1])
  }
  cut(context, polygon([...spines, [9, 0], [-12, 0]]), '#6b4f52')
  cut(context, polygon(spines.map(([x, y]) => [x * 0.72 - 0.6, y * 0.72] as const)), '#8b6a62', { lift: 0.6 })
  cut(
    context,
    blob([
      [4, -9],
      [10, -8],
      [16, -3.5],
      [13, 0],
      [4, 0.4],
    ]),
    '#ecc9a0',
    { lift: 0.8 },
  )
  context.fillStyle = INK
  context.fill(ellipse(14.4, -3.4, 1.3))
  eye(context, 9.6, -5.4)
}

function drawMoth(context: CanvasRenderingContext2D): void {
  for (const side of [-1, 1]) {
    context.save()
    context.scale(side, 1)
    cut(
      context,
      blob([
        [0, -12],
        [4, -21],
        [13, -20],
        [12, -11],
        [2, -9],
      ]),
      '#f4dcae',
      { lift: 0.5, rim: 0.8 },
    )
    cut(
      context,
      blob([
        [0, -10],
        [9, -11],
        [9, -3],
        [3, -4],
      ]),
      '#e5b984',
      { lift: 0.4, rim: 0.7 },
    )
    context.fillStyle = '#a8637a'
    context.fill(ellipse(8.6, -16, 1.9))
    context.restore()
  }
  cut(context, ellipse(0, -10.5, 1.9, 5), '#7a5a6e', { lift: 0.3 })
}

function drawFrog(context: CanvasRenderingContext2D): void {
  cut(
    context,
    blob([
      [-11, 0],
      [-12, -7],
      [-5, -9],
      [-4, 1],
    ]),
    '#5f9a72',
  )
  cut(
    context,
    blob([
      [-9, 1],
      [-9, -9],
      [0, -13],
      [9, -12],
      [11, -3],
      [7, 1],
    ]),
    '#7db887',
    { rim: 0.5 },
  )
  cut(
    context,
    blob([
      [0, 1],
      [0, -4],
      [9, -4],
      [9, 1],
    ]),
    '#cfe6a8',
    { lift: 0, rim: 0 },
  )
  cut(context, ellipse(4.2, -12, 2.8), '#7db887', { lift: 0.3 })
  eye(context, 4.8, -12.4, 1.3)
  context.strokeStyle = INK
  context.lineWidth = 0.7
  context.beginPath()
  context.arc(6.4, -8, 3.2, 0.2, 2)
  context.stroke()
}

function drawDuckling(context: CanvasRenderingContext2D): void {
  context.strokeStyle = '#e0853f'
  context.lineWidth = 1.5
  context.beginPath()
  context.moveTo(-2, -3)
  context.lineTo(-2, 0.6)
  context.moveTo(2.4, -3)
  context.lineTo(2.4, 0.6)
  context.stroke()
  cut(
    context,
    blob([
      [-11, -10],
      [-4, -9],
      [4, -10],
      [9, -6],
      [5, -1],
      [-6, -1],
    ]),
    '#f3cd63',
  )
  cut(
    context,
    polygon([
      [10, -15],
      [15.6, -13],
      [10, -11.4],
    ]),
    '#e8843d',
    { lift: 0.3 },
  )
  cut(context, ellipse(6, -14, 5.2), '#f7d876', { rim: 0.6 })
  cut(
    context,
    blob([
      [-7, -8],
      [1, -9],
      [2, -4],
      [-5, -3],
    ]),
    '#e0b04c',
    { lift: 0.5 },
  )
  eye(context, 8, -15, 1.1)
}

/** The creatures; the index is `Npc.kind`. All face east. */
export const npcPictures = (): Picture[] =>
  [drawSnail, drawBeetle, drawHedgehog, drawMoth, drawFrog, drawDuckling].map(draw => picture(36, 28, draw, 24))
