/**
 * The data model of a render: what `html` and `each` make and the diff engine reads.
 *
 * A render is a tree of immutable nodes. Each node points at its template (one per literal in the
 * source) and holds the values of that template's holes. The classes are real classes on purpose:
 * data that came in as JSON can never pass for a node or for markup.
 */
import { BeamishError } from '../../runtime/index.ts'

/** The first dynamic part of a URL attribute, with the static text on both sides of it. */
export interface UrlHole {
  before: string
  after: string
}

/** Where a hole stands: `text` takes markup, `plain` (attribute value, textarea, title) does not. */
export type Hole = 'text' | 'plain' | 'attr' | UrlHole

/** A checked template literal. One object per literal, so templates compare by identity. */
export interface Template {
  /** n + 1 strings around n holes. */
  readonly statics: readonly string[]
  readonly holes: readonly Hole[]
  /** True if every hole is a `text` hole, which spares the checks of the other kinds. */
  readonly textOnly: boolean
  /** True if the template is exactly one tag, whitespace and plain comments around it aside. */
  readonly root: boolean
}

/** A value as it lies in a render: checked, with null, undefined and booleans already turned to text. */
export type Settled = string | number | bigint | Rendered | Each | SafeHtml

/** What a hole accepts. Arrays go through `each`. */
export type Value = Settled | boolean | null | undefined

/** One rendered template: the result of `html`. */
export class Rendered {
  readonly template: Template
  readonly values: readonly Settled[]

  constructor(template: Template, values: readonly Settled[]) {
    this.template = template
    this.values = values
  }
}

/** One rendered list: the result of `each`. All rows share one template. */
export class Each {
  readonly template: Template
  /** One per row; compared with SameValueZero, may repeat unless `explicit`. */
  readonly keys: readonly unknown[]
  /** The hole values of every row. */
  readonly rows: readonly (readonly Settled[])[]
  /** True if the keys came from a `key` function and therefore are identities. */
  readonly explicit: boolean

  constructor(
    template: Template,
    keys: readonly unknown[],
    rows: readonly (readonly Settled[])[],
    explicit: boolean,
  ) {
    this.template = template
    this.keys = keys
    this.rows = rows
    this.explicit = explicit
  }
}

/** Markup that is written as it is. Made by `unsafeHtml`. */
export class SafeHtml {
  readonly html: string

  constructor(html: string) {
    this.html = html
  }
}

/** A whole attribute, name and escaped value. Made by `attr`, legal only between attributes. */
export class Attr extends SafeHtml {}

/**
 * A template or a value in it that cannot be rendered. The message holds an excerpt and the fix.
 *
 * @example
 * ```ts
 * import { html, TemplateError } from 'beamish/liveview'
 * try {
 *   html`<p>${['a', 'b'] as never}</p>`
 * } catch (error) {
 *   console.assert(error instanceof TemplateError)
 * }
 * ```
 */
export class TemplateError extends BeamishError {
  constructor(message: string) {
    super('LVW_TEMPLATE', { message })
    this.name = 'TemplateError'
  }
}

/** The surroundings of a hole, for error messages. Hole numbers start at 1, as people count. */
export function excerpt(statics: readonly string[], hole: number): string {
  const before = (statics[hole] ?? '').slice(-48)
  const after = (statics[hole + 1] ?? '').slice(0, 32)
  return `\${${hole + 1}} in: ${`${before}\${${hole + 1}}${after}`.replace(/\s+/g, ' ').trim()}`
}
