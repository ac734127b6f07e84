/** The diff engine: what a client must be told to show a render. */

/** Compares a render with the one before. */
export { type DiffResult, diff, type Prints } from './diff.ts'
/** Writes a render as one HTML string. */
export { toHtml } from './render.ts'
/** The JSON that the client merges. */
export type { DiffNode, DiffRow, DiffRowChange, DiffRows, DiffValue, Statics } from './wire.ts'
