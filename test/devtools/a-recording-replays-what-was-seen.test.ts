import { query } from 'bitecs'
import { expect, test } from 'vitest'
import { Alive, Owned } from 'bitecs-pipes/client'
import {
  decodeRecording,
  encodeRecording,
  playRecording,
  replayTransport,
  watchClient,
  type Recording,
} from 'bitecs-pipes/devtools'
import { clientStates } from '../../src/systems/client-state.ts'
import { spawn } from '../support/worlds.ts'
import { openScene, shownBy } from './scene.ts'

const LINKS = {
  'a perfect link': {},
  'a lossy link': { lag: 0.08, jitter: 0.07, loss: 0.05, duplicate: 0.02, reorder: 0.02 },
}

/** Plays for a while, with a recorder from some moment on; what was seen at each moment, by seconds of the recording. */
const record = async (conditions: object, seconds: number, options: object = {}, warmUp = 0.5) => {
  const { worlds, Avatar } = await openScene(conditions)
  const guest = await worlds.join()
  const own = spawn(worlds, 'Avatar', { name: 'me', gold: 5 }, 1, worlds.clientOf(guest))
  await worlds.settle(guest.client.interest.set([1]))
  const mine = guest.schema.dclasses.Avatar as any
  guest.play = () => {
    for (const eid of query(guest.world, [mine, Owned])) mine.position.x[eid] += 0.5
  }
  worlds.run(60 * warmUp)
  const recorder = watchClient(guest.client).record(options)
  const seen: { time: number; shown: string[] }[] = []
  for (let at = 0; at < seconds; at++) {
    worlds.run(30)
    worlds.server.sendUpdate(own, Avatar.said, { text: `line ${at}` })
    worlds.run(30)
    seen.push({ time: recorder.seconds + recorder.droppedSeconds, shown: shownBy(guest) })
  }
  return { worlds, guest, recorder, seen }
}

for (const [name, conditions] of Object.entries(LINKS))
  test(`over ${name}: from the middle of a session, forwards, backwards, as a file`, async () => {
    const { worlds, guest, recorder, seen } = await record(conditions, 6, { partSeconds: 1 }, 6.5)
    const live = recorder.stop()
    const recording = decodeRecording(encodeRecording(live))
    expect(recording.parts.length, 'a part every second').toBeGreaterThanOrEqual(5)
    expect(recording.duration).toBeCloseTo(live.duration, 3)
    const replay = playRecording(guest.client, recording)
    const shown = clientStates.get(replay.client)!
    const look = (time: number) => {
      replay.seek(time)
      guest.client.receive(guest.world)
      return shownBy(guest)
    }
    for (const each of [...seen, ...[...seen].reverse()])
      expect(look(each.time + 0.001), `after ${each.time.toFixed(1)} s`).toEqual(each.shown)
    expect(shown.stats.desyncs, 'every hash of the server agrees').toBe(0)
    expect(shown.session!.replica.undecodable, 'nothing that a datagram builds on is missing').toBeLessThan(
      conditions === LINKS['a perfect link'] ? 1 : 30,
    )
    expect(query(guest.world, [Owned]).length, 'a replay owns nothing').toBe(0)

    replay.stop()
    worlds.run(2)
    expect(shownBy(guest), 'what the server sends is back').toHaveLength(91)
    worlds.until(() => query(guest.world, [Owned]).length === 1, 'what one owns is back too')
    expect(query(guest.world, [guest.schema.dclasses.Avatar, Alive]).length).toBe(21)
    await worlds.end()
  })

test('its own session goes on meanwhile', async () => {
  const { worlds, guest, recorder } = await record({}, 2)
  const replay = playRecording(guest.client, recorder.stop())
  replay.play()
  for (let frame = 0; frame < 60 * 3; frame++) {
    replay.advance(1 / 60)
    worlds.run(1)
  }
  expect(replay.time).toBeCloseTo(replay.recording.duration, 1)
  expect(replay.isPlaying, 'it pauses at its end').toBe(false)
  replay.stop()
  expect(guest.client.state).toBe('connected')
  await worlds.end()
})

test('what was said is heard again as it plays, and not when it is jumped over', async () => {
  const { worlds, guest, recorder } = await record({}, 4)
  const heard: string[] = []
  guest.client.on((guest.schema.dclasses.Avatar as any).said, (_eid, { text }: any) => heard.push(text))
  const replay = playRecording(guest.client, recorder.stop())
  guest.client.receive(guest.world)
  replay.seek(2)
  guest.client.receive(guest.world)
  expect(heard).toEqual([])
  replay.play()
  for (let frame = 0; frame < 60 * 3; frame++) {
    replay.advance(1 / 60)
    guest.client.receive(guest.world)
  }
  expect(heard).toEqual(['line 2', 'line 3'])
  replay.stop()
  await worlds.end()
})

test('an old part is dropped when there are too many', async () => {
  const { worlds, guest, recorder, seen } = await record({}, 13, { partSeconds: 2, maxSeconds: 10 })
  expect(recorder.droppedSeconds).toBeGreaterThan(1.9)
  expect(recorder.seconds).toBeLessThan(12.1)
  const recording = recorder.stop()
  const replay = playRecording(guest.client, recording)
  replay.seek(recording.duration)
  guest.client.receive(guest.world)
  expect(shownBy(guest)).toEqual(seen.at(-1)!.shown)
  replay.stop()
  await worlds.end()
})

test('a client of its own can watch it, as if it were a server', async () => {
  const { worlds, recorder, seen } = await record({ lag: 0.02 }, 4)
  const recording = recorder.stop()
  const transport = replayTransport(recording, { now: worlds.now })
  const watcher = worlds.addGuest({ transport })
  await worlds.settle(watcher.client.connect())
  const until = worlds.now() + recording.duration
  while (worlds.now() < until) {
    transport.deliver()
    worlds.run(1)
  }
  transport.deliver()
  worlds.run(1)
  expect(shownBy(watcher)).toEqual(seen.at(-1)!.shown)
  expect(watcher.client.clientId).toBe(0)
  await worlds.end()
})

test('a file that is none, or of another schema, is refused with a reason', async () => {
  const { worlds, guest, recorder } = await record({}, 1)
  const recording = recorder.stop()
  const bytes = encodeRecording(recording)
  expect(() => decodeRecording(new TextEncoder().encode('GIF89a'))).toThrow('does not begin as one')
  expect(() => decodeRecording(bytes.slice(0, bytes.length - 3))).toThrow('cut off')
  expect(() => decodeRecording(bytes.slice(0, 200))).toThrow('no recording')
  const other: Recording = { ...recording, schema: { ...recording.schema, hash: '00000001' } }
  expect(() => playRecording(guest.client, other)).toThrow('another schema')
  await worlds.end()
})
