import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import oniguruma from 'vscode-oniguruma'
import textmate, { type IGrammar } from 'vscode-textmate'

const extension = join(import.meta.dirname, '../../editors/vscode')
let grammar: IGrammar

beforeAll(async () => {
  const wasm = readFileSync(createRequire(import.meta.url).resolve('vscode-oniguruma/release/onig.wasm'))
  await oniguruma.loadWASM(new Uint8Array(wasm).buffer)
  const manifest = JSON.parse(readFileSync(join(extension, 'package.json'), 'utf8'))
  const [contributed] = manifest.contributes.grammars
  const path = join(extension, contributed.path)
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: patterns => new oniguruma.OnigScanner(patterns),
      createOnigString: text => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => textmate.parseRawGrammar(readFileSync(path, 'utf8'), path),
  })
  grammar = (await registry.loadGrammar(contributed.scopeName))!
})

/** The pieces of a text with their innermost scope, as `uint8|storage.type.primitive`; blanks and the rest are left out. */
const scopesOf = (text: string): string[] => {
  let stack = textmate.INITIAL
  const pieces: { piece: string; scope: string }[] = []
  for (const line of text.split('\n')) {
    const { tokens, ruleStack } = grammar.tokenizeLine(line, stack)
    stack = ruleStack
    for (const { startIndex, endIndex, scopes } of tokens) {
      const piece = line.slice(startIndex, endIndex)
      const scope = scopes.at(-1)!.replace(/\.dc$/, '')
      // A comment is one piece, however many it takes.
      const last = pieces.at(-1)
      if (last?.scope === scope && scope.startsWith('comment')) last.piece += piece
      else pieces.push({ piece, scope })
    }
  }
  return pieces
    .filter(({ piece, scope }) => piece.trim() && !scope.startsWith('punctuation'))
    .map(({ piece, scope }) => `${piece.trim()}|${scope}`)
}

test('declarations', () => {
  expect(scopesOf('from game.world import Avatar/AI/OV, Npc\nimport other\nkeyword shiny interp_linear;')).toEqual([
    'from|keyword.control.import',
    'game|entity.name.namespace',
    'world|entity.name.namespace',
    'import|keyword.control.import',
    'Avatar|entity.name.namespace',
    'AI|entity.name.namespace',
    'OV|entity.name.namespace',
    'Npc|entity.name.namespace',
    'import|keyword.control.import',
    'other|entity.name.namespace',
    'keyword|storage.type.keyword',
    'shiny|storage.modifier',
    'interp_linear|storage.modifier',
  ])
  expect(scopesOf('dclass Avatar : Node, Named {\n};\nstruct Empty {};\ntypedef uint8(0-25) Color = 1;')).toEqual([
    'dclass|storage.type.class',
    'Avatar|entity.name.type.class',
    'Node|entity.other.inherited-class',
    'Named|entity.other.inherited-class',
    'struct|storage.type.class',
    'Empty|entity.name.type.class',
    'typedef|storage.type.typedef',
    'uint8|storage.type.primitive',
    '0|constant.numeric.integer',
    '-|keyword.operator.range',
    '25|constant.numeric.integer',
    'Color|entity.name.type',
    '=|keyword.operator.assignment',
    '1|constant.numeric.integer',
  ])
})

const inClass = (field: string): string[] => scopesOf(`dclass A {\n  ${field}\n};`).slice(2)

test('fields: type, divisor, modulus, range, name, sizes, default, keywords', () => {
  expect(inClass('int16/10%360(-5 - 0.5) heading[2] = [1, -2] broadcast shiny; // degrees')).toEqual([
    'int16|storage.type.primitive',
    '/|keyword.operator.scaling',
    '10|constant.numeric.integer',
    '%|keyword.operator.scaling',
    '360|constant.numeric.integer',
    '-5|constant.numeric.integer',
    '-|keyword.operator.range',
    '0.5|constant.numeric.float',
    'heading|variable.other.field',
    '2|constant.numeric.integer',
    '=|keyword.operator.assignment',
    '1|constant.numeric.integer',
    '-2|constant.numeric.integer',
    'broadcast|storage.modifier',
    'shiny|storage.modifier',
    '// degrees|comment.line.double-slash',
  ])
  expect(
    inClass('Vec2 position shiny;\n  float32[] speeds;\n  blob b = <00ff>; /* a\n b */ string s = "\\x41b";'),
  ).toEqual([
    'Vec2|entity.name.type',
    'position|variable.other.field',
    'shiny|storage.modifier',
    'float32|support.type.prelude',
    'speeds|variable.other.field',
    'blob|storage.type.primitive',
    'b|variable.other.field',
    '=|keyword.operator.assignment',
    '<00ff>|constant.other.hex-bytes',
    '/* a b */|comment.block',
    'string|storage.type.primitive',
    's|variable.other.field',
    '=|keyword.operator.assignment',
    '"|string.quoted.double',
    '\\x41|constant.character.escape',
    'b|string.quoted.double',
    '"|string.quoted.double',
  ])
})

test('messages and molecules', () => {
  expect(inClass("say(string(1-200) text, Vec2 where, char c = 'x', bool) clsend;\n  all : say, other;")).toEqual([
    'say|entity.name.function',
    'string|storage.type.primitive',
    '1|constant.numeric.integer',
    '-|keyword.operator.range',
    '200|constant.numeric.integer',
    'text|variable.parameter',
    'Vec2|entity.name.type',
    'where|variable.parameter',
    'char|storage.type.primitive',
    'c|variable.parameter',
    '=|keyword.operator.assignment',
    "'|string.quoted.single",
    'x|string.quoted.single',
    "'|string.quoted.single",
    'bool|support.type.prelude',
    'clsend|storage.modifier',
    'all|entity.name.function.molecule',
    'say|entity.name.function',
    'other|entity.name.function',
  ])
})

test('switches, inline structs, and what comes after them', () => {
  const text =
    'switch (uint8 kind) {\n case 1: string s; break;\n default: struct { uint8 a; } b;\n } extra[] shiny;\n  uint8 x;'
  expect(inClass(text)).toEqual([
    'switch|keyword.control.switch',
    'uint8|storage.type.primitive',
    'kind|variable.parameter',
    'case|keyword.control.switch',
    '1|constant.numeric.integer',
    'string|storage.type.primitive',
    's|variable.other.field',
    'break|keyword.control.switch',
    'default|keyword.control.switch',
    'struct|storage.type.class',
    'uint8|storage.type.primitive',
    'a|variable.other.field',
    'b|variable.other.field',
    'extra|variable.other.field',
    'shiny|storage.modifier',
    'uint8|storage.type.primitive',
    'x|variable.other.field',
  ])
})

test('every word of the examples has a scope of its own', () => {
  for (const name of ['lobby', 'terminal', 'pipes']) {
    const text = readFileSync(join(import.meta.dirname, `../../dc/${name}.dc`), 'utf8')
    expect(scopesOf(text).filter(piece => piece.endsWith('|source'))).toEqual([])
  }
})
