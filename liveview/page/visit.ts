/** From a URL to what mount gets: parameters of path and query, and the session. */
import { decodeForm } from '../../channels/wire/form.ts'
import type { Join } from '../../channels/wire/link.ts'
import type { Visit } from '../view/lifecycle.ts'

/** `/rooms/:id` and `/rooms/7` make `{ id: '7' }`. */
export function pathParams(pattern: string, path: string): Record<string, string> {
  const params: Record<string, string> = {}
  const given = path.split('/')
  for (const [i, part] of pattern.split('/').entries()) {
    const value = given[i]
    if (part.startsWith(':') && value !== undefined) params[part.slice(1)] = decode(value)
  }
  return params
}

/** The visit a connected page speaks of in its join. A URL that cannot be read is the route's own. */
export function visitOf(join: Join, pattern: string): Visit {
  const payload = join.payload as { url?: unknown; redirect?: unknown } | null
  const given = payload?.url ?? payload?.redirect
  const url = parse(typeof given === 'string' ? given : pattern, join.connect.url)
  return { ...visitAt(url, pattern), session: join.connect.session ?? {} }
}

export function visitAt(url: URL, pattern: string): Omit<Visit, 'session'> {
  let query: Record<string, unknown> = {}
  try {
    query = decodeForm(url.search.slice(1))
  } catch {
    // A query beyond the limits is as good as none: the page must not fail for it.
  }
  return { params: { ...query, ...pathParams(pattern, url.pathname) }, url: url.href }
}

function parse(text: string, base: string): URL {
  try {
    return new URL(text, base)
  } catch {
    return new URL(base)
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
