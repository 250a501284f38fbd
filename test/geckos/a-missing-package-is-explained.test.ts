import { expect, it } from 'vitest'
import { importGeckosServer } from '../../src/net/geckos/geckos-server.ts'

it('tells what to install and which override to set', async () => {
  const missing = () => Promise.reject(new Error("Cannot find package '@geckos.io/server'"))
  const error = await importGeckosServer(missing).then(
    () => undefined,
    (reason: Error) => reason,
  )
  expect(error?.message).toContain('npm install @geckos.io/server')
  expect(error?.message).toContain('"overrides": { "node-datachannel": "0.33.4" }')
  expect(error?.message).toContain("Cannot find package '@geckos.io/server'")
  expect(error?.cause).toBeInstanceOf(Error)
})
