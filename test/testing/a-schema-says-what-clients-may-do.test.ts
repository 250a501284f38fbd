import { readFileSync } from 'node:fs'
import { createSchema } from 'bitecs-pipes'
import { checkPermissions, permissionMatrix, type FieldDirection } from 'bitecs-pipes/testing'
import { beforeEach, expect, test, vi } from 'vitest'
import type * as Layouts from '../../src/net/layout.ts'
import type * as Permissions from '../../src/systems/permissions.ts'

/** Breaks the server's one function of permissions, to prove that the check can fail. */
const broken = vi.hoisted(() => ({
  permissionOf: undefined as typeof Permissions.permissionOf | undefined,
  audienceOfMessage: undefined as typeof Layouts.audienceOfMessage | undefined,
}))

vi.mock('../../src/systems/permissions.ts', async original => {
  const real = await original<typeof Permissions>()
  return {
    ...real,
    permissionOf: (...given: Parameters<typeof real.permissionOf>) =>
      (broken.permissionOf ?? real.permissionOf)(...given),
  }
})

vi.mock('../../src/net/layout.ts', async original => {
  const real = await original<typeof Layouts>()
  return {
    ...real,
    audienceOfMessage: (...given: Parameters<typeof real.audienceOfMessage>) =>
      (broken.audienceOfMessage ?? real.audienceOfMessage)(...given),
  }
})

beforeEach(() => {
  broken.permissionOf = undefined
  broken.audienceOfMessage = undefined
})

const KEYWORDS = ['broadcast', 'ownrecv', 'airecv', 'clsend', 'ownsend']

/** Every set of the keywords that say who may send and receive. */
const SETS = Array.from({ length: 2 ** KEYWORDS.length }, (_, bits) => KEYWORDS.filter((_, at) => bits & (1 << at)))

const EVERY = `dclass Thing {
${SETS.map((set, at) => {
  const words = set.join(' ')
  return `  uint8(0-9) n${at} ${words};
  string(0-9) s${at} ${words};
  m${at}(uint8(0-9) much) ${words};`
}).join('\n')}
};`

const SPECIAL = `
struct Point { int16/10 x; float64 y; };
switch Mood (uint8) { case 0: uint8 calm; break; case 1: string(0-9) angry; break; };
dclass Base {
  Point at broadcast ownsend;
  setA(uint8 a) clsend broadcast;
  setB(string b) clsend broadcast;
};
dclass Thing : Base {
  setBoth : setA, setB;
  quat48 turn broadcast ownsend interp_quat;
  Point shared broadcast clsend;
  quat32 way ownrecv clsend ownsend;
  float32 heat ram ownsend;
  DoId friend broadcast ownsend;
  DoId friends[] broadcast clsend;
  Mood mood broadcast ownsend;
  int64 big broadcast clsend ownsend;
  uint8(7) only broadcast ownsend;
  blob(0-2000) photo db ownsend;
  uint8 stored db;
  uint8 seen clrecv;
  uint16 level required broadcast ram db;
  blink(uint8 eye) ownsend broadcast unreliable;
  poke(DoId who) clsend unreliable;
  told(float32 much) clrecv;
  setHat(string(0-9) hat) required broadcast;
  setRank(uint8 rank) required ownrecv;
  setGoal(DoId goal) required ram broadcast clsend;
  setWeather(uint8 sky) ram broadcast;
  setHand(uint8 cards) ram ownrecv;
  setGust(uint8 much) ram broadcast unreliable;
  setTask(uint8 task) ram airecv clsend;
  setLog(uint8 line) required db;
};`

test('what any set of keywords declares passes, and nothing else', async () => {
  const { rows, untested } = await checkPermissions({ schema: EVERY })
  expect(untested).toEqual([])
  const count = (direction: FieldDirection, isAllowed: boolean) =>
    rows.filter(row => row.direction === direction && row.isAllowed === isAllowed).length
  // 96 fields. 48 of them have `clsend`, for two relations; 24 `ownsend` alone, for one.
  expect([count('toServer', true), count('toServer', false)]).toEqual([48 * 2 + 24, 96 * 4 - 48 * 2 - 24])
  expect(count('toClient', true) + count('toClient', false)).toBe(96 * 4)
  // Of messages: 16 sets with `clsend`, to three relations; 8 with `ownsend` alone, to two. Half of them have `broadcast`.
  expect([count('relayed', true), count('relayed', false)]).toEqual([8 * 2 + 4, 16 * 3 + 8 * 2 - 20])
})

