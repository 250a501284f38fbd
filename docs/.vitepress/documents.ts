import type MarkdownIt from 'markdown-it'
import documents from '../documents.json' with { type: 'json' }

const PAGES = new Map(documents.map(([file, page]) => [file, page]))

/** Links to documents in the repository's root, which editors and code hosts follow, lead to their pages. */
export const documentLinks = (md: MarkdownIt): void => {
  md.core.ruler.push('documents', ({ tokens }) => {
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const [, file, anchor = ''] = /^(?:\.\.\/)+([A-Z]+\.md)(#.*)?$/.exec(token.attrGet('href') ?? '') ?? []
      const page = file && PAGES.get(file)
      if (page) token.attrSet('href', `/reference/${page}.md${anchor}`)
    }
  })
}
