import { SafeHtml } from './rendered.ts'

const SPECIAL = /[&<>"']/

/**
 * Escapes text for use in HTML, in text and in quoted attribute values alike.
 *
 * Replaces `&`, `<`, `>`, `"` and `'`. Text without them is returned as it is, without a copy.
 *
 * @example
 * escapeHtml('a < b') // 'a &lt; b'
 */
export function escapeHtml(text: string): string {
  const first = text.search(SPECIAL)
  if (first === -1) return text
  let out = ''
  let from = 0
  for (let at = first; at < text.length; at++) {
    const entity = entityOf(text.charCodeAt(at))
    if (entity === '') continue
    out += text.slice(from, at) + entity
    from = at + 1
  }
  return out + text.slice(from)
}

function entityOf(code: number): string {
  switch (code) {
    case 38:
      return '&amp;'
    case 60:
      return '&lt;'
    case 62:
      return '&gt;'
    case 34:
      return '&quot;'
    case 39:
      return '&#39;'
    default:
      return ''
  }
}

/**
 * Marks a string as markup that is written without escaping.
 *
 * Whoever calls it vouches for the string: it must not hold text that a user could choose. It is
 * accepted in text only, not in attribute values.
 *
 * @throws TypeError if the argument is not a string.
 * @example
 * ```ts
 * import { html, unsafeHtml } from 'beamish/liveview'
 * const trusted = '<em>written by us</em>'
 * html`<article>${unsafeHtml(trusted)}</article>`
 * ```
 */
export function unsafeHtml(markup: string): SafeHtml {
  if (typeof markup !== 'string') {
    throw new TypeError(`unsafeHtml takes a string, not ${typeof markup}; convert the value first`)
  }
  return new SafeHtml(markup)
}
