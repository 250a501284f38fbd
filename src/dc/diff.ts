import { hashFile } from './hash.ts'
import type { DCClass, DCField, DCFile, DCImport, DCPackable, DCParameter, DCRange } from './model.ts'
import { fieldText, structureOf, VERSION_TYPEDEF } from './structure.ts'

/** One difference between two versions of a schema. */
export interface SchemaChange {
  readonly kind: 'class' | 'field' | 'typedef' | 'keyword' | 'import' | 'version'
  readonly action: 'added' | 'removed' | 'changed' | 'renamed' | 'moved'
  /** What it is about: `Avatar.health`, `Avatar`, the name of a typedef, keyword or module. */
  readonly name: string
  /** The class of a class or field. */
  readonly class?: string
  readonly field?: string
  /** As the older schema has it; missing when it was added. */
  readonly before?: string
  /** As the newer schema has it; missing when it was removed. */
  readonly after?: string
  /** Whether clients that were built from the older schema can no longer join: one of the two hashes changes. */
  readonly breaking: boolean
  /** Whether Panda3D's own hash changes by it. */
  readonly inPandaHash: boolean
  /** Why it breaks them, or why it does not. */
  readonly why: string
}

/** What of a field's declaration can change. */
interface Aspects {
  readonly wire: string[]
  readonly ranges: string[]
  readonly defaults: string[]
  readonly names: string[]
}

const rangeText = (ranges: readonly DCRange[]): string => ranges.map(({ min, max }) => `${min}..${max}`).join()

/** Notes what a value is made of. A struct by its name: what changes in it is told of the struct. */
const note = (packable: DCPackable, aspects: Aspects): void => {
  const { wire, ranges } = aspects
  switch (packable.kind) {
    case 'number':
      wire.push(`${packable.base}/${packable.divisor}%${packable.modulus ?? ''}`)
      ranges.push(rangeText(packable.ranges))
      return
    case 'string':
    case 'blob':
    case 'blob32': {
      const [size, ...more] = packable.sizes
      wire.push(`${packable.kind}${size && size.min === size.max && more.length === 0 ? size.min : ''}`)
      ranges.push(rangeText(packable.sizes))
      return
    }
    case 'array':
      wire.push(packable.prefixed ? '[]' : `[${rangeText(packable.sizes)}]`)
      ranges.push(rangeText(packable.sizes))
      return note(packable.element, aspects)
    case 'class':
      wire.push(`class ${packable.dclass.name}`)
      if (!packable.dclass.name) packable.dclass.members.forEach(member => note(member, aspects))
      return
    case 'switch':
      wire.push(`switch ${packable.cases.map(({ value }) => value).join(';')}`)
      note(packable.key, aspects)
      for (const branch of [...packable.cases, ...(packable.defaultCase ? [packable.defaultCase] : [])]) {
        wire.push('case')
        branch.fields.forEach(each => note(each, aspects))
      }
      return
    case 'parameter':
      aspects.names.push(packable.name)
      aspects.defaults.push(packable.default ? packable.default.join() : '')
      return note(packable.type, aspects)
    case 'atomic':
    case 'molecular':
      aspects.names.push(packable.name)
      wire.push(packable.kind)
      packable.parameters.forEach((each: DCParameter) => note(each, aspects))
  }
}

const aspectsOf = (field: DCField): Record<keyof Aspects, string> => {
  const aspects: Aspects = { wire: [], ranges: [], defaults: [], names: [] }
  note(field, aspects)
  return {
    wire: aspects.wire.join(' '),
    ranges: aspects.ranges.join(' '),
    defaults: aspects.defaults.join(' '),
    names: aspects.names.join(' '),
  }
}

/** Why a field that changed breaks old clients. */
const whyChanged = (before: DCField, after: DCField): string => {
  if (before.kind !== after.kind) return 'it is another kind of field'
  const [old, now] = [aspectsOf(before), aspectsOf(after)]
  if (old.wire !== now.wire) return 'its bytes change: old clients would misread them'
  if (String([...before.keywords].sort()) !== String([...after.keywords].sort()))
    return 'its keywords decide who may send, who receives, and how it travels'
  if (old.ranges !== now.ranges) return 'other values are legal, and the bits that state travels in follow from them'
  if (old.defaults !== now.defaults) return 'new objects are sent as differences from their defaults'
  if (old.names !== now.names) return 'the bytes are the same under other names: values would land in the wrong place'
  return 'the bytes are the same, but the name of a type is part of the structure'
}

/** Panda3D's hash of one field alone, whatever its number. */
const pandaHash = (field: DCField): number => {
  const alone = { ...field, number: 0 } as DCField
  return hashFile({ classes: [{ ...field.owner, parents: [], fields: [alone] } as DCClass] })
}

const ownFields = (dclass: DCClass): readonly DCField[] =>
  dclass.constructorField ? [dclass.constructorField, ...dclass.fields] : dclass.fields

