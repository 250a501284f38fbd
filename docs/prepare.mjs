// Makes docs/reference: the API from the docstrings (TypeDoc), and the documents of the repository's root as pages.
// Git ignores what it makes: `npm run docs` and `npm run docs:build` make it anew.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const docs = import.meta.dirname
const root = join(docs, '..')
const out = join(docs, 'reference')
const read = path => readFileSync(join(root, path), 'utf8')
const write = (name, text) => writeFileSync(join(out, name), text)

/** Documents of the root: file, page, title, what it tells. Those that are not there are left out. */
const documents = JSON.parse(read('docs/documents.json')).filter(([file]) => existsSync(join(root, file)))

/**
 * Links between the root's documents become links between pages; those to files of the repository, which the site has
 * not, become their text.
 */
const relink = text =>
  // Bytes and the like have no colours.
  text
    .replace(/^```(hex|bytes|canonical).*$/gm, '```text')
    .replace(/(!?)\[([^\]]*)\]\(([^)\s]+)\)/g, (link, image, label, target) => {
      if (/^(https?:|#)/.test(target)) return link
      const [path, anchor = ''] = target.split('#')
      const page = documents.find(([file]) => file === path)?.[1]
      if (page) return `[${label}](./${page}.md${anchor && `#${anchor}`})`
      const ours = /^docs\/(.*)\.md$/.exec(path)?.[1]
      if (ours) return `[${label}](../${ours}.md${anchor && `#${anchor}`})`
      return image ? '' : label
    })

/** Generics in prose are no HTML, `{{` no template. */
const plain = text => `---\neditLink: false\n---\n\n<div v-pre>\n\n${text}\n\n</div>\n`

/** Imports and the entry behind each, as `package.json` has them. */
const entries = Object.keys(JSON.parse(read('package.json')).exports)
  .filter(name => name !== './package.json' && name !== './register')
  .map(name => {
    const file = name === '.' ? 'index' : name === './dc' ? 'dc/index' : name.slice(2).replaceAll('/', '-')
    return { name: name === '.' ? 'bitecs-pipes' : `bitecs-pipes/${name.slice(2)}`, file }
  })
  .map(entry => ({
    ...entry,
    file: existsSync(join(root, `src/${entry.file}.ts`)) ? entry.file : `${entry.file}/index`,
  }))

const makeApi = () => {
  const points = entries.flatMap(({ file }) => ['--entryPoints', `../src/${file}.ts`])
  const typedoc = join(docs, 'node_modules/typedoc/bin/typedoc')
  const { status } = spawnSync(process.execPath, [typedoc, ...points], { cwd: docs, stdio: 'inherit' })
  if (status !== 0) throw new Error(`TypeDoc failed (${status}): its output above says why.`)
  const made = readdirSync(join(out, 'api'), { recursive: true }).map(name => name.replaceAll('\\', '/'))
  const pages = entries.map(entry => {
    // TypeDoc names modules by their path below the folder that all have in common.
    const page = made.find(name =>
      [`${entry.file}.md`, `${entry.file}/README.md`, `${entry.file.replace(/\/index$/, '')}.md`].includes(name),
    )
    if (!page) throw new Error(`TypeDoc made no page of src/${entry.file}.ts: ${made.join(', ')}`)
    return { ...entry, page }
  })
  for (const { name, page } of pages) {
    const text = readFileSync(join(out, 'api', page), 'utf8')
    write(`api/${page}`, `---\neditLink: false\noutline: [2, 3]\n---\n\n# \`${name}\`\n\n${text}`)
  }
  for (const name of made)
    if (name.endsWith('.md') && !pages.some(({ page }) => page === name)) rmSync(join(out, 'api', name))
  return pages
}

rmSync(out, { recursive: true, force: true })
mkdirSync(join(out, 'api'), { recursive: true })
const pages = makeApi()
for (const [file, page] of documents) write(`${page}.md`, plain(relink(read(file))))

write(
  'index.md',
  `# Reference

The API is made from the docstrings of the sources; the documents are those of the repository.

| import | |
|---|---|
${pages.map(({ name, page, file }) => `| [\`${name}\`](./api/${page}) | ${summaryOf(file)} |`).join('\n')}

| document | |
|---|---|
${documents.map(([, page, title, about]) => `| [${title}](./${page}.md) | ${about} |`).join('\n')}

The command line is \`npx pipes --help\`: \`dc check\`, \`dc hash\`, \`dc types\`, \`dc diff\`, \`dc format\`, \`train\`.
`,
)
write(
  'sidebar.json',
  JSON.stringify([
    { text: 'Overview', link: '/reference/' },
    {
      text: 'Documents',
      items: documents.map(([, page, text]) => ({ text, link: `/reference/${page}` })),
    },
    {
      text: 'API',
      items: pages.map(({ name, page }) => ({
        text: name,
        link: `/reference/api/${page.replace(/(README)?\.md$/, '')}`,
      })),
    },
  ]),
)
// llms.txt of the repository, for the site: its links lead to the Markdown of pages.
const forSite = read('llms.txt').replace(/\[([^\]]*)\]\(([^)\s]+)\)/g, (_link, label, target) => {
  const document = documents.find(([file]) => file === target)
  if (document) return `[${label}](./reference/${document[1]}.md)`
  return target.startsWith('docs/') ? `[${label}](./${target.slice(5).replace('/index.md', '.md')})` : label
})
mkdirSync(join(docs, 'public'), { recursive: true })
writeFileSync(join(docs, 'public/llms.txt'), `${forSite.trimEnd()}\n- [Everything in one file](./llms-full.txt)\n`)
console.log(`reference: ${pages.length} imports, ${documents.length} documents`)

/** What an import is for, in a few words. */
function summaryOf(file) {
  const words = {
    index: 'schemas, grids, zoning, following: what both ends share',
    server: 'the authoritative server',
    client: 'the client',
    'geckos-server': 'WebRTC by geckos.io, the server',
    'geckos-client': 'WebRTC by geckos.io, the client, in pages and in Node',
    memory: 'server and clients in one process, over links of any quality',
    time: 'fixed steps with the server, and how single fields are smoothed',
    schema: 'a schema in TypeScript',
    'dc/index': 'the DC language: parse, hash, pack, compare',
    testing: 'converge, expectBudget, checkPermissions: tests of a game',
    devtools: 'the overlay, numbers, recordings',
    metrics: 'the server for Prometheus',
    vite: 'the plugin: `.dc` imports',
    node: '`.dc` files read at run time',
  }
  return words[file] ?? ''
}
