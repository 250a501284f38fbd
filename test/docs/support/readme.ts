import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { blocksOf, root, type Block } from './blocks.ts'

/** What the README's blocks take for granted of each other, and of the reader's game. */
const GIVEN: Record<string, string> = {
  grid: "declare const grid: import('bitecs-pipes').Grid",
  transport: "declare const transport: import('bitecs-pipes/server').ServerTransport",
  isSignedBy: 'declare const isSignedBy: (...given: any[]) => boolean',
  sign: 'declare const sign: (...given: any[]) => Uint8Array',
  myKey: 'declare const myKey: unknown',
}

const GAME = `import type { Game } from 'bitecs-pipes/testing'
export const schema = 'dclass Any {};'
export const bots: NonNullable<Game['bots']> = {}
export const rules: NonNullable<Game['rules']> = {}
`

/** Whether a block speaks of something that it does not declare. */
const lacks = (text: string, name: string): boolean =>
  new RegExp(`(?<![.\\w/'])${name}\\b(?!:)`).test(text) &&
  !new RegExp(`(?:const|import) (?:[[{].*)?${name}\\b`).test(text)

const nameOf = (text: string, index: number): string => {
  if (text.includes("from 'vitest'")) return `whole-${index}.ts`
  if (/^const server = createServer/m.test(text) || lacks(text, 'server')) return `server-${index}.ts`
  return lacks(text, 'client') || /^const client = createClient/m.test(text)
    ? `client-${index}.ts`
    : `whole-${index}.ts`
}

/**
 * The code blocks of the README, which have no names: each is a file of its own, which goes on with the programs of the start
 * if it does not stand alone. They are only type-checked: tests of their own run them.
 */
export const readmeBlocks = (): Block[] => {
  const blocks = blocksOf('README', readFileSync(join(root, 'README.md'), 'utf8'))
  const code = blocks.filter(({ language }) => language === 'ts' || language === 'dc')
  const game: Block = { page: 'README', line: 0, language: 'ts', name: 'my-game.ts', text: GAME }
  const named = code.map((block, index) => {
    if (block.language === 'dc') return { ...block, name: 'lobby.dc' }
    const given = Object.keys(GIVEN).filter(name => lacks(block.text, name))
    const head = given.map(name => `${GIVEN[name]}\n`).join('')
    // Modules only: declarations of several blocks would meet.
    return { ...block, name: nameOf(block.text, index), text: `${block.text}${head}` }
  })
  return [game, ...named]
}
