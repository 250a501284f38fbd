import type MarkdownIt from 'markdown-it'

/** Shows the name of a file, which a fence has in brackets, above its code. */
export const fileNames = (md: MarkdownIt): void => {
  const { fence } = md.renderer.rules
  md.renderer.rules.fence = (tokens, index, ...rest) => {
    // VitePress takes the brackets out.
    const name = /\[(.+)\]/.exec(tokens[index]!.info)?.[1]
    const html = fence!(tokens, index, ...rest)
    return name ? `<div class="file"><div class="file-name">${md.utils.escapeHtml(name)}</div>${html}</div>` : html
  }
}
