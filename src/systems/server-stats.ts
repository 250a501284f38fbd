import type { Reason } from '../net/hello.ts'
import type { ServerState, SessionStats, ViolationCounts } from './server-state.ts'

/** How long the newest ticks took, seconds: from the start of `receive` to the end of `replicate`, the game's systems between included. */
export interface TickTimes {
  /** Of how many ticks this tells: the last 512 at most. */
  readonly count: number
  readonly mean: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** What a server has done and does, as plain numbers; worked out when it is read. Totals are since the start, of clients that left too. */
export interface ServerStats {
  readonly ticks: number
  /** Seconds that all ticks took together. */
  readonly tickSeconds: number
  readonly tickTime: TickTimes
  /** Clients that are in, and those of them whose connection is lost and who may come back. */
  readonly clients: number
  readonly suspended: number
  readonly joins: number
  /** Clients that left, came back, and were not let in; by reason. */
  readonly leaves: Readonly<Partial<Record<Reason, number>>>
  readonly resumes: number
  readonly refused: Readonly<Partial<Record<Reason, number>>>
  readonly objects: number
  readonly zones: number
  /** Groups of objects that are sent as one: up to 64 of a class in a zone. */
  readonly groups: number
  /** Payload bytes and datagrams of all clients. */
  readonly bytesIn: number
  readonly bytesOut: number
  readonly packetsIn: number
  readonly packetsOut: number
  /** The same over the last second. */
  readonly bytesInPerSecond: number
  readonly bytesOutPerSecond: number
  /** Groups that clients asked for anew. */
  readonly resyncs: number
  /** Segments that were encoded, their bytes, and how often one was sent: what is sent more often than encoded was shared. */
  readonly segmentsEncoded: number
  readonly segmentBytes: number
  readonly segmentsSent: number
  readonly violations: Readonly<ViolationCounts>
}

/** Takes the times of ticks, and counts who comes and goes. */
export interface ServerMeter {
  /** At the start of `receive`, and at the end of `replicate`; milliseconds. */
  begin(now: number): void
  end(now: number): void
  read(): ServerStats
}

const TICKS = 512

const TOTALS = ['bytesIn', 'bytesOut', 'packetsIn', 'packetsOut', 'resyncs'] as const
type Totals = Record<(typeof TOTALS)[number], number>

const addTotals = (totals: Totals, stats: Readonly<SessionStats>): void => {
  for (const name of TOTALS) totals[name] += stats[name]
}

export const createServerMeter = (state: ServerState): ServerMeter => {
  const times = new Float64Array(TICKS)
  const gone: Totals = { bytesIn: 0, bytesOut: 0, packetsIn: 0, packetsOut: 0, resyncs: 0 }
  const leaves: Partial<Record<Reason, number>> = {}
  const refused: Partial<Record<Reason, number>> = {}
  let ticks = 0
  let tickSeconds = 0
  let begun = NaN
  let joins = 0
  let resumes = 0
  state.onJoin.add(() => void joins++)
  state.onResume.add(() => void resumes++)
  state.onLeave.add((client, reason) => {
    addTotals(gone, client.stats)
    leaves[reason] = (leaves[reason] ?? 0) + 1
  })
  state.onRefused.add(({ reason }) => void (refused[reason] = (refused[reason] ?? 0) + 1))

  return {
    begin(now) {
      begun = now
    },
    end(now) {
      // A world that only sends has no `receive`.
      const seconds = Number.isNaN(begun) ? 0 : (now - begun) / 1000
      begun = NaN
      times[ticks++ % TICKS] = seconds
      tickSeconds += seconds
    },
    read() {
      const totals = { ...gone }
      let bytesInPerSecond = 0
      let bytesOutPerSecond = 0
      let suspended = 0
      for (const { client, stats, suspension } of state.sessions) {
        if (!client || !state.clients.has(client.id)) continue
        addTotals(totals, stats)
        bytesInPerSecond += stats.bytesInPerSecond
        bytesOutPerSecond += stats.bytesOutPerSecond
        if (suspension) suspended++
      }
      const { zones, privateZones, stats } = state.store
      let groups = 0
      for (const each of [zones, privateZones]) for (const zone of each.values()) groups += zone.groups.length
      return {
        ticks,
        tickSeconds,
        tickTime: summarise(times.slice(0, Math.min(ticks, TICKS))),
        clients: state.clients.size,
        suspended,
        joins,
        leaves: { ...leaves },
        resumes,
        refused: { ...refused },
        objects: state.objects.size,
        zones: zones.size,
        groups,
        ...totals,
        bytesInPerSecond,
        bytesOutPerSecond,
        segmentsEncoded: stats.segments,
        segmentBytes: stats.bytes,
        segmentsSent: stats.sent,
        violations: { ...state.violations },
      }
    },
  }
}

const summarise = (times: Float64Array): TickTimes => {
  const count = times.length
  if (count === 0) return { count, mean: 0, p50: 0, p99: 0, max: 0 }
  times.sort()
  const quantile = (share: number): number => times[Math.min(count - 1, Math.floor(count * share))]!
  return {
    count,
    mean: times.reduce((sum, time) => sum + time, 0) / count,
    p50: quantile(0.5),
    p99: quantile(0.99),
    max: times[count - 1]!,
  }
}
