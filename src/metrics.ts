/**
 * What a server counts, for Prometheus. Node only; the game installs `prom-client` itself.
 */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Server, ServerClient, ServerStats } from './server.ts'

export interface MetricsOptions {
  /** What every name begins with. Default `pipes_`. */
  readonly prefix?: string
  /** Whether there are series for each client too, with the label `client` (its id). Default false: they are many. */
  readonly perClient?: boolean
}

/** A metric whose values are read when it is asked for: one number, or one for each value of a label. */
interface Metric {
  readonly name: string
  readonly help: string
  readonly label?: string
  read(stats: ServerStats): number | Readonly<Record<string, number | undefined>>
}

/** Only ever grow, from the start of the server on. */
const COUNTERS: readonly Metric[] = [
  { name: 'ticks_total', help: 'Ticks replicated.', read: stats => stats.ticks },
  {
    name: 'tick_seconds_total',
    help: 'Seconds that ticks took: receive, the game, replicate.',
    read: stats => stats.tickSeconds,
  },
  { name: 'joins_total', help: 'Clients that were let in.', read: stats => stats.joins },
  { name: 'leaves_total', help: 'Clients that left, by reason.', label: 'reason', read: stats => stats.leaves },
  { name: 'resumes_total', help: 'Clients that came back to their session.', read: stats => stats.resumes },
  {
    name: 'refused_total',
    help: 'Clients that were not let in, by reason.',
    label: 'reason',
    read: stats => stats.refused,
  },
  { name: 'received_bytes_total', help: 'Payload bytes from clients.', read: stats => stats.bytesIn },
  { name: 'sent_bytes_total', help: 'Payload bytes to clients.', read: stats => stats.bytesOut },
  { name: 'received_datagrams_total', help: 'Datagrams from clients.', read: stats => stats.packetsIn },
  { name: 'sent_datagrams_total', help: 'Datagrams to clients.', read: stats => stats.packetsOut },
  { name: 'resyncs_total', help: 'Groups that clients asked for anew.', read: stats => stats.resyncs },
  {
    name: 'segments_encoded_total',
    help: 'Segments of state that were encoded.',
    read: stats => stats.segmentsEncoded,
  },
  {
    name: 'segment_bytes_total',
    help: 'Bytes of encoded segments, shared ones once.',
    read: stats => stats.segmentBytes,
  },
  { name: 'segments_sent_total', help: 'Segments that were sent, to each client.', read: stats => stats.segmentsSent },
  {
    name: 'violations_total',
    help: 'What clients tried that was refused, by kind.',
    label: 'kind',
    read: stats => ({ ...stats.violations }),
  },
]

/** What is so now. */
const GAUGES: readonly Metric[] = [
  {
    name: 'tick_duration_seconds',
    help: 'Seconds that the last 512 ticks took, by quantile.',
    label: 'quantile',
    read: ({ tickTime: { p50, p99, max } }) => ({ '0.5': p50, '0.99': p99, '1': max }),
  },
  { name: 'clients', help: 'Clients that are in.', read: stats => stats.clients },
  {
    name: 'suspended_clients',
    help: 'Clients whose connection is lost and who may come back.',
    read: stats => stats.suspended,
  },
  { name: 'objects', help: 'Distributed objects.', read: stats => stats.objects },
  { name: 'zones', help: 'Zones with something in them, or that somebody sees.', read: stats => stats.zones },
  { name: 'groups', help: 'Groups of objects that are sent as one.', read: stats => stats.groups },
  {
    name: 'received_bytes_per_second',
    help: 'From clients, over the last second.',
    read: stats => stats.bytesInPerSecond,
  },
  { name: 'sent_bytes_per_second', help: 'To clients, over the last second.', read: stats => stats.bytesOutPerSecond },
]

/** Of the clients that are in: the median, the 99th percentile and the largest. */
const SPREADS: readonly { name: string; help: string; read(client: ServerClient): number }[] = [
  { name: 'client_round_trip_seconds', help: 'Smoothed round trips of clients', read: ({ stats }) => stats.rtt },
  { name: 'client_jitter_seconds', help: 'Jitter of clients', read: ({ stats }) => stats.jitter },
  { name: 'client_loss_ratio', help: 'Share of datagrams to clients that is lost', read: ({ stats }) => stats.loss },
  {
    name: 'client_sent_bytes_per_second',
    help: 'Payload bytes to clients',
    read: ({ stats }) => stats.bytesOutPerSecond,
  },
  {
    name: 'client_received_bytes_per_second',
    help: 'Payload bytes from clients',
    read: ({ stats }) => stats.bytesInPerSecond,
  },
  {
    name: 'client_budget_bytes_per_second',
    help: 'What the links of clients are trusted with',
    read: ({ stats }) => stats.budget,
  },
]

