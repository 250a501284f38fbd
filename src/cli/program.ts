import { Command, CommanderError } from 'commander'
import { check } from './check.ts'
import { diff } from './diff.ts'
import { format } from './format.ts'
import { hash } from './hash.ts'
import { UsageError, type Terminal } from './terminal.ts'
import { train } from './train.ts'
import { types } from './types.ts'

/** Exit codes: nothing to report, something to report, called wrongly. */
export const OK = 0
export const FINDINGS = 1
export const USAGE = 2

/**
 * Runs `pipes` with these arguments (without node and script).
 * @returns the exit code: 0 all is well, 1 there are findings, 2 the call was wrong or a file cannot be read.
 */
export const runPipes = async (args: readonly string[], terminal: Terminal, version: string): Promise<number> => {
  let code: number = OK
  const found = (isFine: boolean) => {
    code = isFine ? OK : FINDINGS
  }
  const program = new Command('pipes')
  const pathsHelp = '.dc files, folders to search for them, or - for standard input'
  program
    .description('Tools for bitecs-pipes. Exit code 0: all is well, 1: findings, 2: wrong use or unreadable file.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(add --help for what is possible)')
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.error })
  const dc = program.command('dc').description('check, hash, compare and format schemas; write their types')
  dc.command('check')
    .description('report all errors and warnings, with line and caret')
    .argument('<paths...>', pathsHelp)
    .option('--together', 'the files are one schema, read in this order')
    .option('--loose', 'undeclared types and bases are warnings, as in Panda3D')
    .option('--deny-warnings', 'warnings are findings too')
    .option('--json', 'print JSON')
    .action((paths, options) => found(check(paths, options, terminal)))
  dc.command('hash')
    .description("print Panda3D's 32-bit hash and the 64-bit structural one")
    .argument('<paths...>', pathsHelp)
    .option('--together', 'the files are one schema, read in this order')
    .option('--loose', 'undeclared types and bases are warnings, as in Panda3D')
    .option('--json', 'print JSON')
    .action((paths, options) => found(hash(paths, options, terminal)))
  dc.command('types')
    .description('write game.dc.d.ts beside game.dc, unless it is up to date')
    .argument('<paths...>', pathsHelp)
    .option('--check', 'write nothing; a file that is missing or out of date is a finding')
    .option('--nodenext', 'write game.d.dc.ts, for the module resolution of Node (allowArbitraryExtensions)')
    .option('--stdout', 'print the types instead')
    .action((paths, options) => found(types(paths, options, terminal)))
  dc.command('diff')
    .description('tell what differs, and which changes break clients with the old schema')
    .argument('<old>', 'the .dc file that clients have')
    .argument('<new>', 'the .dc file that the server is to have')
    .option('--json', 'print JSON')
    .action((before, after, options) => found(diff(before, after, options, terminal)))
  dc.command('format')
    .description('print in the common style; comments stay, the schema stays the same')
    .argument('<paths...>', pathsHelp)
    .option('--check', 'print the names of files that are not in the style: they are findings')
    .option('--write', 'write the files')
    .action((paths, options) => found(format(paths, options, terminal)))
  program
    .command('train')
    .description('play a game with its bots, and make tables for its range coder: `createServer({ codecTables })`')
    .argument('<game>', 'a module that exports a game of bitecs-pipes/testing: `schema`, `bots`, `rules`, ...')
    .requiredOption('--out <file>', 'where the tables go')
    .option('--clients <count>', 'players (8)')
    .option('--objects <count>', 'objects from the start, of each `spawn` in turn (40)')
    .option('--seconds <seconds>', 'of virtual time; the more, the better the tables (110)')
    .option('--zones <zones>', 'where the objects are and what all players see, such as 1,2 (1)')
    .option('--seed <number>', 'of what is random (1)')
    .action(async (path, options) => found(await train(path, options, terminal)))
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? OK : USAGE
    if (!(error instanceof UsageError)) throw error
    terminal.error(`error: ${error.message}\n`)
    return USAGE
  }
  return code
}