/** Fields by name; those without one by their place. */
const byName = (dclass: DCClass): Map<string, DCField> =>
  new Map(ownFields(dclass).map((field, at) => [field.name || `#${at}`, field]))

/** Names that both have, in an order that is not the same. */
const isReordered = (before: readonly string[], after: readonly string[]): boolean => {
  const inBoth = new Set(before.filter(name => after.includes(name)))
  return String(before.filter(name => inBoth.has(name))) !== String(after.filter(name => inBoth.has(name)))
}

const countBehind = (file: DCFile, field: DCField): number => file.fields.length - 1 - field.number

/** What becomes of the numbers of all fields that are declared later. */
const shift = (count: number): string =>
  count > 0 ? `, and the ${count === 1 ? 'field' : `${count} fields`} declared after it get other numbers` : ''

/**
 * What changed from one version of a schema to another, classes in the order of the newer one, then what breaks nobody. Old clients are
 * those built from `before`: every change of one of the hashes keeps them out, because the server refuses them.
 */
export const diffSchemas = (before: DCFile, after: DCFile): SchemaChange[] => [
  ...diffClasses(before, after),
  ...diffLists('typedef', typedefsOf(before), typedefsOf(after), 'a typedef counts only where it is used'),
  ...diffLists('keyword', keywordsOf(before), keywordsOf(after), 'a keyword counts only where it is used'),
  ...diffLists('import', importsOf(before), importsOf(after), 'imports name Python classes: they are in no hash'),
  ...diffVersion(before, after),
]

const diffVersion = (before: DCFile, after: DCFile): SchemaChange[] =>
  before.version === after.version
    ? []
    : [
        {
          kind: 'version',
          action: after.version === 0 ? 'removed' : before.version === 0 ? 'added' : 'changed',
          name: VERSION_TYPEDEF,
          ...(before.version && { before: String(before.version) }),
          ...(after.version && { after: String(after.version) }),
          breaking: false,
          inPandaHash: false,
          why: 'the version only tells which side is older',
        },
      ]

const named = (file: DCFile) => new Set(file.classes)

const typedefsOf = (file: DCFile): Map<string, string> => {
  const classes = named(file)
  return new Map(
    file.typedefs
      .filter(({ name }) => name !== VERSION_TYPEDEF)
      // As the text of a field, whose name is that of the typedef.
      .map(typedef => [
        typedef.name,
        fieldText({ kind: 'parameter', keywords: [], ...typedef } as unknown as DCField, classes),
      ]),
  )
}

const keywordsOf = ({ keywords }: DCFile): Map<string, string> => new Map(keywords.map(name => [name, name]))

const importText = ({ module, symbols }: DCImport): string =>
  symbols.length > 0 ? `from ${module} import ${symbols.join(', ')}` : `import ${module}`

const importsOf = ({ imports }: DCFile): Map<string, string> =>
  new Map(imports.map(each => [importText(each), importText(each)]))

const diffLists = (
  kind: SchemaChange['kind'],
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  why: string,
): SchemaChange[] =>
  [...new Set([...after.keys(), ...before.keys()])].flatMap((name): SchemaChange[] => {
    const [old, now] = [before.get(name), after.get(name)]
    if (old === now) return []
    const action = old === undefined ? 'added' : now === undefined ? 'removed' : 'changed'
    const texts = { ...(old !== undefined && { before: old }), ...(now !== undefined && { after: now }) }
    return [{ kind, action, name, ...texts, breaking: false, inPandaHash: false, why }]
  })

const diffClasses = (before: DCFile, after: DCFile): SchemaChange[] => {
  const [old, now] = [
    new Map(before.classes.map(each => [each.name, each])),
    new Map(after.classes.map(each => [each.name, each])),
  ]
  const headers = (file: DCFile) => new Map(structureOf(file).classes.map(({ name, header }) => [name, header]))
  const [oldHeaders, nowHeaders] = [headers(before), headers(after)]
  const changes: SchemaChange[] = []
  const base = { kind: 'class', breaking: true, inPandaHash: true } as const
  for (const dclass of after.classes) {
    const { name } = dclass
    const earlier = old.get(name)
    const header = nowHeaders.get(name)!
    if (!earlier) {
      const why = 'old clients do not know the class'
      changes.push({ ...base, action: 'added', name, class: name, after: header, why })
      continue
    }
    if (oldHeaders.get(name) !== header)
      changes.push({
        ...base,
        action: 'changed',
        name,
        class: name,
        before: oldHeaders.get(name)!,
        after: header,
        why: 'it inherits other fields, or is another kind of class',
      })
    changes.push(...diffFields(before, after, earlier, dclass))
  }
  for (const { name } of before.classes)
    if (!now.has(name)) {
      const why = 'old clients may show objects of the class'
      changes.push({ ...base, action: 'removed', name, class: name, before: oldHeaders.get(name)!, why })
    }
  if (isReordered([...old.keys()], [...now.keys()]))
    changes.push({ ...base, action: 'moved', name: 'classes', why: 'classes and fields are numbered in their order' })
  return changes
}

