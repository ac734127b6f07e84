/** What a log may show of what a client sent (Phoenix `filter_parameters`). */

/** Parameters whose name holds one of these words are shown as [FILTERED]. */
const SECRET = /password|token|secret/i
/** Deeper than this, and of more entries than that, nothing is shown. */
const MAX_DEPTH = 5
const MAX_ENTRIES = 50

/** The payload with its secrets left out, as small as a line can bear. */
export function filtered(payload: unknown, depth = 0): unknown {
  if (payload instanceof Uint8Array) return `${payload.length} bytes`
  if (typeof payload !== 'object' || payload === null) return payload
  if (depth === MAX_DEPTH) return '…'
  const entries = Object.entries(payload).slice(0, MAX_ENTRIES)
  const shown = entries.map(([name, value]): [string, unknown] => [
    name,
    SECRET.test(name) && !Array.isArray(payload) ? '[FILTERED]' : filtered(value, depth + 1),
  ])
  return Array.isArray(payload)
    ? shown.map(([, value]) => value)
    : Object.assign(Object.create(null), Object.fromEntries(shown))
}
