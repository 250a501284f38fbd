import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = join(import.meta.dirname, '../..')

interface Answer {
  readonly id?: number
  readonly method?: string
  readonly result?: any
  readonly params?: any
}

/** TypeScript's language server, as editors start it, with one file open. */
export const openFile = async (path: string) => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const child = spawn(process.execPath, [tsc, '--lsp', '--stdio'], { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] })
  const waiting = new Map<number, (result: any) => void>()
  let received = Buffer.alloc(0)
  let requests = 0
  const send = (message: object) => {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message })
    child.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
  }
  const request = (method: string, params: object): Promise<any> =>
    new Promise((resolve, reject) => {
      child.once('exit', () => reject(new Error('The language server has ended.')))
      waiting.set(++requests, resolve)
      send({ id: requests, method, params })
    })
  const take = ({ id, method, params, result }: Answer) => {
    if (id === undefined) return
    if (!method) waiting.get(id)?.(result)
    else send({ id, result: method === 'workspace/configuration' ? params.items.map(() => null) : null })
  }
  child.stdout.on('data', data => {
    received = Buffer.concat([received, data])
    for (;;) {
      const head = /^Content-Length: (\d+)\r\n(?:.+\r\n)*\r\n/.exec(received.toString('latin1'))
      if (!head || received.length < head[0].length + Number(head[1])) return
      const end = head[0].length + Number(head[1])
      const body = received.subarray(head[0].length, end).toString()
      received = received.subarray(end)
      take(JSON.parse(body))
    }
  })
  const uri = pathToFileURL(path).href
  const text = readFileSync(path, 'utf8')
  const capabilities = { textDocument: { hover: { contentFormat: ['markdown'] } } }
  await request('initialize', { processId: process.pid, rootUri: pathToFileURL(root).href, capabilities })
  send({ method: 'initialized', params: {} })
  send({
    method: 'textDocument/didOpen',
    params: { textDocument: { uri, languageId: 'typescript', version: 1, text } },
  })
  return {
    /** What shows over the last name of an expression that stands in the file. */
    async hover(expression: string): Promise<string> {
      const before = text.slice(0, text.indexOf(expression) + expression.length - 1).split('\n')
      const position = { line: before.length - 1, character: before.at(-1)!.length }
      const result = await request('textDocument/hover', { textDocument: { uri }, position })
      return result?.contents.value ?? ''
    },
    close: () => child.kill(),
  }
}
