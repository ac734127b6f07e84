/**
 * Development mode: a message is cloned at the send, exactly as if it crossed threads, and both copies are frozen, so that
 * what cannot be cloned or is changed later throws at its line. Also finds what in a message cannot be cloned.
 */
import { BeamishError } from '../errors.ts'
import {
  type Alias,
  type Destination,
  formatDestination,
  formatPid,
  type Pid,
} from '../process/pid.ts'

/** The receiver's copy. Freezes the plain objects and arrays of both. */
export function isolate<T>(value: T, from: Pid, to: Destination | Alias): T {
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'function' || typeof value === 'symbol') throw uncloneable(value, from, to)
    return value
  }
  let copy: T
  try {
    copy = structuredClone(value)
  } catch {
    throw uncloneable(value, from, to)
  }
  freeze(value)
  freeze(copy)
  return copy
}

function uncloneable(value: unknown, from: Pid, to: Destination | Alias): BeamishError {
  const found = findUncloneable(value)
  return new BeamishError('BEAMISH_UNCLONEABLE', {
    from: formatPid(from),
    to: formatDestination(to),
    path: found.path,
    what: found.what,
    hint: hintFor(found.what),
  })
}

/** What to do instead, for the things people do send. */
export function hintFor(what: string): string {
  if (what.startsWith('a function')) return ' (name a behaviour or an exported function instead)'
  if (what.includes('Socket')) return ' (send a socketRef instead of the socket)'
  if (what.includes('Promise')) return ' (await it first)'
  return ''
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  if (Array.isArray(value)) {
    Object.freeze(value)
    for (const item of value) freeze(item)
  } else {
    const prototype = Object.getPrototypeOf(value) as unknown
    if (prototype !== Object.prototype && prototype !== null) return
    Object.freeze(value)
    for (const item of Object.values(value)) freeze(item)
  }
}

/** Where in a value the first thing is that cannot be cloned: `message.user.save` and `a function`. */
export function findUncloneable(
  value: unknown,
  path = 'message',
  seen: Set<unknown> = new Set(),
): { path: string; what: string } {
  const found = search(value, path, seen)
  return found ?? { path, what: 'something that structuredClone refuses' }
}

function search(
  value: unknown,
  path: string,
  seen: Set<unknown>,
): { path: string; what: string } | undefined {
  if (typeof value === 'function')
    return { path, what: `a function (${value.name || 'anonymous'})` }
  if (typeof value === 'symbol') return { path, what: 'a symbol' }
  if (typeof value !== 'object' || value === null || seen.has(value)) return undefined
  seen.add(value)
  const entries: [string, unknown][] =
    value instanceof Map
      ? [...value].map(([k, v]) => [`${path}.get(${String(k)})`, v])
      : value instanceof Set
        ? [...value].map((v, i) => [`${path}[${i}]`, v])
        : Object.entries(value).map(([k, v]) => [
            Array.isArray(value) ? `${path}[${k}]` : `${path}.${k}`,
            v,
          ])
  for (const [where, item] of entries) {
    const found = search(item, where, seen)
    if (found !== undefined) return found
  }
  try {
    structuredClone(value)
    return undefined
  } catch {
    return { path, what: `a ${value.constructor?.name ?? 'thing'}` }
  }
}
