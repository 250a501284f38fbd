import { html, type TemplateResult } from 'lit-html'
import { fieldsOf, objectsOf, type FieldView, type MayWrite, type ObjectView } from '../inspect.ts'
import type { Panel } from './panel.ts'

/** Rows that are shown at once. */
const MOST = 200

const matches = ({ dclass, doId, zone, owner, isOwned, state }: ObjectView, search: string): boolean =>
  search
    .toLowerCase()
    .split(/\s+/)
    .every(word =>
      `${dclass} #${doId} zone:${zone} owner:${owner} ${isOwned ? 'mine' : ''} ${state}`.toLowerCase().includes(word),
    )

/** The objects that this client knows, and the fields of one of them as they change. */
export const objectsView = (panel: Panel): TemplateResult => {
  const all = objectsOf(panel.client)
  const found = all.filter(each => matches(each, panel.search))
  const selected = all.find(({ doId }) => doId === panel.selected)
  return html`
    <section>
      <label class="visually-hidden" for="search">Find objects</label>
      <input
        id="search"
        type="search"
        placeholder="Find: class, #id, zone:3, owner:2, mine"
        autocomplete="off"
        .value=${panel.search}
        @input=${(event: InputEvent) => panel.change({ search: (event.target as HTMLInputElement).value })}
      />
      <div class="objects" role="list" aria-label="Objects">
        ${found.slice(0, MOST).map(object => objectRow(panel, object))}
        ${found.length === 0 ? html`<p class="hint">${all.length === 0 ? 'No objects are here.' : 'None matches.'}</p>` : ''}
      </div>
      ${found.length > MOST ? html`<p class="hint">${found.length - MOST} more: search for fewer.</p>` : ''}
    </section>
    ${selected ? details(selected, fieldsOf(panel.client, selected.doId)) : html`<p class="hint">${hintOf(all.length)}</p>`}
  `
}

const hintOf = (count: number): string => (count > 0 ? 'Choose an object to see its fields.' : '')

const objectRow = (panel: Panel, { doId, dclass, zone, isOwned, state }: ObjectView): TemplateResult =>
  html`<button
    type="button"
    class="object"
    aria-pressed=${panel.selected === doId}
    @click=${() => panel.change({ selected: panel.selected === doId ? 0 : doId })}
  >
    <span class="id">#${doId}</span>
    <b>${dclass}</b>
    ${isOwned ? html`<span class="tag yours">yours</span>` : html`<span class="tag quiet">${state === 'alive' ? '' : state}</span>`}
    <span class="tag">zone ${zone}</span>
  </button>`

const PERMISSIONS: Readonly<Record<MayWrite, readonly [text: string, style: string, title: string]>> = {
  you: ['you write', 'tag yours', 'ownsend: it is yours, so this client may write or send it'],
  any: ['any writes', 'tag alive', 'clsend: any client that sees the object may write or send it'],
  owner: ['owner writes', 'tag quiet', 'ownsend: only its owner may write or send it'],
  server: ['', 'tag quiet', 'Only the server may write or send it'],
}

const details = (
  { doId, eid, dclass, zone, owner, isOwned, state }: ObjectView,
  fields: readonly FieldView[],
): TemplateResult =>
  html`<section class="fields">
    <h3>
      ${dclass} #${doId} <span class=${state === 'alive' ? 'tag alive' : 'tag'}>${state}</span>
      <small
        >entity ${eid} · zone ${zone} · ${isOwned ? 'yours' : owner === 0 ? "the server's" : `client ${owner}'s`}</small
      >
    </h3>
    ${fields.map(({ name, kind, declaration, mayWrite, isSeen, value }) => {
      const [text, style, title] = PERMISSIONS[mayWrite]
      const shown = kind === 'message' ? '(message)' : isSeen ? value : 'not sent to this client'
      return html`<div class=${`fieldview${kind === 'message' || !isSeen ? ' unseen' : ''}`} data-field=${name}>
        <span class="name" title=${declaration}>${name}</span>
        <span class="value" title=${declaration}>${shown}</span>
        <span class=${style} title=${title}>${text}</span>
      </div>`
    })}
  </section>`
