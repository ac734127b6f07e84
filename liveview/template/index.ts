/** Templates: tagged literals that render to text safely and know what changed. */

/** Writes a whole attribute or none. */
export { attr } from './attribute.ts'
/** Renders a list, row by row, matched by key. */
export { type EachOptions, each, type Key } from './each.ts'
/** Marks a trusted string as markup. */
export { unsafeHtml } from './escape.ts'
/** Renders a template literal. */
export { html } from './html.ts'
/** The result types of the functions above, what a hole accepts, and what they throw. */
export {
  type Attr,
  type Each,
  type Rendered,
  type SafeHtml,
  TemplateError,
  type Value,
} from './rendered.ts'
