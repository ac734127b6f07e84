import { escapeHtml } from './escape.ts'
import { Attr, TemplateError } from './rendered.ts'

const URL_ATTRIBUTES = new Set(['href', 'src', 'action', 'formaction', 'xlink:href', 'data'])

const BOOLEAN_ATTRIBUTES = new Set(
  (
    'allowfullscreen async autofocus autoplay checked controls default defer disabled formnovalidate ' +
    'hidden inert ismap itemscope loop multiple muted nomodule novalidate open playsinline readonly ' +
    'required reversed selected'
  ).split(' '),
)

// XML types are here beside HTML because a browser runs scripts in each of them.
const DANGEROUS = [
  'javascript:',
  'vbscript:',
  'data:text/html',
  'data:text/xml',
  'data:application/xml',
  'data:application/xhtml+xml',
]

const BLOCKED_URL = 'about:blank#blocked'
const ATTRIBUTE_NAME = /^[a-zA-Z_][\w:.-]*$/

/** What an attribute's name means for the values it may take. */
export type AttributeKind = 'plain' | 'url' | 'boolean' | 'forbidden'

/** Classifies a lower-case attribute name. `forbidden` values would run as script or as a document. */
export function attributeKind(name: string): AttributeKind {
  if (name.startsWith('on') || name === 'srcdoc') return 'forbidden'
  if (URL_ATTRIBUTES.has(name)) return 'url'
  return BOOLEAN_ATTRIBUTES.has(name) ? 'boolean' : 'plain'
}

/**
 * Writes a whole attribute, or none, in a template's attribute position.
 *
 * `true` gives a bare attribute, `false`, `null` and `undefined` give nothing, any other value gives
 * `name="value"`, escaped. URL attributes are guarded as in a template. ARIA states are words, not
 * boolean attributes: pass `String(expanded)`.
 *
 * @throws TemplateError if the name is not an attribute name, an event handler or `srcdoc`.
 * @example
 * ```ts
 * import { attr, html } from 'beamish/liveview'
 * const sending = true
 * html`<button ${attr('disabled', sending)}>Send</button>`
 * ```
 */
export function attr(
  name: string,
  value: string | number | bigint | boolean | null | undefined,
): Attr {
  if (!ATTRIBUTE_NAME.test(name)) {
    throw new TemplateError(`attr: ${JSON.stringify(name)} is not an attribute name`)
  }
  const kind = attributeKind(name.toLowerCase())
  if (kind === 'forbidden') {
    throw new TemplateError(
      `attr: "${name}" would run its value as code; use a phx-* attribute or static markup`,
    )
  }
  if (value === false || value === null || value === undefined) return NOTHING
  if (value === true) return new Attr(`${name}=""`)
  const type = typeof value
  if (type !== 'string' && type !== 'number' && type !== 'bigint') {
    throw new TemplateError(`attr: the value of "${name}" is of type ${type}; pass a string`)
  }
  const text = String(value)
  return new Attr(`${name}="${escapeHtml(kind === 'url' ? guardUrl(text, '', '') : text)}"`)
}

const NOTHING = new Attr('')

/**
 * Returns the value, or a harmless address if it gives a URL a scheme that runs as script.
 *
 * `before` and `after` are the static text around it, since `${scheme}:${rest}` is no safer.
 */
export function guardUrl(value: string, before: string, after: string): string {
  const url = before + value + after
  if (!url.includes(':')) return value
  return hasDangerousScheme(schemeText(url)) ? BLOCKED_URL : value
}

/** True if the static start of a URL already is a scheme that runs as script. */
export function hasDangerousScheme(start: string): boolean {
  return DANGEROUS.some((scheme) => start.startsWith(scheme))
}

/** True if text after this start could still turn it into a dangerous scheme. */
export function mayBecomeDangerous(start: string): boolean {
  return DANGEROUS.some((scheme) => scheme.startsWith(start))
}

/** The start of a URL as a browser reads its scheme: no controls, no spaces, lower case. */
export function schemeText(url: string): string {
  // Browsers drop leading controls and spaces, and tabs and newlines anywhere. Dropping all of them
  // everywhere can only block more.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must go
  return url.replace(/[\u0000-\u0020\u007f-\u00a0]+/g, '').toLowerCase()
}
