import type { Client } from 'bitecs-pipes/client'
import type { Devtools } from 'bitecs-pipes/devtools'

/** The library's own tools over the page: loaded when somebody asks for them. */
export function createTools(clientNow: () => Client | undefined) {
  let tools: Devtools | undefined
  let watched: Client | undefined
  let isLoading = false

  /** Opens them, or closes them again. */
  async function toggle(): Promise<void> {
    const client = clientNow()
    if (!client || isLoading) return
    if (tools && watched === client) {
      tools.isOpen = !tools.isOpen
      return
    }
    isLoading = true
    try {
      const { showDevtools } = await import('bitecs-pipes/devtools')
      tools?.remove()
      watched = client
      tools = showDevtools(client, { corner: 'bottom-right', hasButton: false })
    } finally {
      isLoading = false
    }
  }

  /** Takes them down with the visit. */
  function close(): void {
    tools?.remove()
    tools = undefined
    watched = undefined
  }

  return { toggle, close }
}
