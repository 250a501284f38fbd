import { infosOf, type Schema } from '../components/index.ts'
import { columnKind, hasReferences, type DCClass, type DCParameterField } from '../dc/index.ts'
import { audienceOf, layoutsOf } from '../net/layout.ts'
import type { ClientClass } from './client-state.ts'
import type { Links } from './links.ts'
import { bindLayout, hasKeyword, wordsWith, type Binding } from './rows.ts'
import { planTrack } from './track.ts'
import { planUpload } from './upload.ts'

const mask = (length: number, indexes: readonly number[]): Uint8Array => {
  const flags = new Uint8Array(length)
  for (const index of indexes) flags[index] = 1
  return flags
}

/** Prepares every dclass of a schema for a client: its columns, what is smoothed, what the owner writes. */
export const prepareClasses = (schema: Schema<any>, links: Links): Map<DCClass, ClientClass> =>
  new Map(
    infosOf(schema).map(info => {
      const layouts = layoutsOf(info.dclass)
      const interested = bindLayout(layouts.interested, info, links)
      const owner = layouts.owner && bindLayout(layouts.owner, info, links)
      const track = planTrack(interested)
      const isOwnerWritten = new Map<Binding, Uint8Array>()
      for (const binding of owner ? [interested, owner] : [interested])
        isOwnerWritten.set(binding, mask(binding.layout.words.length, wordsWith(binding.layout, 'ownsend')))
      const ownerValues = [...info.columns.keys()].filter(
        (field: DCParameterField) =>
          hasKeyword(field, 'ownsend') && (columnKind(field.type).kind === 'value' || !audienceOf(field)),
      )
      const clientClass: ClientClass = {
        info,
        interested,
        owner,
        track,
        upload: planUpload(layouts),
        isOwnerWritten,
        isInterpolated: mask(interested.layout.words.length, track?.words ?? []),
        ownerValues,
        referenceValues: [interested, owner].flatMap(binding => binding?.layout.values.filter(hasReferences) ?? []),
      }
      return [info.dclass, clientClass]
    }),
  )
