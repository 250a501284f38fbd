// FIGURES.md, from what was measured: `figures/<id>.json`.

/** The columns of rows that have something in them. */
const columnsOf = rows =>
  [...new Set(rows.flatMap(row => Object.keys(row)))].filter(name =>
    rows.some(row => row[name] !== undefined && row[name] !== null),
  )

const cell = value => String(value ?? '').replaceAll('|', '\\|')

/** A table in Markdown. */
export const table = rows => {
  const columns = columnsOf(rows)
  const isNumber = name => rows.every(row => row[name] === undefined || typeof row[name] === 'number')
  return [
    `| ${columns.map(cell).join(' | ')} |`,
    `|${columns.map(name => (isNumber(name) ? '---:' : '---')).join('|')}|`,
    ...rows.map(row => `| ${columns.map(name => cell(row[name])).join(' | ')} |`),
  ].join('\n')
}

/** The file name of a figure's n-th plot. */
export const plotFile = (id, index) => `${id}-${index + 1}.svg`

/** The tables that a plot is drawn from, as one list of rows. */
export const rowsOf = (result, plot) =>
  result.tables.flatMap(({ rows }) => rows).filter(row => plot.only?.(row) ?? true)

const section = (figure, result) => {
  const { machine, versions, date, commit, load } = result
  const plots = (figure.plots ?? []).map(({ title }, index) => `![${title}](figures/${plotFile(figure.id, index)})`)
  return [
    `## ${figure.title}`,
    figure.about,
    '```sh\n' + result.command + '\n```',
    ...result.tables.map(({ title, rows }) => `**${title}**\n\n${table(rows)}`),
    ...plots,
    `Measured ${date.slice(0, 10)} at ${commit} on ${machine}; ${versions}; load average when it began ${load}.`,
  ].join('\n\n')
}

/** The mark that README has before and after what is written by {@link summary}. */
export const MARK = '<!-- figures -->'

/** What README quotes: a few rows of the replication and interpolation tables. */
export const summary = results => {
  const lines = []
  const peers = []
  for (const { rows } of results.get('replication')?.tables ?? []) {
    if (peers.length === 0) peers.push(...rows.map(({ peer }) => peer))
    const of = key => rows.map(row => row[key]).join(' | ')
    lines.push(`| ${rows[0].scene}, ${rows[0].clients} clients: kB/s to each | ${of('kB/s per client')} |`)
    lines.push(`| the same: server, us a tick (p50) | ${of('us/tick p50')} |`)
  }
  for (const { rows } of results.get('interpolation')?.tables ?? [])
    for (const { network } of rows.filter(({ by }) => by === peers[0])) {
      const of = peer => rows.find(row => row.network === network && row.by === peer)?.['error mm'] ?? ''
      lines.push(`| error of remote motion, mm; ${network} | ${peers.map(of).join(' | ')} |`)
    }
  return [`| | ${peers.join(' | ')} |`, `|---|${peers.map(() => '---:').join('|')}|`, ...lines].join('\n')
}

/**
 * The page.
 *
 * @param {readonly import('./list.mjs').Figure[]} figures
 * @param {ReadonlyMap<string, any>} results by id; a figure without one is left out
 */
export const page = (figures, results) =>
  [
    '# Figures',
    'Written by `npm run figures`; `npm run figures -- --only replication,size` measures single ones anew. Times are those of the machine that is named with ' +
      'them: run the command on yours.',
    ...figures.filter(({ id }) => results.has(id)).map(figure => section(figure, results.get(figure.id))),
  ].join('\n\n') + '\n'
