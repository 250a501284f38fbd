import '../../src/systems/client-challenge.ts'
import { expect, test } from 'vitest'
import { encodeResponse } from '../../src/net/challenge.ts'
import type { Authenticate } from '../../src/server.ts'
import type { ClientOptions } from '../../src/client.ts'
import { turn } from '../../src/testing/worlds.ts'
import { createImpostor } from '../support/impostor.ts'
import { createWorlds } from '../support/worlds.ts'

const DC = 'dclass Crate { string label required broadcast ram; };'

/** A toy of a signature: whoever knows the secret can tell the sum. */
const sign = (challenge: Uint8Array, secret: number) => challenge.map(byte => byte ^ secret)
const isSigned = (challenge: Uint8Array, response: Uint8Array, secret: number) =>
  response.length === challenge.length && response.every((byte, index) => byte === (challenge[index]! ^ secret))

const SECRETS: Record<string, number> = { Ada: 17, Bob: 42 }
const verify: Authenticate['verify'] = (candidate, challenge, response) =>
  isSigned(challenge, response, SECRETS[candidate.data?.name] ?? -1) && { account: candidate.data.name }

const stage = (authenticate: Authenticate, options = {}) => {
  const errors: string[] = []
  const worlds = createWorlds(DC, {
    conditions: { lag: 0.02 },
    server: { authenticate, onError: (error, where) => errors.push(`${where}: ${String(error)}`), ...options },
  })
  const refused: string[] = []
  worlds.server.onRefused(({ reason }) => refused.push(reason))
  const join = (name: string, respond?: ClientOptions['respond'], more = {}) => {
    const guest = worlds.addGuest({ ...(respond && { respond }), ...more })
    return worlds.settle(guest.client.connect({ name }), 80).then(() => guest)
  }
  return { worlds, errors, refused, join }
}

test('and the server knows it from then on', async () => {
  const { worlds, join } = stage({ verify })
  const guest = await join('Ada', challenge => sign(challenge, 17))
  const client = worlds.clientOf(guest)
  expect(client.identity).toEqual({ account: 'Ada' })
  expect(client.data).toEqual({ name: 'Ada' })
  await worlds.end()
})

test('both sides may take their time', async () => {
  const wait = (turns: number) =>
    new Promise<void>(resolve => setImmediate(() => (turns > 0 ? resolve(wait(turns - 1)) : resolve())))
  const { worlds } = stage({
    challenge: async () => (await wait(3), Uint8Array.of(1, 2, 3)),
    verify: async (...all) => (await wait(3), verify(...all)),
    timeLimit: 60,
  })
  const guest = worlds.addGuest({ respond: async challenge => (await wait(3), sign(challenge, 42)), timeout: 60 })
  const signedIn = guest.client.connect({ name: 'Bob' })
  let isIn = false
  void signedIn.then(() => (isIn = true))
  for (let count = 0; count < 600 && !isIn; count++) {
    worlds.run(1)
    await wait(0)
  }
  await signedIn
  expect(worlds.clientOf(guest).identity).toEqual({ account: 'Bob' })
  await worlds.end()
})

test('each challenge is another one, and is looked at once', async () => {
  const seen: string[] = []
  let calls = 0
  const { worlds, join } = stage({
    verify: (candidate, challenge, response) => {
      calls++
      seen.push(challenge.join())
      return verify(candidate, challenge, response)
    },
  })
  for (let count = 0; count < 3; count++) await join('Ada', challenge => sign(challenge, 17))
  expect([new Set(seen).size, calls, seen[0]!.split(',').length]).toEqual([3, 3, 32])
  await worlds.end()
})

test('over a link that loses half of what is sent', async () => {
  let calls = 0
  const { worlds, join } = stage({ verify: (...all) => (calls++, verify(...all)) })
  for (const conditions of [worlds.network.conditions.up, worlds.network.conditions.down])
    Object.assign(conditions, { loss: 0.5 })
  for (const name of ['Ada', 'Bob', 'Ada', 'Bob']) await join(name, challenge => sign(challenge, SECRETS[name]!))
  expect(calls, 'one response of each is looked at').toBe(4)
  await worlds.end()
})

test('who does not is told why', async () => {
  const { worlds, join, refused, errors } = stage({ verify })
  await expect(
    join('Ada', challenge => sign(challenge, 18)),
    'a wrong answer',
  ).rejects.toMatchObject({
    reason: 'unverified',
    message: 'The server did not accept who you are.',
  })
  await expect(join('Ada'), 'none').rejects.toMatchObject({
    reason: 'unverified',
    message: 'The server asks who you are: give createClient the option respond.',
  })
  const fail = () => {
    throw new Error('no key')
  }
  await expect(join('Ada', fail)).rejects.toMatchObject({
    reason: 'unverified',
    message: 'The option respond failed: no key',
  })
  await expect(join('Ada', () => 'text' as never)).rejects.toMatchObject({
    message: expect.stringContaining('Uint8Array'),
  })
  expect([worlds.server.clients.size, refused, errors]).toEqual([0, ['unverified'], []])
  await worlds.end()
})

