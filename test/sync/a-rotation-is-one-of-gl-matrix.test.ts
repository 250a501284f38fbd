import { addComponent, addEntity, query } from 'bitecs'
import { glMatrix, quat, vec2, vec3 } from 'gl-matrix'
import { expect, test } from 'vitest'
import { getQuat, getVec2, getVec3, setQuat, setVec2, setVec3 } from '../../src/index.ts'
import { createWorlds } from '../support/worlds.ts'

const DC = `
struct Vec3 { int16/100 x; int16/100 y; int16/100 z; };
dclass Ship { Vec3 position broadcast; quat48 turn broadcast; };
`

test('what gl-matrix has turned and moved arrives as that', async () => {
  const worlds = createWorlds(DC)
  const { Ship } = worlds.schema.dclasses
  const eid = addEntity(worlds.world)
  addComponent(worlds.world, eid, Ship)
  worlds.server.place(eid, 1)
  setVec3(Ship.position, eid, vec3.fromValues(1, 2, 3))
  const turn = getQuat(quat.create(), Ship.turn, eid)
  expect([...turn], 'the default is no turn').toEqual([0, 0, 0, 1])
  setQuat(Ship.turn, eid, quat.rotateZ(turn, turn, Math.PI / 2))
  const forward = vec3.transformQuat(vec3.create(), [1, 0, 0], turn)
  setVec3(Ship.position, eid, vec3.add(vec3.create(), getVec3(vec3.create(), Ship.position, eid), forward))

  const guest = await worlds.join()
  void guest.client.interest.set([1])
  worlds.run(10)
  const theirs = guest.schema.dclasses.Ship
  const [seen] = query(guest.world, [theirs])
  expect([...getVec3([0, 0, 0], theirs.position, seen!)].map(part => Math.round(part * 100))).toEqual([100, 300, 300])
  const facing = vec3.transformQuat([0, 0, 0], [1, 0, 0], getQuat([0, 0, 0, 0], theirs.turn, seen!))
  for (const [index, part] of [0, 1, 0].entries())
    expect(Math.abs(facing[index]! - part), 'quat48 has steps of a few hundred-thousandths').toBeLessThan(1e-3)
  expect(quat.length(getQuat(quat.create(), theirs.turn, seen!))).toBeCloseTo(1, 5)
  await worlds.end()
})

test('two numbers are a vec2, of plain arrays too', () => {
  const columns = { x: new Float32Array(4), y: new Float32Array(4) }
  setVec2(columns, 3, vec2.fromValues(5, 6))
  expect(getVec2([0, 0], columns, 3)).toEqual([5, 6])
  expect(getVec2(new glMatrix.ARRAY_TYPE(2) as vec2, columns, 2)).toEqual(new Float32Array(2))
})
