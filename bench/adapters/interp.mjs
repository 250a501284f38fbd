import {
  advanceHistory,
  clockSample,
  commitRow,
  createHistory,
  createPlayout,
  createServerClock,
  insertRow,
  mixField,
  playoutAdvance,
  playoutPacket,
  sealSlot,
  serverTime,
  smoothOptions,
  writeValue,
} from '../../dist/time.js'

const PERIODS = { angle: 360, loop: 1 }

/**
 * The library as an adapter of an interpolation simulator: a factory that is given
 * `{ snapRate, channels: [{ name, type, dim, off }], ... }` and returns what receives snapshots and shows frames.
 * Each channel is an object of its own, so that one may be moved elsewhere while the others are not. Velocities are not
 * transmitted. Run `npm run build` first: this is the code that is published.
 */
export default function createAdapter({ snapRate, channels, playout: playoutOptions = {} }) {
  const options = smoothOptions()
  const playout = createPlayout({ updateRate: snapRate, ...playoutOptions })
  const clock = createServerClock()
  const objects = channels.map(channel => {
    const field = {
      at: 0,
      size: channel.dim,
      kind: channel.type === 'quat' ? 'quaternion' : 'number',
      period: PERIODS[channel.type] ?? 0,
      velocity: -1,
      options,
    }
    return { channel, field, history: createHistory([field], 1) }
  })
  const shown = new Float64Array(channels.reduce((sum, { dim, off }) => Math.max(sum, off + dim), 0))
  let resyncs = 0
  let estimate = NaN

  return {
    onSnapshot(localNow, { tickTime, vals, epoch, echo }) {
      playoutPacket(playout, localNow, tickTime)
      if (echo) clockSample(clock, echo.t0, localNow, tickTime, echo.t1 === undefined ? echo.hold : tickTime - echo.t1)
      objects.forEach((object, index) => {
        const { channel, history } = object
        const at = insertRow(history, tickTime, tickTime)
        if (at < 0) return
        for (let part = 0; part < channel.dim; part++) writeValue(history, at, 0, part, vals[channel.off + part])
        sealSlot(history, at, 0, epoch[index])
        commitRow(history, at)
      })
    },
    frame(localNow, dt) {
      const time = playoutAdvance(playout, localNow)
      estimate = serverTime(clock, localNow)
      if (Number.isNaN(time)) return
      const isJump = playout.resyncs !== resyncs
      resyncs = playout.resyncs
      for (const { channel, field, history } of objects) {
        advanceHistory(history, time, dt, isJump)
        const values = mixField(history, field)
        for (let part = 0; part < channel.dim; part++) shown[channel.off + part] = values[part]
      }
    },
    read: out => out.set(shown),
    renderTime: () => playout.time,
    serverTimeEstimate: () => estimate,
    starved: () => playout.time > playout.newest,
  }
}
