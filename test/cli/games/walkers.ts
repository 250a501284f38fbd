import { addComponent, addEntity, query } from 'bitecs'
import type { Game } from 'bitecs-pipes/testing'

export const schema = `
keyword interp_linear;
dclass Walker {
  int32/100 x broadcast interp_linear;
  int32/100 y broadcast interp_linear;
  uint8(0-100) health = 100 broadcast;
};
`

const way: Record<number, { x: number; y: number }> = {}

/** What they were up to in the run before is nothing to the next one. */
export const start = (): void => {
  for (const eid in way) delete way[eid]
}

export const spawn: Game['spawn'] = {
  walker({ world, schema: { dclasses } }, dice) {
    const eid = addEntity(world)
    addComponent(world, eid, dclasses.Walker)
    dclasses.Walker.x[eid] = dice.between(-20, 20)
    return eid
  },
}

export const rules: Game['rules'] = {
  /** They go straight ahead, and now and then another way. */
  walk({ world, schema: { dclasses } }, dice) {
    const { Walker } = dclasses
    for (const eid of query(world, [Walker])) {
      if (dice.chance(0.3)) way[eid] = { x: dice.between(-0.1, 0.1), y: dice.between(-0.1, 0.1) }
      Walker.x[eid] += way[eid]?.x ?? 0.05
      Walker.y[eid] += way[eid]?.y ?? 0
    }
  },
}