const diffFields = (before: DCFile, after: DCFile, old: DCClass, now: DCClass): SchemaChange[] => {
  const [oldFields, nowFields] = [byName(old), byName(now)]
  const [oldNamed, nowNamed] = [named(before), named(after)]
  const changes: SchemaChange[] = []
  const renamed = new Set<string>()
  const place = (name: string) =>
    ({ kind: 'field', class: now.name, field: name, name: `${now.name}.${name}` }) as const
  for (const [name, field] of nowFields) {
    const text = fieldText(field, nowNamed)
    const earlier = oldFields.get(name)
    const former = earlier ? undefined : formerOf(field, old, now, oldFields, nowFields, [oldNamed, nowNamed])
    if (former) {
      renamed.add(former.name)
      changes.push({
        ...place(name),
        action: 'renamed',
        before: fieldText(former, oldNamed),
        after: text,
        breaking: true,
        inPandaHash: pandaHash(former) !== pandaHash(field),
        why: 'old clients know it by another name',
      })
    } else if (!earlier) {
      const why = `old clients do not know it${shift(countBehind(after, field))}`
      changes.push({ ...place(name), action: 'added', after: text, breaking: true, inPandaHash: true, why })
    } else if (fieldText(earlier, oldNamed) !== text)
      changes.push({
        ...place(name),
        action: 'changed',
        before: fieldText(earlier, oldNamed),
        after: text,
        breaking: true,
        inPandaHash: pandaHash(earlier) !== pandaHash(field),
        why: whyChanged(earlier, field),
      })
  }
  for (const [name, field] of oldFields) {
    if (nowFields.has(name) || renamed.has(name)) continue
    const why = `old clients expect it${shift(countBehind(before, field))}`
    const text = fieldText(field, oldNamed)
    changes.push({ ...place(name), action: 'removed', before: text, breaking: true, inPandaHash: true, why })
  }
  if (isReordered([...oldFields.keys()], [...nowFields.keys()]))
    changes.push({
      kind: 'class',
      action: 'moved',
      name: now.name,
      class: now.name,
      breaking: true,
      inPandaHash: [...oldFields.values()].map(pandaHash).join() !== [...nowFields.values()].map(pandaHash).join(),
      why: 'its fields are in another order, which numbers them and orders the bytes of a struct',
    })
  return changes
}

/** The field that stood in the same place under another name and is gone, but for the name the same. */
const formerOf = (
  field: DCField,
  old: DCClass,
  now: DCClass,
  oldFields: ReadonlyMap<string, DCField>,
  nowFields: ReadonlyMap<string, DCField>,
  [oldNamed, nowNamed]: readonly [ReadonlySet<DCClass>, ReadonlySet<DCClass>],
): DCField | undefined => {
  const former = ownFields(old)[ownFields(now).indexOf(field)]
  if (!former?.name || nowFields.has(former.name) || oldFields.get(former.name) !== former) return undefined
  const anonymous = (each: DCField, names: ReadonlySet<DCClass>) => fieldText({ ...each, name: '' }, names)
  return anonymous(former, oldNamed) === anonymous(field, nowNamed) ? former : undefined
}

/** The changes for people: those that break old clients first. Ends with a line that sums them up. */
export const formatChanges = (changes: readonly SchemaChange[]): string => {
  if (changes.length === 0) return 'The schemas are the same.\n'
  const sections = [
    { title: 'Breaks old clients:', list: changes.filter(({ breaking }) => breaking) },
    { title: 'Breaks nobody:', list: changes.filter(({ breaking }) => !breaking) },
  ]
  const lines = sections.flatMap(({ title, list }) =>
    list.length === 0 ? [] : [title, ...list.flatMap(formatChange), ''],
  )
  const breaking = sections[0]!.list.length
  const total = `${changes.length} ${changes.length === 1 ? 'change' : 'changes'}`
  const hashed = changes.some(({ inPandaHash }) => inPandaHash)
  const note = breaking > 0 && !hashed ? " (Panda3D's hash does not see it)" : ''
  return `${lines.join('\n')}\n${total}, ${breaking === 0 ? 'none of them breaks' : `${breaking} of them ${breaking === 1 ? 'breaks' : 'break'}`} old clients${note}.\n`
}

const formatChange = ({ kind, action, name, before, after, why }: SchemaChange): string[] => {
  const texts = [before, after].filter((text, at, all) => text !== undefined && text !== all[1 - at])
  return [
    `  ${kind} ${name} ${action}${texts.length > 0 && String(texts) !== name ? `: ${texts.join('  ->  ')}` : ''}`,
    `      ${why}`,
  ]
}
