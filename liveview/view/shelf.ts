/**
 * A render as plain data and back, so that a view that hibernates can be serialized with its assigns, in one graph: rows are
 * matched by the items they were made from. Templates are constants of the code: they stay, and are named by number.
 */
import {
  Attr,
  Each,
  Rendered,
  SafeHtml,
  type Settled,
  type Template,
} from '../template/rendered.ts'

/** A node of a render; text and numbers stand for themselves. */
type Shelved =
  | string
  | number
  | bigint
  | readonly ['html', template: number, values: readonly Shelved[]]
  | readonly [
      'each',
      template: number,
      keys: readonly unknown[],
      rows: readonly (readonly Shelved[])[],
      explicit: boolean,
    ]
  | readonly ['safe' | 'attr', html: string]

/** A render at rest. */
export interface Shelf {
  readonly root: Shelved
  /** Template of each number; kept beside the data. */
  readonly templates: readonly Template[]
}

export function shelve(rendered: Rendered): Shelf {
  const numbers = new Map<Template, number>()
  const numberOf = (template: Template): number => {
    const known = numbers.get(template) ?? numbers.size
    numbers.set(template, known)
    return known
  }
  const put = (value: Settled): Shelved => {
    if (typeof value !== 'object') return value
    if (value instanceof Rendered) return ['html', numberOf(value.template), value.values.map(put)]
    if (value instanceof Each) {
      const rows = value.rows.map((row) => row.map(put))
      return ['each', numberOf(value.template), value.keys, rows, value.explicit]
    }
    return [value instanceof Attr ? 'attr' : 'safe', value.html]
  }
  return { root: put(rendered), templates: [...numbers.keys()] }
}

export function unshelve({ root, templates }: Shelf): Rendered {
  const take = (value: Shelved): Settled => {
    if (typeof value !== 'object') return value
    switch (value[0]) {
      case 'html':
        return new Rendered(templates[value[1]] as Template, value[2].map(take))
      case 'each': {
        const [, template, keys, rows, explicit] = value
        const taken = rows.map((row) => row.map(take))
        return new Each(templates[template] as Template, keys, taken, explicit)
      }
      case 'attr':
        return new Attr(value[1])
      default:
        return new SafeHtml(value[1])
    }
  }
  return take(root) as Rendered
}
