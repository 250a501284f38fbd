import {
  BoxGeometry,
  Color,
  DirectionalLight,
  DynamicDrawUsage,
  Fog,
  HemisphereLight,
  InstancedMesh,
  Mesh,
  MeshBasicMaterial,
  MeshStandardMaterial,
  Object3D,
  PCFShadowMap,
  PerspectiveCamera,
  PlaneGeometry,
  RingGeometry,
  Scene,
  SRGBColorSpace,
  Vector3,
  WebGLRenderer,
} from 'three'
import { RoundedBoxGeometry } from 'three/addons/geometries/RoundedBoxGeometry.js'
import { hasComponent, type World } from 'bitecs'
import { Cube, Player } from '../../../dc/cubes.dc'
import { ARENA, BIG_HALF, SEATS, SMALL_CUBES, SMALL_HALF } from '../scene.ts'

const AIR = 0xe9e5dd
const RESTING = new Color(0xd3d8e2)
const MOVING = new Color(0xe0603f)
/** Players' colours by seat; what moves is red, so none of them is. */
const SEAT_COLOURS = [0x2f6fb3, 0x2f8f7a, 0x7a57b8, 0xc28a1e, 0x3d8fb8, 0x8a7d2b, 0x4d62c4, 0x5f9340].map(
  colour => new Color(colour),
)

/** A player's colour, as CSS has it. */
export const colourOf = (seat: number): string => SEAT_COLOURS[seat % SEAT_COLOURS.length]!.getStyle(SRGBColorSpace)

/** Where the camera stands from what it looks at, metres, at a distance of 1. */
const FROM = new Vector3(0, -0.8, 0.6)
const FIELD_OF_VIEW = 38
/** Milliseconds a frame may take, averaged, before shadows are given up. */
const SLOW = 34
const FRAMES = 60

/**
 * The scene in three.js. With `calm` the camera stands still and shows all of the field. Throws when the browser has no
 * WebGL.
 */
