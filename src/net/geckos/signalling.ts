import { networkInterfaces } from 'node:os'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { parseAnswer } from './answer.ts'
import { isLoopback, type Settings } from './options.ts'
import type { GeckosStats } from './stats.ts'

/** A request as geckos' router gets it: checked, with a canonical path, and with its body already read. */
export interface CheckedRequest extends Readable {
  url: string
  method: string
  headers: IncomingMessage['headers']
  socket: IncomingMessage['socket']
  original: IncomingMessage
}

export type Router = (request: IncomingMessage, response: ServerResponse) => unknown

/** What the filter needs of the server. */
export interface SignallingHost {
  readonly settings: Settings
  readonly stats: GeckosStats
  readonly router: Router
  /** Marks the connection as answered; false when there is no such connection or it has its answer. */
  answer(id: string): boolean
  /** Where the connection was asked for from; undefined when there is none of this id. */
  addressOf(id: string): string | undefined
  /** Connections whose answer is being read: one at a time, so that all bodies together are bounded. */
  readonly reading: Set<string>
}

const PREFIX = '/.wrtc/v2'
const ROUTE = /\/\.wrtc\/v2\/connections(?:\/([0-9a-zA-Z]{24})\/(remote-description|additional-candidates|close))?$/
/** Bytes of a body that nothing is done with. */
const MAX_IDLE_BODY = 1024
/** Addresses besides its own that an answer may name, where the server is behind a NAT itself: relays of TURN servers. */
const MAX_FOREIGN = 2
/** Milliseconds for which the rest of a refused body is read and thrown away, so that the client gets to see the answer. */
const LINGER = 1000
/** Seconds for which a browser may remember a preflight: a join makes up to a dozen requests. */
const PREFLIGHT_AGE = 600

/** Whether a request is signalling of geckos, wherever a reverse proxy has put it. */
export const isSignalling = (request: IncomingMessage): boolean => request.url?.includes('/.wrtc/') ?? false

const hostname = (url: string): string => {
  try {
    return new URL(url).hostname
  } catch {
    return ''
  }
}

/** Whether a page of `origin` may connect. */
export const originAllowed = (allowed: Settings['origin'], origin: string, request: IncomingMessage): boolean => {
  if (allowed === '*') return true
  if (typeof allowed === 'function') return allowed(origin, request) === true
  if (allowed !== undefined) return [allowed].flat().includes(origin)
  const page = hostname(origin)
  const here = hostname(`http://${request.headers.host ?? ''}`)
  return page !== '' && (page === here || (isLoopback(page) && isLoopback(here)))
}

const reply = (response: ServerResponse, status: number, text = ''): void => {
  if (response.headersSent || response.destroyed) return
  response.statusCode = status
  response.setHeader('Content-Type', 'text/plain')
  response.end(text)
}

/** Reads a body of at most `limit` bytes; undefined when it is longer, or when the client went away. */
const readBody = (request: IncomingMessage, limit: number): Promise<string | undefined> =>
  new Promise(resolve => {
    if (Number(request.headers['content-length'] ?? 0) > limit) return resolve(undefined)
    const chunks: Buffer[] = []
    let size = 0
    const stop = (body: string | undefined): void => {
      request.off('data', onData)
      resolve(body)
    }
    const onData = (chunk: Buffer): void => {
      size += chunk.byteLength
      if (size > limit) stop(undefined)
      else chunks.push(chunk)
    }
    request.on('data', onData)
    request.once('end', () => stop(Buffer.concat(chunks).toString()))
    request.once('close', () => stop(undefined))
    request.once('error', () => stop(undefined))
  })

/** Addresses of this machine: a client on it names them, whichever of them its request came from. */
const ownAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap(addresses => addresses?.map(({ address }) => address) ?? [])

/** Reads the body of a request for the connection `id`, unless another one for it is being read. */
const readOnce = async (
  request: IncomingMessage,
  id: string | undefined,
  { settings, reading }: SignallingHost,
): Promise<string | undefined> => {
  if (id === undefined) return readBody(request, Math.min(MAX_IDLE_BODY, settings.maxBody))
  if (reading.has(id)) return undefined
  reading.add(id)
  try {
    return await readBody(request, settings.maxBody)
  } finally {
    reading.delete(id)
  }
}

const refuseBody = (request: IncomingMessage, response: ServerResponse): void => {
  // Not with `Connection: close`: Node would reset the connection at once, and the client might never read the answer.
  reply(response, 413, 'body too large')
  request.resume()
  setTimeout(() => !request.complete && request.destroy(), LINGER).unref()
}

const checked = (request: IncomingMessage, url: string, body: string): IncomingMessage =>
  Object.assign(Readable.from(body === '' ? [] : [Buffer.from(body)]), {
    url,
    method: request.method ?? '',
    headers: request.headers,
    socket: request.socket,
    original: request,
  } satisfies Omit<CheckedRequest, keyof Readable>) as unknown as IncomingMessage

/**
 * Answers one signalling request. Only the three requests that a client needs reach geckos' router, each with a body
 * that was read within its limit and checked; everything else is answered here. Never rejects.
 */
export const answerSignalling = async (
  request: IncomingMessage,
  response: ServerResponse,
  host: SignallingHost,
): Promise<void> => {
  const { settings, stats } = host
  request.on('error', () => {})
  response.on('error', () => {})
  try {
    const origin = request.headers.origin
    response.setHeader('Vary', 'Origin')
    if (origin !== undefined && !originAllowed(settings.origin, origin, request)) {
      stats.refusedOrigins++
      return reply(response, 403, 'this origin is not in cors.origin of the server')
    }
    // On refusals too: without it a page reads of a foreign origin instead of what was wrong.
    if (origin !== undefined) response.setHeader('Access-Control-Allow-Origin', origin)
    if (request.method === 'OPTIONS') {
      response.setHeader('Access-Control-Allow-Methods', 'GET, POST')
      response.setHeader('Access-Control-Allow-Headers', 'authorization, content-type')
      response.setHeader('Access-Control-Max-Age', PREFLIGHT_AGE)
      return reply(response, 204)
    }

    const route = ROUTE.exec((request.url ?? '').split('?', 1)[0]!)
    const [, id, action] = route ?? []
    const method = action === 'additional-candidates' ? 'GET' : 'POST'
    const address = id === undefined ? undefined : host.addressOf(id)
    if (!route || request.method !== method || (id !== undefined && address === undefined)) {
      stats.unknownRequests++
      return reply(response, 404)
    }
    if (action === 'close') {
      stats.refusedCloses++
      return reply(response, 403, 'close the channel instead')
    }

    let body = ''
    if (method === 'POST') {
      const read = await readOnce(request, id, host)
      if (read === undefined) {
        if (request.destroyed) return
        stats.refusedBodies++
        return refuseBody(request, response)
      }
      if (action === 'remote-description') {
        const foreign = settings.iceServers.length > 0 ? MAX_FOREIGN : 0
        const answer = parseAnswer(read, { own: [address!, ...ownAddresses()], foreign })
        if (answer === undefined || !host.answer(id!)) {
          stats.refusedAnswers++
          return reply(response, 400, 'not an SDP answer for this connection')
        }
        const { type, sdp, dropped } = answer
        stats.droppedCandidates += dropped
        body = JSON.stringify({ type, sdp })
      }
    }
    const url = id === undefined ? `${PREFIX}/connections` : `${PREFIX}/connections/${id}/${action}`
    await host.router(checked(request, url, body), response)
  } catch {
    reply(response, 500)
  }
}
