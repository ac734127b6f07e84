import { parseTemplate } from './parse.ts'
import { Rendered, type Settled, type Template, type Value } from './rendered.ts'
import { settle } from './value.ts'

const templates = new WeakMap<TemplateStringsArray, Template>()

// A list renders one literal many times in a row: remembering the last one spares the WeakMap.
let lastStrings: TemplateStringsArray | undefined
let lastTemplate: Template | undefined

/**
 * Renders a template literal into a tree that can be sent whole or as a difference.
 *
 * Holes may stand in text, in quoted attribute values, and between attributes for `attr`. Text is
 * escaped. `null`, `undefined` and `false` show nothing, `true` shows `true`. The literal itself is
 * checked once, at its first use; values are checked at every call, so that an error's stack points
 * at the template.
 *
 * @throws TemplateError if the markup is malformed, if a hole stands where no value is safe, or if a
 *   value is an array, a function, a symbol or a plain object.
 * @example
 * ```ts
 * import { html } from 'beamish/liveview'
 * const [kind, name, text] = ['own', 'Ada', '<script>']
 * html`<li class="${kind}"><b>${name}</b> ${text}</li>`
 * ```
 */
export function html(strings: TemplateStringsArray, ...values: Value[]): Rendered {
  const template = strings === lastStrings ? (lastTemplate as Template) : templateOf(strings)
  const textOnly = template.textOnly
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    const type = typeof value
    if (textOnly && (type === 'string' || type === 'number')) continue
    values[i] = settle(template, i, value)
  }
  return new Rendered(template, values as Settled[])
}

function templateOf(strings: TemplateStringsArray): Template {
  let template = templates.get(strings)
  if (template === undefined) {
    template = parseTemplate(strings)
    templates.set(strings, template)
  }
  lastStrings = strings
  lastTemplate = template
  return template
}
