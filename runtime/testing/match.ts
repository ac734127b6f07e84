/** What a test expects of a message or a reason: a value, a part of one, a pattern of its text, or a function. */
import { isDeepStrictEqual } from 'node:util'
import { formatReason, safeText } from '../exit/reason.ts'

/**
 * A function is asked; a RegExp is tried on the text (of a reason: as formatReason gives it); of an object the properties named
 * must match, each in turn; arrays match item by item; anything else must be equal.
 */
export type Match = ((value: unknown) => boolean) | RegExp | unknown

export function matches(expected: Match, value: unknown): boolean {
  if (typeof expected === 'function')
    return (expected as (value: unknown) => boolean)(value) === true
  if (expected instanceof RegExp) {
    // One with `g` or `y` would go on from where it found something last.
    expected.lastIndex = 0
    return expected.test(textOf(value))
  }
  if (typeof expected !== 'object' || expected === null) return Object.is(expected, value)
  if (typeof value !== 'object' || value === null) return false
  const proto: unknown = Object.getPrototypeOf(expected)
  if (!Array.isArray(expected) && proto !== Object.prototype && proto !== null)
    return isDeepStrictEqual(expected, value)
  if (Array.isArray(expected)) {
    if (!Array.isArray(value) || value.length !== expected.length) return false
    return expected.every((item, i) => matches(item, value[i]))
  }
  return Object.entries(expected).every(([key, part]) =>
    matches(part, (value as Record<string, unknown>)[key]),
  )
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : formatReason(value as never)
}

/** For messages of failed asserts. */
export function matchText(expected: Match): string {
  if (typeof expected === 'function') return `what ${expected.name || 'the given function'} accepts`
  return expected instanceof RegExp ? String(expected) : safeText(expected, 200)
}
