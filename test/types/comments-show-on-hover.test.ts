import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openFile } from './language-server.ts'

test('an editor shows comment, declaration, units and default of a DC field', async () => {
  const editor = await openFile(join(import.meta.dirname, 'a-schema-in-dc.ts'))
  try {
    expect(await editor.hover('Avatar.position')).toContain('Where it is.\n`Vec2 position broadcast ram`')
    expect(await editor.hover('Avatar.position.x')).toContain(
      'Float32Array<ArrayBufferLike>\n```\nmetres to the east\n`int16/10 x`: -3276.8 to 3276.7 in steps of 0.1',
    )
    expect(await editor.hover('Avatar.health')).toContain('`uint8(0-100) health broadcast ram`: 0 to 100, default 100')
    expect(await editor.hover('server.on(Avatar.say')).toMatch(
      /Message<\{\s+text: string;\s+where: \{[^]*`say\(string\(1-200\)/,
    )
    expect(await editor.hover('server.on(Avatar')).toContain('A player.\n`dclass Avatar : Node`')
  } finally {
    editor.close()
  }
})
