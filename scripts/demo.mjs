// `npm run demo`: the lobby's game server in a process of its own, its page, and one address to open. `npm run cubes` does the
// same for another example.
import { fork } from 'node:child_process'
import { connect, createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { installDependencies, root } from './setup.mjs'

const [example = 'lobby'] = process.argv.slice(2)
const command = `npm run ${example === 'lobby' ? 'demo' : example}`

/**
 * A TCP port from the environment. Throws when it is not a port.
 *
 * @param {string} name of the variable
 * @param {number} otherwise
 */
function portFrom(name, otherwise) {
  const port = Number(process.env[name] || otherwise)
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new Error(`${name} is ${JSON.stringify(process.env[name])}: it must be a port, 1 to 65535.`)
  }
  return port
}

/**
 * Throws when another program listens on a TCP port of this machine.
 *
 * @param {number} port
 * @param {string} name of the environment variable that chooses another port
 */
async function assertPortFree(port, name) {
  const probe = createTcpServer()
  try {
    await new Promise((resolve, reject) => {
      probe.once('error', reject)
      probe.listen(port, () => probe.close(resolve))
    })
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
    const what = `Port ${port} ${taken ? 'is taken' : 'cannot be used'}.`
    throw new Error(`${what} Choose another one: ${name}=${port + 1} ${command}`, { cause: error })
  }
}

/**
 * Resolves once something accepts connections on a TCP port of this machine.
 *
 * @param {number} port
 * @param {AbortSignal} signal gives up
 * @returns {Promise<void>}
 */
function untilListening(port, signal) {
  return new Promise(resolve => {
    const attempt = () => {
      if (signal.aborted) return
      const socket = connect(port, 'localhost')
      socket.once('connect', () => {
        socket.destroy()
        resolve()
      })
      socket.once('error', () => setTimeout(attempt, 50))
    }
    attempt()
  })
}

/**
 * Resolves with the reason once the game server ended.
 *
 * @param {import('node:child_process').ChildProcess} game
 * @returns {Promise<string>}
 */
const untilEnded = game =>
  new Promise(resolve =>
    game.once('exit', (code, signal) => resolve(`The game server ended (${signal ?? `code ${code}`}).`)),
  )

async function main() {
  const pagePort = portFrom('PORT', 5173)
  const gamePort = portFrom('GAME_PORT', 9208)
  await assertPortFree(pagePort, 'PORT')
  await assertPortFree(gamePort, 'GAME_PORT')
  installDependencies()

  const game = fork(join(root, 'scripts/run.mjs'), [join(root, 'examples', example, 'server.ts')], {
    env: { ...process.env, GAME_PORT: String(gamePort) },
  })
  const ended = untilEnded(game)
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.once(signal, () => {
      game.kill()
      process.exit(0)
    })
  }

  // The page learns the port as `import.meta.env.VITE_GAME_PORT`.
  process.env.VITE_GAME_PORT = String(gamePort)
  const { createServer } = await import('vite')
  const page = await createServer({
    configFile: join(root, 'vite.config.ts'),
    root: join(root, 'examples', example),
    server: { port: pagePort, strictPort: true },
  })

  const stop = new AbortController()
  const ready = Promise.all([page.listen(), untilListening(gamePort, stop.signal)])
  const failure = await Promise.race([ready.then(() => undefined), ended])
  stop.abort()
  if (!failure) console.log(`\n  Open http://localhost:${pagePort}/\n`)
  const reason = failure ?? (await ended)
  await page.close()
  throw new Error(reason)
}

main().catch(error => {
  console.error(`\n${error instanceof Error ? error.message : error}`)
  process.exit(1)
})
