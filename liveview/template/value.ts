import { guardUrl } from './attribute.ts'
import type { Template } from './rendered.ts'
import { Attr, Each, excerpt, Rendered, SafeHtml, type Settled, TemplateError } from './rendered.ts'

/**
 * Checks the value of one hole and turns it into what a render keeps.
 *
 * Numbers stay numbers here, so that an unchanged one compares without becoming a string first.
 *
 * @throws TemplateError naming the hole, its surroundings and the fix.
 */
export function settle(template: Template, index: number, value: unknown): Settled {
  const hole = template.holes[index] as Template['holes'][number]
  if (hole === 'attr') {
    if (value instanceof Attr) return value
    if (value === null || value === undefined || value === false) return ''
    return fail(template, index, `stands between attributes; write \${attr(name, value)} there`)
  }
  switch (typeof value) {
    case 'string':
      return typeof hole === 'object' ? guardUrl(value, hole.before, hole.after) : value
    case 'number':
    case 'bigint':
      return value
    case 'boolean':
      return value ? 'true' : ''
    case 'undefined':
      return ''
    case 'object':
      return value === null ? '' : settleObject(template, index, value)
    case 'function':
      return fail(template, index, 'is a function; call it, or name an event in a phx-* attribute')
    default:
      return fail(template, index, 'is a symbol; pass its description')
  }
}

function settleObject(template: Template, index: number, value: object): Settled {
  if (value instanceof Attr) {
    return fail(template, index, 'holds attr(…), which belongs between attributes of a tag')
  }
  if (value instanceof Rendered || value instanceof Each || value instanceof SafeHtml) {
    if (template.holes[index] === 'text') return value
    return fail(template, index, 'holds markup where only text can stand; pass a string')
  }
  if (Array.isArray(value)) {
    return fail(template, index, `is an array; write \${each(items, (item) => html\`…\`)}`)
  }
  const kind = value.constructor?.name ?? 'Object'
  return fail(
    template,
    index,
    `is an object (${kind}); pass the field or the text that should show`,
  )
}

function fail(template: Template, index: number, problem: string): never {
  throw new TemplateError(`html: a value ${problem}\n  ${excerpt(template.statics, index)}`)
}
