import { readFileSync } from 'node:fs'

const read = (path: string): any => {
  try {
    return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))
  } catch {
    return []
  }
}

/** The reference's sidebar: what `prepare.mjs` made. */
export const apiSidebar = () => read('../reference/sidebar.json')