test('what is wrong with a hello is told before anybody is asked', async () => {
  let asked = 0
  const { worlds, join } = stage(
    { verify, challenge: () => Uint8Array.of(asked++) },
    { password: 'sesame', maxClients: 1 },
  )
  await expect(join('Ada', challenge => sign(challenge, 17))).rejects.toMatchObject({ reason: 'password' })
  expect(asked).toBe(0)
  await join('Ada', challenge => sign(challenge, 17), { password: 'sesame' })
  await expect(join('Bob', challenge => sign(challenge, 42), { password: 'sesame' })).rejects.toMatchObject({
    reason: 'full',
  })
  expect(asked).toBe(1)
  await worlds.end()
})

test('there is not more time than the limit, for either side', async () => {
  const never = () => new Promise<never>(() => {})
  for (const slow of ['respond', 'challenge', 'verify'] as const) {
    const { worlds, join, refused } = stage({
      verify: slow === 'verify' ? never : verify,
      ...(slow === 'challenge' && { challenge: never }),
      timeLimit: 2,
    })
    const start = worlds.now()
    await expect(join('Ada', slow === 'respond' ? never : challenge => sign(challenge, 17))).rejects.toMatchObject({
      reason: 'unverified',
    })
    expect(worlds.now() - start, slow).toBeLessThan(3)
    expect(refused).toEqual(['unverified'])
    await worlds.end()
  }
})

test('what the game throws is reported, and lets nobody in', async () => {
  const fail = () => {
    throw new Error('the account server is down')
  }
  for (const where of ['challenge', 'verify'] as const) {
    for (const how of [fail, async () => fail()]) {
      const { worlds, join, errors } = stage({ verify, [where]: how })
      await expect(join('Ada', challenge => sign(challenge, 17))).rejects.toMatchObject({ reason: 'unverified' })
      expect(errors).toEqual([`authenticate.${where}: Error: the account server is down`])
      await worlds.end()
    }
  }
  const { worlds, join, errors } = stage({ verify, challenge: () => new Uint8Array(65) })
  await expect(join('Ada', challenge => sign(challenge, 17))).rejects.toMatchObject({ reason: 'unverified' })
  expect(errors).toEqual(['authenticate.challenge: TypeError: a challenge is 1 to 64 bytes.'])
  await worlds.end()
})

test('no more are verified at once than the limit, also of those who are gone, each as long as its time', async () => {
  let open = 0
  const pending: ((verdict: boolean) => void)[] = []
  const { worlds, join } = stage({
    verify: () => new Promise<boolean>(resolve => (open++, pending.push(resolve))),
    maxPending: 2,
    timeLimit: 5,
  })
  const respond = (challenge: Uint8Array) => challenge
  const first = [worlds.addGuest({ respond }), worlds.addGuest({ respond })]
  const joining = first.map(({ client }) => client.connect())
  for (const each of joining) each.catch(() => {})
  for (; open < 2; await turn()) worlds.run(1)
  await expect(join('Bob', respond)).rejects.toMatchObject({
    reason: 'busy',
    message: expect.stringContaining('try again'),
  })
  pending[0]!(true)
  await worlds.settle(joining[0]!)
  first[1]!.client.disconnect()
  worlds.run(30)
  const others = [join('Ada', respond)]
  for (; open < 3; await turn()) worlds.run(1)
  await expect(join('Bob', respond), 'one that left is verified still').rejects.toMatchObject({ reason: 'busy' })
  pending[2]!(true)
  await Promise.all(others)
  worlds.run(6 * 60)
  others.push(join('Ada', respond), join('Bob', respond))
  for (; open < 5; await turn()) worlds.run(1)
  for (const resolve of pending) resolve(true)
  await Promise.all(others)
  expect(worlds.server.clients.size).toBe(4)
  await worlds.end()
})

test('an answer that is no Promise and has to be waited for, as of a query builder, is waited for', async () => {
  const later = (value: unknown) => ({
    // oxlint-disable-next-line unicorn/no-thenable
    then: (take: (value: unknown) => void) => void queueMicrotask(() => take(value)),
  })
  const { worlds, join } = stage({ verify: (...all) => later(verify(...all)) })
  await expect(join('Ada', challenge => sign(challenge, 18))).rejects.toMatchObject({ reason: 'unverified' })
  const guest = await join('Ada', challenge => sign(challenge, 17))
  expect(worlds.clientOf(guest).identity).toEqual({ account: 'Ada' })
  await worlds.end()
})

test('a response that nobody asked for, or another nonce, changes nothing', async () => {
  let calls = 0
  const { worlds } = stage({ verify: () => ++calls })
  const impostor = await createImpostor(worlds.network, worlds.schema, worlds.now)
  impostor.connection.send(encodeResponse({ nonce: 7, bytes: new Uint8Array(4) }))
  worlds.run(10)
  impostor.hello()
  worlds.run(10)
  impostor.connection.send(encodeResponse({ nonce: 8, bytes: new Uint8Array(4) }))
  impostor.hello({ nonce: 8 })
  worlds.run(10)
  expect([calls, impostor.welcome, impostor.refusals.map(({ reason }) => reason)]).toEqual([
    0,
    undefined,
    ['signed-in'],
  ])
  await worlds.end()
})

test('options that make no sense are refused', () => {
  expect(() => stage({} as never)).toThrow('authenticate needs verify')
  expect(() => stage({ verify, timeLimit: 0 })).toThrow('authenticate.timeLimit is 0: give 1 to 60 seconds.')
})
