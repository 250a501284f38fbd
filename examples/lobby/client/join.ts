import { LOOKS } from '../garden.ts'
import { LOOK_NAMES, portrait } from './critters.ts'
import { byId } from './hud.ts'

export interface Guest {
  name: string
  look: number
  password: string
}

/** What happened, in the player's words, for each reason a server refuses with. */
const REFUSALS: Record<string, string> = {
  full: 'The garden is full right now. Somebody has to leave before you can come in.',
  password: 'That is not the password of this garden.',
  schema: 'This page is older or newer than the server, so they would misunderstand each other. Reload the page.',
  version: 'This page and the server speak different versions. Reload the page.',
  'signed-in': 'You are already in the garden, in another tab or window.',
  unreachable: 'There is no garden server at this address. Is it running, and can you reach its port?',
  timeout: 'The garden server did not answer in time. Try again.',
}

export function refusal(error: unknown): { reason: string; text: string } {
  const reason = (error as { reason?: string }).reason ?? 'unknown'
  const message = error instanceof Error ? error.message : String(error)
  return { reason, text: REFUSALS[reason] ?? `The garden cannot be entered: ${message}` }
}

/** The card at the gate: name, animal, password. */
export function createGate(onJoin: (guest: Guest) => void) {
  const card = byId('gate')
  const form = byId<HTMLFormElement>('gate-form')
  const name = byId<HTMLInputElement>('name')
  const looks = byId('looks')
  const button = byId<HTMLButtonElement>('enter')
  const locked = byId<HTMLButtonElement>('locked')
  const passwordRow = byId('password-row')
  const password = byId<HTMLInputElement>('password')
  const problem = byId('problem')

  for (let look = 0; look < LOOKS; look++) {
    const choice = document.createElement('label')
    const radio = document.createElement('input')
    radio.type = 'radio'
    radio.name = 'look'
    radio.value = String(look)
    const picture = portrait(look)
    picture.setAttribute('aria-hidden', 'true')
    const label = document.createElement('span')
    label.className = 'unseen'
    label.textContent = LOOK_NAMES[look]!
    choice.append(radio, picture, label)
    choice.title = LOOK_NAMES[look]!
    looks.append(choice)
  }

  function askPassword(): void {
    passwordRow.hidden = false
    locked.hidden = true
  }
  locked.addEventListener('click', () => {
    askPassword()
    password.focus()
  })

  form.addEventListener('submit', event => {
    event.preventDefault()
    onJoin(guest())
  })

  const guest = (): Guest => ({
    name: name.value.trim() || 'Guest',
    look: Number(new FormData(form).get('look') ?? 0),
    password: password.value,
  })

  function fill(values: Guest): void {
    name.value = values.name
    password.value = values.password
    if (values.password) askPassword()
    const radio = looks.querySelector<HTMLInputElement>(`input[value='${values.look}']`)
    if (radio) radio.checked = true
  }

  function busy(isBusy: boolean): void {
    button.disabled = isBusy
    button.textContent = isBusy ? 'Lighting your lantern…' : 'Enter the garden'
    if (isBusy) problem.hidden = true
  }

  function refuse(error: unknown): void {
    const { reason, text } = refusal(error)
    problem.textContent = text
    problem.dataset.reason = reason
    problem.hidden = false
    if (reason !== 'password') return
    askPassword()
    password.select()
  }

  function show(isShown: boolean): void {
    card.hidden = !isShown
    if (isShown && matchMedia('(pointer: fine)').matches) name.focus()
  }

  return { fill, guest, busy, refuse, show }
}