/**
 * Registers what a server counts with Prometheus' client for Node (`prom-client`, which the game installs), to be scraped over whatever
 * the game has for HTTP. Values are read from {@link Server.stats} when they are asked for, and cost nothing until then.
 *
 * Names, after the prefix: counters `ticks_total`, `tick_seconds_total`, `joins_total`, `leaves_total{reason}`, `resumes_total`,
 * `refused_total{reason}`, `received_bytes_total`, `sent_bytes_total`, `received_datagrams_total`, `sent_datagrams_total`,
 * `resyncs_total`, `segments_encoded_total`, `segment_bytes_total`, `segments_sent_total`, `violations_total{kind}`; gauges
 * `tick_duration_seconds{quantile}`, `clients`, `suspended_clients`, `objects`, `zones`, `groups`, `received_bytes_per_second`,
 * `sent_bytes_per_second`; and of the clients that are in, gauges with `quantile` (0.5, 0.99, 1), or `client` with `perClient`:
 * `client_round_trip_seconds`, `client_jitter_seconds`, `client_loss_ratio`, `client_sent_bytes_per_second`,
 * `client_received_bytes_per_second`, `client_budget_bytes_per_second`.
 *
 * @example
 * import { createServer as createHttpServer } from 'node:http'
 * import { register } from 'prom-client'
 *
 * collectMetrics(server, register)
 * createHttpServer(async (_request, response) => {
 *   response.setHeader('Content-Type', register.contentType)
 *   response.end(await register.metrics())
 * }).listen(9464, '127.0.0.1')
 *
 * @returns how to take them out of the register again
 */
export const collectMetrics = (server: Server, register: Registry<any>, options: MetricsOptions = {}): (() => void) => {
  const { prefix = 'pipes_', perClient = false } = options
  const names: string[] = []
  // One scrape reads each metric by itself, but within the same turn: they all tell of one moment.
  let stats: ServerStats | undefined
  const read = (): ServerStats => {
    if (!stats) {
      stats = server.stats
      queueMicrotask(() => {
        stats = undefined
      })
    }
    return stats
  }
  const common = ({ name, help, label }: Pick<Metric, 'name' | 'help' | 'label'>) => {
    names.push(prefix + name)
    return { name: prefix + name, help, labelNames: label ? [label] : [], registers: [] }
  }
  const each = (metric: Metric, set: (labels: Record<string, string>, value: number) => void): void => {
    const value = metric.read(read())
    if (typeof value === 'number') return set({}, value)
    for (const [key, part] of Object.entries(value)) if (part !== undefined) set({ [metric.label!]: key }, part)
  }
  const counters = COUNTERS.map(
    metric =>
      new Counter({
        ...common(metric),
        collect() {
          this.reset()
          each(metric, (labels, value) => this.inc(labels, value))
        },
      }),
  )
  const gauges = GAUGES.map(
    metric =>
      new Gauge({
        ...common(metric),
        collect() {
          this.reset()
          each(metric, (labels, value) => this.set(labels, value))
        },
      }),
  )
  const spreads = SPREADS.map(
    ({ name, help, read: readClient }) =>
      new Gauge({
        ...common({
          name,
          help: `${help}, ${perClient ? 'by client' : 'by quantile'}.`,
          label: perClient ? 'client' : 'quantile',
        }),
        collect() {
          this.reset()
          const clients = [...server.clients.values()]
          if (perClient) for (const client of clients) this.set({ client: String(client.id) }, readClient(client))
          else {
            const values = clients.map(readClient).sort((a, b) => a - b)
            for (const quantile of values.length > 0 ? [0.5, 0.99, 1] : [])
              this.set(
                { quantile: String(quantile) },
                values[Math.min(values.length - 1, Math.floor(values.length * quantile))]!,
              )
          }
        },
      }),
  )
  for (const metric of [...counters, ...gauges, ...spreads]) register.registerMetric(metric)
  return () => names.forEach(name => register.removeSingleMetric(name))
}
