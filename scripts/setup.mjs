import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The project's folder. */
export const root = join(import.meta.dirname, '..')

/** @param {string} name of a file in the project */
const readPackages = name => {
  try {
    return JSON.parse(readFileSync(join(root, name), 'utf8')).packages ?? {}
  } catch {
    return {}
  }
}

/**
 * Whether `node_modules` lacks a version that `package-lock.json` asks for, in a folder of the project. Compares what npm
 * noted there with the lock file, since file times say nothing after a checkout or a copy.
 */
export function dependenciesAreStale(folder = '.') {
  const wanted = readPackages(join(folder, 'package-lock.json'))
  const installed = readPackages(join(folder, 'node_modules/.package-lock.json'))
  return Object.entries(wanted).some(
    ([path, { optional, version }]) => path !== '' && !optional && installed[path]?.version !== version,
  )
}

/** Runs `npm ci` if needed. Throws when it fails. */
export function installDependencies() {
  if (!dependenciesAreStale()) return
  console.log('Installing dependencies (npm ci)')
  const { status } = spawnSync('npm ci --no-audit --no-fund', { cwd: root, shell: true, stdio: 'inherit' })
  if (status !== 0) throw new Error('`npm ci` failed: its output above says why.')
}

/**
 * Runs a command of `node_modules/.bin` or the shell, with our output, and resolves to its exit code.
 * Ctrl-C reaches the child by itself: it is in our process group.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {string} cwd
 * @returns {Promise<number>}
 */
export function run(command, args = [], cwd = root) {
  const windows = process.platform === 'win32'
  const path = join(root, 'node_modules/.bin') + (windows ? ';' : ':') + process.env.PATH
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, PATH: path },
    shell: windows,
    stdio: 'inherit',
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)))
  })
}
