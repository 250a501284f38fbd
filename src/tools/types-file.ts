import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { declareTypes, type DCFile } from '../dc/index.ts'

/**
 * Where the types of `game.dc` stand: in `game.dc.d.ts`, which bundlers' module resolution finds, or in `game.d.dc.ts`, which
 * `node16` and `nodenext` find with `allowArbitraryExtensions`. Whichever is there already is kept.
 */
export const declarationsOf = (path: string, nodenext = false): string[] => {
  const names = [`${path}.d.ts`, path.replace(/\.dc$/, '.d.dc.ts')]
  if (nodenext) return [names[1]!]
  const present = names.filter(name => existsSync(name))
  return present.length > 0 ? present : [names[0]!]
}

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** The declaration files of a `.dc` file that are missing or out of date. */
export const staleTypes = (path: string, file: DCFile, nodenext = false): string[] => {
  // Files of typedefs and structs only are read together with others: nobody imports them.
  if (file.classes.every(({ isStruct }) => isStruct)) return []
  const wanted = declareTypes(file)
  return declarationsOf(path, nodenext).filter(name => read(name)?.replaceAll('\r\n', '\n') !== wanted)
}

/** Writes what {@link staleTypes} finds, and answers it. A file that is up to date is not touched: watchers stay quiet. */
export const keepTypes = (path: string, file: DCFile, nodenext = false): string[] => {
  const stale = staleTypes(path, file, nodenext)
  for (const name of stale) writeFileSync(name, declareTypes(file))
  return stale
}