export const createStage = (canvas: HTMLCanvasElement, calm: boolean) => {
  const renderer = new WebGLRenderer({ canvas, antialias: true, powerPreference: 'high-performance' })
  renderer.shadowMap.enabled = true
  renderer.shadowMap.type = PCFShadowMap

  const scene = new Scene()
  scene.background = new Color(AIR)
  scene.fog = new Fog(AIR, 30, 90)
  const camera = new PerspectiveCamera(FIELD_OF_VIEW, 1, 0.5, 200)
  camera.up.set(0, 0, 1)

  scene.add(new HemisphereLight(0xffffff, 0xd9d4cc, 2.1))
  const sun = new DirectionalLight(0xfff6ea, 1.7)
  sun.castShadow = true
  sun.shadow.mapSize.set(2048, 2048)
  sun.shadow.radius = 3
  sun.shadow.bias = -0.0006
  sun.shadow.normalBias = 0.02
  const shadows = sun.shadow.camera
  Object.assign(shadows, { left: -22, right: 22, top: 22, bottom: -22, near: 1, far: 90 })
  shadows.updateProjectionMatrix()
  sun.position.set(-16, -10, 30)
  scene.add(sun, sun.target)

  const floor = new Mesh(new PlaneGeometry(400, 400), new MeshStandardMaterial({ color: 0xdcd8d0, roughness: 1 }))
  floor.receiveShadow = true
  scene.add(floor)
  // The walls, as a line on the floor.
  for (const [x, y] of [
    [ARENA, 0],
    [-ARENA, 0],
    [0, ARENA],
    [0, -ARENA],
  ] as const) {
    const edge = new Mesh(
      new BoxGeometry(x === 0 ? ARENA * 2 + 0.1 : 0.1, y === 0 ? ARENA * 2 + 0.1 : 0.1, 0.04),
      new MeshStandardMaterial({ color: 0xbdb4a4, roughness: 1 }),
    )
    edge.position.set(x, y, 0.02)
    scene.add(edge)
  }

  const ring = new Mesh(
    new RingGeometry(1.5, 1.58, 64),
    new MeshBasicMaterial({ color: 0x2b3140, transparent: true, opacity: 0.5, depthWrite: false }),
  )
  ring.position.z = 0.03
  ring.visible = false
  scene.add(ring)

  const mesh = new InstancedMesh(
    new RoundedBoxGeometry(2, 2, 2, 1, 0.14),
    new MeshStandardMaterial({ roughness: 0.75 }),
    SMALL_CUBES + SEATS,
  )
  mesh.instanceMatrix.setUsage(DynamicDrawUsage)
  mesh.castShadow = true
  mesh.receiveShadow = true
  mesh.frustumCulled = false
  mesh.count = 0
  scene.add(mesh)

  const pose = new Object3D()
  const colour = new Color()
  /** How red each cube is, 0 to 1, by entity: it comes at once and goes slowly. */
  const heat = new Map<number, number>()
  const focus = new Vector3()
  let distance = 30
  let ahead = 0
  const target = new Vector3()

  const resize = (): void => {
    const { innerWidth: width, innerHeight: height } = window
    renderer.setPixelRatio(renderer.shadowMap.enabled ? Math.min(2, devicePixelRatio) : 1)
    renderer.setSize(width, height, false)
    camera.aspect = width / height
    camera.updateProjectionMatrix()
    // So many metres are to fit across, and from front to back.
    const across = calm ? ARENA * 2 + 4 : Math.min(24, 11 + 8 * camera.aspect)
    const tangent = Math.tan((FIELD_OF_VIEW / 360) * Math.PI)
    distance = Math.max(across / 2 / tangent / camera.aspect, (across * 0.72) / 2 / tangent)
    // What is ahead of a cube matters more than what is behind it.
    ahead = calm ? -1 : 3
    // Air thickens behind what is to be seen.
    Object.assign(scene.fog!, { near: distance + 12, far: distance + 75 })
  }
  addEventListener('resize', resize)
  resize()

  let frames = 0
  let spent = 0
  /** Gives up shadows where they cost too much, as where WebGL is emulated. */
  const economise = (dt: number): void => {
    if (!renderer.shadowMap.enabled) return
    spent += dt * 1000
    if (++frames < FRAMES && spent < FRAMES * SLOW) return
    if (spent / frames > SLOW) {
      renderer.shadowMap.enabled = false
      sun.castShadow = false
      resize()
    }
    frames = spent = 0
  }

  return {
    /** Puts the cubes where the columns say; while they are on their way, where they were. */
    place(world: World, eids: ArrayLike<number>, me: number | undefined, dt: number): void {
      const { position, rotation, interacting } = Cube
      mesh.count = Math.min(eids.length, SMALL_CUBES + SEATS)
      ring.visible = me !== undefined
      for (let n = 0; n < mesh.count; n++) {
        const eid = eids[n]!
        const isPlayer = hasComponent(world, eid, Player)
        const before = heat.get(eid) ?? 0
        const warmth = interacting[eid] ? Math.min(1, before + dt * 8) : Math.max(0, before - dt * 1.5)
        if (warmth !== before) heat.set(eid, warmth)
        pose.position.set(position.x[eid]!, position.y[eid]!, position.z[eid]!)
        pose.quaternion.set(rotation.x[eid]!, rotation.y[eid]!, rotation.z[eid]!, rotation.w[eid]!)
        pose.scale.setScalar(isPlayer ? BIG_HALF : SMALL_HALF)
        pose.updateMatrix()
        mesh.setMatrixAt(n, pose.matrix)
        if (isPlayer) colour.copy(SEAT_COLOURS[Player.seat[eid]! % SEAT_COLOURS.length]!)
        else colour.copy(RESTING).lerp(MOVING, warmth)
        mesh.setColorAt(n, colour)
      }
      mesh.instanceMatrix.needsUpdate = true
      if (mesh.instanceColor) mesh.instanceColor.needsUpdate = true
      if (me === undefined) return
      ring.position.x = position.x[me]!
      ring.position.y = position.y[me]!
      if (calm) return
      const pull = 1 - Math.exp(-dt * 5)
      focus.x += (position.x[me]! - focus.x) * pull
      focus.y += (position.y[me]! - focus.y) * pull
    },
    /** Triangles of the last picture. */
    triangles: () => renderer.info.render.triangles,
    draw(dt: number): void {
      economise(dt)
      target.copy(focus)
      target.y += ahead
      camera.position.copy(FROM).normalize().multiplyScalar(distance).add(target)
      camera.lookAt(target)
      renderer.render(scene, camera)
    },
  }
}

export type Stage = ReturnType<typeof createStage>
