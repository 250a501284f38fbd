import { SourceMap } from 'node:module'
import { basename, isAbsolute, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import { root } from './setup.mjs'

/**
 * What an application's bundler makes of some of our sources, and what it read to do so.
 *
 * @param {string[]} files entries, relative to the project, or absolute
 * @param {(name: string) => boolean} isExternal decides for each bare import, such as `bitecs` or `node:fs`
 * @param {string[]} unused more entries, which are imported, but nothing of them is used
 */
export async function bundle(files, isExternal, unused = []) {
  /** @type {Set<string>} */
  const externals = new Set()
  const pathOf = file => JSON.stringify(isAbsolute(file) ? file : join(root, file))
  const code = [
    ...files.map(file => `export * from ${pathOf(file)}`),
    ...unused.map(file => `import ${pathOf(file)}`),
  ].join('\n')

  const result = await build({
    configFile: false,
    root,
    logLevel: 'warn',
    plugins: [
      {
        name: 'bundle-entry',
        enforce: 'pre',
        resolveId(id) {
          if (id === 'virtual:entry') return '\0entry.js'
          if (/^[.\0]/.test(id) || isAbsolute(id) || !isExternal(id)) return
          externals.add(id)
          return { id, external: true }
        },
        load: id => (id === '\0entry.js' ? code : undefined),
      },
    ],
    build: {
      write: false,
      target: 'es2022',
      sourcemap: 'hidden',
      // Leaves out Vite's own helper for `import()`, which a page has once, whoever needs it.
      lib: { entry: 'virtual:entry', formats: ['es'] },
      rolldownOptions: {
        input: 'virtual:entry',
        // As of a page, which exports nothing: what it loads later may take from it what it has already.
        preserveEntrySignatures: 'allow-extension',
        output: { format: 'es', minify: true, comments: false },
      },
    },
  })

  const [output] = [result].flat()
  if (!output || !('output' in output)) throw new Error('The bundler made nothing.')
  const chunks = output.output.filter(file => file.type === 'chunk')
  // What is imported only when it is needed is no part of what a page waits for.
  const first = chunks.filter(chunk => chunk.isEntry)
  for (const chunk of first) {
    const more = chunks.filter(other => chunk.imports.includes(other.fileName) && !first.includes(other))
    first.push(...more)
  }
  const text = first.map(chunk => chunk.code).join('\n')
  const later = chunks.filter(chunk => !first.includes(chunk))
  return {
    /** Sources that are in the bundle, relative to the project, after unused exports were dropped. */
    modules: chunks
      .flatMap(chunk => Object.entries(chunk.modules))
      .filter(([, { renderedLength }]) => renderedLength > 0)
      .map(([id]) => id.replace(`${root}/`, '')),
    /** Packages that any source read on the way imports, used or not. */
    externals: [...externals].sort(),
    /** Size in bytes of what is loaded at first, minified. */
    bytes: Buffer.byteLength(text),
    /** The same compressed. */
    gzip: gzipped(text),
    /** What is loaded when it is needed: a chunk's name, and its size compressed. */
    later: later.map(({ fileName, code }) => ({ name: basename(fileName, '.js'), gzip: gzipped(code) })),
    /** What each source adds to what is loaded at first, the largest first. Made when called: it compresses all once for each. */
    bySource: () => sharesOf(first),
  }
}

/** @param {string} text */
const gzipped = text => gzipSync(text, { level: 9 }).length

/**
 * How many bytes of minified code come of each source, and by how much the whole is smaller without them when compressed.
 *
 * @param {{ code: string, map: { toString(): string } | null }[]} chunks
 */
const sharesOf = chunks => {
  /** @type {{ source: string, text: string }[]} */
  const pieces = []
  for (const { code, map } of chunks) {
    const sources = new SourceMap(JSON.parse(String(map)))
    code.split('\n').forEach((line, row) => {
      for (let column = 0; column < line.length; column++) {
        const { originalSource = 'the bundler' } = sources.findEntry(row, column)
        const source = originalSource.replace(/^.*?(?=(src|node_modules)\/)/, '')
        const last = pieces.at(-1)
        if (last?.source === source) last.text += line[column]
        else pieces.push({ source, text: line[column] ?? '' })
      }
    })
  }
  /** @param {(source: string) => boolean} isIn */
  const textOf = isIn => pieces.flatMap(({ source, text }) => (isIn(source) ? [text] : [])).join('')
  const whole = gzipped(textOf(() => true))
  return [...new Set(pieces.map(({ source }) => source))]
    .map(source => ({
      source,
      bytes: textOf(each => each === source).length,
      gzip: whole - gzipped(textOf(each => each !== source)),
    }))
    .sort((a, b) => b.gzip - a.gzip)
}

/** What a page loads besides bitECS, which it has anyway. */
export const clientBundles = {
  client: ['src/client.ts'],
  'client + geckos/client': ['src/client.ts', 'src/geckos-client.ts'],
}

/** @param {string} name */
export const isBitecs = name => name === 'bitecs' || name.startsWith('bitecs/')
