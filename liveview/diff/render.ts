import { escapeHtml } from '../template/escape.ts'
import { Each, Rendered, type SafeHtml, type Settled } from '../template/rendered.ts'

/**
 * Writes a render as one HTML string: the first response to a browser.
 *
 * Equals what the client shows after merging the render's diff, except for the attributes that the
 * client adds to mark elements.
 *
 * @example
 * toHtml(html`<b>${'<'}</b>`) // '<b>&lt;</b>'
 */
export function toHtml(rendered: Rendered): string {
  return fill(rendered.template.statics, rendered.values)
}

function fill(statics: readonly string[], values: readonly Settled[]): string {
  let out = statics[0] as string
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as Settled
    if (value instanceof Rendered) out += fill(value.template.statics, value.values)
    else if (value instanceof Each) {
      for (const row of value.rows) out += fill(value.template.statics, row)
    } else out += leafText(value)
    out += statics[i + 1]
  }
  return out
}

/** The escaped text of a value that is not a tree. */
export function leafText(value: string | number | bigint | SafeHtml): string {
  if (typeof value === 'string') return escapeHtml(value)
  return typeof value === 'object' ? value.html : String(value)
}
