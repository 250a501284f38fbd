const encoder = new TextEncoder()

/**
 * What of an untrusted value fits a `string(0-bytes)` field: text cut to so many UTF-8 bytes between characters, and
 * nothing of what is no text.
 */
export const fitText = (value: unknown, bytes: number): string => {
  if (typeof value !== 'string') return ''
  let size = 0
  let fitting = ''
  for (const character of value) {
    size += encoder.encode(character).length
    if (size > bytes) break
    fitting += character
  }
  return fitting
}