test('every kind of field is tried: structs, rotations, references, lists, switches, molecules, unreliable ones', async () => {
  const { rows, untested } = await checkPermissions({ schema: SPECIAL, server: { password: 'sesame', tickRate: 60 } })
  expect(untested, 'it has one value only').toEqual(['Thing.only'])
  expect(rows).toEqual(permissionMatrix(SPECIAL).filter(({ field }) => field !== 'Thing.only'))
})

test.each(['lobby', 'terminal', 'cubes'])('the example %s', async name => {
  const { untested } = await checkPermissions({ schema: readFileSync(`dc/${name}.dc`, 'utf8') })
  expect(untested).toEqual([])
})

const SMALL = `dclass Avatar {
  uint8 x broadcast ownsend;
  uint8 hits broadcast;
  string(0-9) label broadcast clsend;
  say(uint8 word) ownsend broadcast;
  knock(uint8 times) clsend;
  said(uint8 word) broadcast;
  secret(uint8 word) ownrecv;
};`

test('a schema that a game imports is checked as its text is', async () => {
  const { rows } = await checkPermissions({ schema: createSchema(SMALL), seed: 2 })
  expect(rows).toEqual(permissionMatrix(SMALL))
})

/** The rows of the table in an error. */
const differences = async (): Promise<string[]> => {
  const error = await checkPermissions({ schema: SMALL }).then(
    () => undefined,
    (reason: Error) => reason,
  )
  return (error?.message.split('\n').slice(2) ?? []).map(line => line.trim().replaceAll(/ {2,}/g, ' | '))
}

test('a server that lets everyone send everything is found out', async () => {
  broken.permissionOf = () => 'allowed'
  const found = await differences()
  expect(found).toContain('Avatar.say | ownsend broadcast | toServer | stranger | refused | passes')
  expect(found).toContain('Avatar.hits | broadcast | toServer | interested | refused | passes')
  expect(found).toContain('Avatar.knock | clsend | toServer | stranger | refused | passes')
  expect(found).toContain('Avatar.said | broadcast | toServer | owner | refused | passes')
})

test('so is one that forgets who is interested, or who is the owner', async () => {
  const real = (await vi.importActual<typeof Permissions>('../../src/systems/permissions.ts')).permissionOf
  broken.permissionOf = (...given) => {
    const answer = real(...given)
    return answer === 'not-interested' ? 'allowed' : answer
  }
  expect(await differences()).toEqual([
    'Avatar.label | broadcast clsend | toServer | stranger | refused | passes',
    'Avatar.knock | clsend | toServer | stranger | refused | passes',
  ])
  broken.permissionOf = (...given) => {
    const answer = real(...given)
    return answer === 'not-owner' ? 'allowed' : answer
  }
  const found = await differences()
  expect(found).toContain('Avatar.say | ownsend broadcast | toServer | interested | refused | passes')
  expect(found.every(line => /interested|stranger/.test(line))).toBe(true)
})

test('so is one that lets nobody send, or sends to everybody', async () => {
  broken.permissionOf = () => 'undeclared'
  expect(await differences()).toEqual([
    'Avatar.x | broadcast ownsend | toServer | owner | passes | refused',
    'Avatar.label | broadcast clsend | toServer | owner | passes | refused',
    'Avatar.label | broadcast clsend | toServer | interested | passes | refused',
    'Avatar.say | ownsend broadcast | toServer | owner | passes | refused',
    'Avatar.say | ownsend broadcast | relayed | interested | passes | refused',
    'Avatar.knock | clsend | toServer | owner | passes | refused',
    'Avatar.knock | clsend | toServer | interested | passes | refused',
  ])
  broken.permissionOf = undefined
  broken.audienceOfMessage = () => 'interested'
  expect(await differences()).toContain('Avatar.secret | ownrecv | toClient | interested | refused | passes')
})

test('what a game decides itself shows: a handler that stops a message', async () => {
  await expect(
    checkPermissions({
      schema: SMALL,
      start: ({ server, schema }) => void server.on(schema.dclasses.Avatar.say, () => false),
    }),
  ).rejects.toThrow(
    /^1 of \d+ permissions .*\n.*\n {2}Avatar\.say +ownsend broadcast +relayed +interested +passes +refused$/,
  )
})
