import { Each, Rendered, type SafeHtml, type Settled } from '../template/rendered.ts'
import { matchRows } from './keyed.ts'
import { Message } from './message.ts'
import { leafText } from './render.ts'
import type { DiffNode, DiffRow, DiffRows, DiffValue } from './wire.ts'

/**
 * What a view remembers of its last render. Opaque, immutable, valid in its own thread only.
 *
 * It is the last render itself: rows and texts are shared with the view's data, nothing is copied.
 */
export type Prints = Rendered

export interface DiffResult {
  /** What to send, or undefined if nothing changed. Plain JSON data. */
  diff: DiffNode | undefined
  /** What to pass as `previous` next time. */
  prints: Prints
}

/**
 * Compares a render with the one before and returns what the client needs to follow.
 *
 * Without `previous`, and when the outermost template changed, the diff is the whole tree. Nothing
 * is kept or changed in the arguments, so a diff that was not sent can be made again from the same
 * `previous`.
 *
 * @example
 * const first = diff(undefined, render({ count: 1 })) // { 0: '1', s: ['<p>', '</p>'] }
 * const second = diff(first.prints, render({ count: 2 })) // { 0: '2' }
 */
export function diff(previous: Prints | undefined, rendered: Rendered): DiffResult {
  const message = new Message()
  const changes =
    previous === undefined || previous.template !== rendered.template
      ? wholeNode(rendered, message, false)
      : changedParts(previous.values, rendered.values, message)
  if (changes !== undefined) message.close(changes)
  return { diff: changes, prints: rendered }
}

/** The parts that differ between two value lists of one template. */
function changedParts(
  before: readonly Settled[],
  after: readonly Settled[],
  message: Message,
): DiffRow | undefined {
  if (before === after) return undefined
  let changes: DiffRow | undefined
  for (let i = 0; i < after.length; i++) {
    const old = before[i] as Settled
    const value = after[i] as Settled
    if (old === value) continue
    const change = changedPart(old, value, message)
    if (change === undefined) continue
    changes ??= {}
    changes[i] = change
  }
  return changes
}

function changedPart(old: Settled, value: Settled, message: Message): DiffValue | undefined {
  if (value instanceof Rendered) {
    return old instanceof Rendered && old.template === value.template
      ? changedParts(old.values, value.values, message)
      : wholeNode(value, message, true)
  }
  if (value instanceof Each && value.rows.length > 0) {
    // An emptied list was sent as '', which made the client forget its template.
    return old instanceof Each && old.rows.length > 0 && old.template === value.template
      ? changedRows(old, value, message)
      : wholeList(value, message)
  }
  if (typeof value === 'string' && typeof old === 'string') return leafText(value)
  const text = flatText(value)
  return isFlat(old) && flatText(old) === text ? undefined : text
}

type Flat = Exclude<Settled, Rendered>

function isFlat(value: Settled): value is Flat {
  if (value instanceof Rendered) return false
  return !(value instanceof Each) || value.rows.length === 0
}

function flatText(value: Flat): string {
  return value instanceof Each ? '' : leafText(value as Exclude<Flat, Each> | SafeHtml)
}

function changedRows(old: Each, next: Each, message: Message): DiffNode | undefined {
  const oldRows = old.rows
  const rows = next.rows
  const sources = matchRows(old, next)
  let changes: DiffRows | undefined
  let moved = false
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as readonly Settled[]
    const from = sources === undefined ? (i < oldRows.length ? i : -1) : (sources[i] as number)
    if (from === -1) {
      changes ??= { kc: rows.length }
      changes[i] = wholeRow(row, message)
      continue
    }
    const change = changedParts(oldRows[from] as readonly Settled[], row, message)
    if (from === i && change === undefined) continue
    changes ??= { kc: rows.length }
    if (from === i) changes[i] = change as DiffRow
    else {
      changes[i] = change === undefined ? from : [from, change]
      moved = true
    }
  }
  if (changes === undefined) {
    return rows.length === oldRows.length ? undefined : { k: { kc: rows.length } }
  }
  if (moved) changes.km = true
  return { k: changes }
}

function wholeNode(rendered: Rendered, message: Message, nested: boolean): DiffNode {
  const node: DiffNode = wholeRow(rendered.values, message)
  message.setStatics(node, rendered.template)
  if (nested && rendered.template.root) node.r = 1
  return node
}

function wholeList(list: Each, message: Message): DiffNode {
  const rows: DiffRows = { kc: list.rows.length }
  for (let i = 0; i < list.rows.length; i++) {
    rows[i] = wholeRow(list.rows[i] as readonly Settled[], message)
  }
  const node: DiffNode = { k: rows }
  message.setStatics(node, list.template)
  return node
}

function wholeRow(values: readonly Settled[], message: Message): DiffRow {
  const row: DiffRow = {}
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as Settled
    if (value instanceof Rendered) row[i] = wholeNode(value, message, true)
    else if (value instanceof Each && value.rows.length > 0) row[i] = wholeList(value, message)
    else row[i] = flatText(value as Flat)
  }
  return row
}
