// Finds or installs a Chromium for the tests that need a real browser. No dependencies.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'microsoft-edge']

const PLACES = {
  darwin: [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
    `${process.env.HOME}/Applications/Google Chrome.app/Contents/MacOS/Google Chrome`,
  ],
  win32: ['ProgramFiles', 'ProgramFiles(x86)', 'LocalAppData'].flatMap(variable => {
    const folder = process.env[variable]
    const programs = [
      'Google\\Chrome\\Application\\chrome.exe',
      'Chromium\\Application\\chrome.exe',
      'Microsoft\\Edge\\Application\\msedge.exe',
    ]
    return folder ? programs.map(program => join(folder, program)) : []
  }),
}

/**
 * Flags for a headless browser in tests: as root in a container (`--no-sandbox`), without network traffic of its own, and
 * on a machine whose only network interface is `lo`, where WebRTC would else find no address to use (the server then
 * needs `bindAddress: '127.0.0.1'`, which is the transport's default).
 */
export const chromiumFlags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--allow-loopback-in-peer-connection',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
]

const isExecutable = file => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const onPath = name =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .map(folder => join(folder, process.platform === 'win32' ? `${name}.exe` : name))
    .find(isExecutable)

/**
 * The executable of a Chromium-based browser: `CHROME_PATH`, else the first on PATH, else at its usual place. Throws when
 * `CHROME_PATH` is set and names no executable.
 * @returns {string | undefined}
 */
export function findChromium() {
  const chosen = process.env.CHROME_PATH
  if (chosen) {
    if (isExecutable(chosen)) return chosen
    throw new Error(`CHROME_PATH is ${chosen}, which is no executable file`)
  }
  for (const name of NAMES) {
    const file = onPath(name)
    if (file) return file
  }
  return (PLACES[process.platform] ?? []).find(isExecutable)
}

const HELP = {
  darwin: 'Install it: brew install --cask chromium, or Google Chrome from https://www.google.com/chrome/',
  win32: 'Install it: winget install Google.Chrome',
  linux:
    'Install it: sudo apt-get install chromium (Debian), sudo apt-get install chromium-browser (Ubuntu), or sudo dnf install chromium (Fedora)',
}

const run = (command, ...parameters) =>
  spawnSync(command, parameters, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  }).status === 0

const canInstall = () =>
  process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/etc/debian_version') && onPath('apt-get')

/**
 * Finds a browser, or installs Debian's with apt-get when this process is root there. Else throws with what to do.
 * @returns {Promise<string>}
 */
export async function ensureChromium() {
  const found = findChromium()
  if (found) return found
  if (canInstall()) {
    const install = () => run('apt-get', 'install', '-y', '--no-install-recommends', 'chromium')
    if (install() || (run('apt-get', 'update') && install())) {
      const installed = findChromium()
      if (installed) return installed
    }
  }
  throw new Error(
    `No Chromium or Chrome found. ${HELP[process.platform] ?? HELP.linux}, or set CHROME_PATH to its executable.`,
  )
}

if (import.meta.main || process.argv[1] === import.meta.filename) console.log(await ensureChromium())
