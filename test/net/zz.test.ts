import { test } from 'vitest'
import { recordSession } from './session.ts'
import { writeFileSync } from 'node:fs'
test('x', async () => { const { log } = await recordSession(); writeFileSync('/tmp/log.txt', log.join('\n') + '\n') })
