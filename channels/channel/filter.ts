/** What a log may show of what a client sent and of what a channel keeps (Phoenix `filter_parameters`). */
import { safeText } from '../../runtime/exit/reason.ts'
import { BeamishError } from '../../runtime/index.ts'

/** Names of parameters that are not shown. */
export type ParameterFilter = RegExp

const NONE: ParameterFilter = /(?!)/

const SECRETS = ['password', 'token', 'secret']

/**
 * Parameters whose name holds one of these words, in small letters or capitals, are shown as [FILTERED].
 * @throws BEAMISH_BAD_OPTION
 */
export function parameterFilter(owner: string, words: readonly string[]): ParameterFilter {
  const fine = Array.isArray(words) && words.every((word) => typeof word === 'string' && word)
  if (!fine) {
    throw new BeamishError('BEAMISH_BAD_OPTION', {
      option: `filterParameters of ${owner}`,
      got: String(words),
      fix: "give words that names of secret parameters hold, as ['password', 'token']; [] hides none",
    })
  }
  if (words.length === 0) return NONE
  return new RegExp(words.map((word) => word.replace(/[^\w]/g, '\\$&')).join('|'), 'i')
}

export const DEFAULT_FILTER: ParameterFilter = parameterFilter('all', SECRETS)

/** How much of a value is shown. */
interface Bounds {
  readonly depth: number
  /** Of one object or array. */
  readonly entries: number
  /** Characters of one text. */
  readonly text: number
  /** Characters of it all, names included, about. */
  readonly total: number
}

/** One client must not fill the log. */
const LINE: Bounds = { depth: 5, entries: 50, text: 200, total: 2_000 }
/** Of a status or crash report, which is cut where it is written. */
export const STATUS: Bounds = { depth: 12, entries: 1_000, text: 10_000, total: 100_000 }

const NUMBER_CHARACTERS = 8

/** A text of a client's, as long as a line can bear. */
export const cut = (text: string, max: number = LINE.text): string =>
  text.length > max ? `${text.slice(0, max)}…` : text

/** The value with its secrets left out, as much of it as there is room for. */
export function filtered(
  value: unknown,
  filter: ParameterFilter = DEFAULT_FILTER,
  bounds: Bounds = LINE,
): unknown {
  let left = bounds.total
  const text = (whole: string): string => {
    const shown = cut(whole, Math.min(bounds.text, Math.max(left, 0)))
    left -= shown.length
    return shown
  }
  const named = (name: string, member: unknown, depth: number): unknown =>
    filter.test(name) ? '[FILTERED]' : show(member, depth)
  const list = (members: Iterable<unknown>, depth: number): unknown[] => {
    const shown: unknown[] = []
    for (const member of members) {
      if (left <= 0 || shown.length === bounds.entries) break
      shown.push(show(member, depth))
    }
    return shown
  }
  const show = (one: unknown, depth: number): unknown => {
    if (typeof one === 'string') return text(one)
    left -= NUMBER_CHARACTERS
    if (one instanceof Uint8Array) return `${one.length} bytes`
    if (typeof one !== 'object' || one === null || one instanceof Date) return one
    if (one instanceof Error) return text(`${one.name}: ${one.message}`)
    if (depth === bounds.depth) return '…'
    if (Array.isArray(one) || one instanceof Set) return list(one, depth + 1)
    const shown: Record<string, unknown> = Object.create(null)
    let room = bounds.entries
    const members = one as Readonly<Record<string, unknown>>
    for (const key of one instanceof Map ? one.keys() : Object.keys(members)) {
      if (left <= 0 || room-- === 0) break
      const name = safeText(key, bounds.text)
      shown[text(name)] = named(
        name,
        one instanceof Map ? one.get(key) : members[key as string],
        depth + 1,
      )
    }
    return shown
  }
  return show(value, 0)
}
