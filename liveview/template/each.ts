import {
  Each,
  Rendered,
  type Settled,
  type Template,
  TemplateError,
  type Value,
} from './rendered.ts'
import { settle } from './value.ts'

/** What identifies a row across renders. */
export type Key = string | number | bigint

export interface EachOptions<Item> {
  /** Names a row, unique within the list. Default: the item itself (objects by identity). */
  key?: (item: Item, index: number) => Key
}

// Rows of different templates cannot share statics, so each of them becomes the one hole of this.
const WRAPPER: Template = { statics: ['', ''], holes: ['text'], textOnly: true, root: false }

/**
 * Renders a list so that later renders send only rows that are new, changed or moved.
 *
 * Rows are matched by key. Without a `key` function an item is its own key: objects by identity,
 * other values by value, and of repeats each stands for one row; a row whose item was replaced by another
 * object is then compared with the row that stood at its place. With a `key` function a new key is
 * a new row, sent whole.
 *
 * Rows made by one literal share its static parts. If rows come from different literals, each is
 * sent as a node of its own inside a wrapper, and a list that changes from the one kind to the other
 * is sent whole once: where both kinds alternate, put the choice inside one literal instead.
 *
 * @throws TemplateError if a `key` function returns a key twice, naming it, or if a row is not a
 *   value that `html` accepts.
 * @example
 * ```ts
 * import { each, html } from 'beamish/liveview'
 * const messages = [{ id: 1, text: 'hi' }]
 * html`<ul>${each(messages, (m) => html`<li>${m.text}</li>`, { key: (m) => m.id })}</ul>`
 * ```
 */
export function each<Item>(
  items: Iterable<Item>,
  render: (item: Item, index: number) => Value,
  options?: EachOptions<Item>,
): Each {
  const key = options?.key
  const keys: unknown[] = []
  const rendered: Value[] = []
  let template: Template | undefined
  let shared = true
  let index = 0
  for (const item of items) {
    const row = render(item, index)
    keys.push(key === undefined ? item : key(item, index))
    rendered.push(row)
    if (row instanceof Rendered) {
      if (template === undefined) template = row.template
      else if (template !== row.template) shared = false
    } else shared = false
    index++
  }
  if (key !== undefined) refuseRepeats(keys)
  if (shared && template !== undefined) {
    const rows = rendered.map((row) => (row as Rendered).values)
    return new Each(template, keys, rows, key !== undefined)
  }
  const rows: Settled[][] = rendered.map((row) => [settle(WRAPPER, 0, row)])
  return new Each(WRAPPER, keys, rows, key !== undefined)
}

function refuseRepeats(keys: readonly unknown[]): void {
  if (new Set(keys).size === keys.length) return
  const seen = new Set<unknown>()
  for (const key of keys) {
    if (seen.has(key)) {
      const shown = typeof key === 'string' ? JSON.stringify(key) : String(key)
      throw new TemplateError(
        `each: key ${shown} names two rows; return a unique key, or leave \`key\` out to match by item`,
      )
    }
    seen.add(key)
  }
}
