/**
 * The JSON of a render as the browser client reads it (phoenix_live_view 1.1 and later).
 *
 * A dynamic part is never a number: the client takes a number for a component's id.
 */

/** Static parts, or the index of static parts sent once in the message's `p`. */
export type Statics = readonly string[] | number

/** A dynamic part: escaped text or a node. */
export type DiffValue = string | DiffNode

/** Dynamic parts by position. Whole in a new row, otherwise only those that changed. */
export interface DiffRow {
  [position: number]: DiffValue
}

/** A node: with `s` it replaces what the client has, without `s` it merges into it. */
export interface DiffNode extends DiffRow {
  /** Static parts. */
  s?: Statics
  /** The node is exactly one tag. Never set at the top, where `r` is an event's reply. */
  r?: 1
  /** The rows of a list. */
  k?: DiffRows
  /** Static parts shared within this message, only at the top. */
  p?: Record<number, readonly string[]>
}

/** A row's change: its parts, the index it moved from, or that index and its parts. */
export type DiffRowChange = DiffRow | number | [from: number, row: DiffRow]

/** Rows by new index; a row that is absent did not change. */
export interface DiffRows {
  [index: number]: DiffRowChange
  /** The number of rows. */
  kc: number
  /** Set if any row moved: the client then keeps a copy of the old rows to move from. */
  km?: true
}
