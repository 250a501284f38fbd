import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

export const root = join(import.meta.dirname, '../../..')
const docs = join(root, 'docs')

/** A fenced block of a page. */
export interface Block {
  /** Such as `recipes/chat`. */
  readonly page: string
  /** Of its first line in the page, from 1. */
  readonly line: number
  readonly language: string
  /** What the fence says in brackets: the file that it is, or goes on with. */
  readonly name: string
  readonly text: string
}

/** What is made at build, or is no page. */
const IGNORED = ['node_modules', '.vitepress', 'reference', 'public']

/** The pages of the guide by name, such as `recipes/chat`, and their text. */
export const readPages = (folder = docs): Map<string, string> => {
  const pages = new Map<string, string>()
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory() && !IGNORED.includes(entry.name)) for (const page of readPages(path)) pages.set(...page)
    else if (entry.name.endsWith('.md'))
      pages.set(relative(docs, path).replaceAll('\\', '/').slice(0, -3), readFileSync(path, 'utf8'))
  }
  return pages
}

/** All fenced blocks of a page. Throws for a fence that is never closed. */
export const blocksOf = (page: string, text: string): Block[] => {
  const blocks: Block[] = []
  let open: { fence: string; language: string; name: string; line: number; lines: string[] } | undefined
  for (const [index, line] of text.split('\n').entries()) {
    const [, fence, info] = /^\s*(`{3,})(.*)$/.exec(line) ?? []
    if (!open && fence !== undefined) {
      const [, language = '', name = ''] = /^\s*([\w-]*)[^[]*(?:\[(.+)\])?/.exec(info!)!
      open = { fence, language, name, line: index + 2, lines: [] }
    } else if (open && fence === open.fence && info === '') {
      const { language, name, line: first, lines } = open
      blocks.push({ page, line: first, language, name, text: `${lines.join('\n')}\n` })
      open = undefined
    } else open?.lines.push(line)
  }
  if (open) throw new Error(`${page}.md:${open.line - 1}: this fence is never closed.`)
  return blocks
}

/** The text without its fenced blocks and code spans: what is left are words and links. */
export const proseOf = (text: string): string =>
  text.replace(/^\s*(`{3,}).*\n[\s\S]*?^\s*\1$/gm, '').replace(/`[^`\n]*`/g, '')
