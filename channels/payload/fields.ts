// Fields of a payload. Browsers send every form value as a string, so numbers and booleans are
// also read from the strings a form makes of them.

import type { StandardSchemaV1 } from '@standard-schema/spec'
import { ChannelError } from '../errors.ts'
import { runSchema } from './run.ts'
import {
  accept,
  type BooleanSchema,
  type NumberSchema,
  type PayloadSchema,
  reject,
  rejectKind,
  type StringSchema,
  schemaOf,
} from './schema.ts'

export type StringOptions = {
  /** Default true: white space at both ends is dropped before counting. Off for passwords, code. */
  readonly trim?: boolean
}

/**
 * A string of `min` to `max` code points (default 0 to 10,000), counted and returned without the
 * white space at its ends; so `string(1)` refuses a string of blanks. Numbers are not made strings.
 * Throws `CHN_SCHEMA` for limits that make no sense.
 *
 * @example
 * ```ts
 * import { shape, string, validate } from 'beamish/channels'
 * const checked = validate(shape({ text: string(1, 500) }), { text: ' hi ' })
 * console.assert(checked.ok && checked.value.text === 'hi')
 * ```
 */
export function string(min = 0, max = 10_000, { trim = true }: StringOptions = {}): StringSchema {
  checkLimits('string', min, max)
  return schemaOf((value) => {
    if (typeof value !== 'string') return rejectKind(value, 'must be text')
    const text = trim ? value.trim() : value
    // A code point is one or two units: outside those bounds nothing needs counting, and a hostile
    // megabyte is refused by its length alone.
    if (text.length > 2 * max) return reject(atMost(max))
    const count = text.length > max || text.length < 2 * min ? codePoints(text) : text.length
    if (count < min) return reject(atLeast(min))
    if (count > max) return reject(atMost(max))
    return accept(text)
  })
}

/**
 * A whole number from `min` to `max`, or a string that writes one in decimal. Default limits are
 * those within which JavaScript counts exactly.
 *
 * @example
 * ```ts
 * import { integer, validate } from 'beamish/channels'
 * const page = validate(integer(1, 1_000), '3') // 3 and '3' give 3; 3.5, '3.0' and '' are refused
 * console.assert(page.ok && page.value === 3)
 * ```
 */
export function integer(
  min: number = Number.MIN_SAFE_INTEGER,
  max: number = Number.MAX_SAFE_INTEGER,
): NumberSchema {
  checkLimits('integer', min, max)
  return schemaOf((value) => {
    const read = typeof value === 'string' && wholeText.test(value.trim()) ? Number(value) : value
    if (typeof read !== 'number' || !Number.isSafeInteger(read)) {
      return rejectKind(value, 'must be a whole number')
    }
    return within(read, min, max)
  })
}

/**
 * A finite number from `min` to `max`, or a string that writes one in decimal (`'1.5'`, `'2e3'`).
 *
 * @example
 * ```ts
 * import { number, validate } from 'beamish/channels'
 * const price = validate(number(0, 1_000), '9.50')
 * console.assert(price.ok && price.value === 9.5)
 * ```
 */
export function number(
  min: number = -Number.MAX_VALUE,
  max: number = Number.MAX_VALUE,
): NumberSchema {
  checkLimits('number', min, max)
  return schemaOf((value) => {
    const read = typeof value === 'string' && isDecimal(value.trim()) ? Number(value) : value
    if (typeof read !== 'number' || !Number.isFinite(read))
      return rejectKind(value, 'must be a number')
    return within(read, min, max)
  })
}

/**
 * True or false, or the strings `'true'`, `'false'` and `'on'` (a checked checkbox). A checkbox that
 * is not checked sends nothing: declare `optional(boolean())`.
 *
 * @example
 * ```ts
 * import { boolean, validate } from 'beamish/channels'
 * const urgent = validate(boolean(), 'on')
 * console.assert(urgent.ok && urgent.value)
 * ```
 */
export function boolean(): BooleanSchema {
  return schemaOf((value) => {
    if (value === true || value === 'true' || value === 'on') return accept(true)
    if (value === false || value === 'false') return accept(false)
    return rejectKind(value, 'must be true or false')
  })
}

/**
 * One of these strings, numbers or booleans, or the string a form makes of one.
 *
 * @example
 * ```ts
 * import { oneOf, validate } from 'beamish/channels'
 * const size = validate(oneOf(10, 50), '10')
 * console.assert(size.ok && size.value === 10)
 * ```
 */
export function oneOf<const Values extends readonly (string | number | boolean)[]>(
  ...values: Values
): PayloadSchema<Values[number]> {
  if (values.length === 0) {
    throw new ChannelError('CHN_SCHEMA', 'oneOf() accepts nothing: give it at least one value.')
  }
  const accepted = new Map<unknown, Values[number]>()
  for (const value of values) accepted.set(String(value), value)
  // Second, so that a string stays itself even when a number is written the same.
  for (const value of values) accepted.set(value, value)
  const message = `must be one of ${values.join(', ')}`
  return schemaOf((value) => {
    const found = accepted.get(value)
    return found === undefined ? rejectKind(value, message) : accept(found)
  })
}

/**
 * A field that may be absent. Undefined counts as absent, and so do null and `''` (what a form sends
 * for an empty field) where the schema itself does not accept them.
 *
 * @example
 * ```ts
 * import { integer, optional, shape, validate } from 'beamish/channels'
 * const person = validate(shape({ age: optional(integer(0, 150)) }), {}) // { age?: number }
 * console.assert(person.ok && person.value.age === undefined)
 * ```
 */
export function optional<Output>(
  schema: StandardSchemaV1<unknown, Output>,
): PayloadSchema<Output | undefined> {
  return schemaOf<Output | undefined>((value) => {
    if (value === undefined) return accept(undefined)
    const checked = runSchema(schema, value)
    if (checked.issues !== undefined && (value === null || value === '')) return accept(undefined)
    return checked
  })
}

const wholeText = /^[+-]?[0-9]{1,16}$/
const decimalText = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$/
const isDecimal = (text: string): boolean => text.length <= 32 && decimalText.test(text)

function within(value: number, min: number, max: number) {
  if (value < min) return reject(`must be at least ${min}`)
  if (value > max) return reject(`must be at most ${max}`)
  // -0 has no decimal text of its own and would compare unequal after a clone.
  return accept(value === 0 ? 0 : value)
}

function codePoints(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

const characters = (count: number): string => (count === 1 ? '1 character' : `${count} characters`)
const atLeast = (min: number): string => `must have at least ${characters(min)}`
const atMost = (max: number): string => `must have at most ${characters(max)}`

function checkLimits(name: string, min: number, max: number): void {
  if (min <= max) return
  throw new ChannelError(
    'CHN_SCHEMA',
    `${name}(${min}, ${max}) accepts nothing: give two numbers, the smaller one first.`,
  )
}

/**
 * Whatever the client sent, as it came: for a handler that looks for itself.
 *
 * @example
 * ```ts
 * import { any, validate } from 'beamish/channels'
 * console.assert(validate(any(), [1]).ok)
 * ```
 */
export const any = (): PayloadSchema<unknown> => schemaOf((value) => accept(value))

/**
 * Bytes of a binary frame, `max` at most (default 10,000,000; the socket's `maxFrameBytes` holds as well).
 *
 * @example
 * ```ts
 * import { bytes, validate } from 'beamish/channels'
 * console.assert(validate(bytes(4), new Uint8Array(4)).ok && !validate(bytes(4), 'text').ok)
 * ```
 */
export function bytes(max = 10_000_000): PayloadSchema<Uint8Array> {
  checkLimits('bytes', 0, max)
  return schemaOf((value) => {
    if (!(value instanceof Uint8Array)) return rejectKind(value, 'must be bytes')
    return value.length <= max ? accept(value) : reject(`must have at most ${max} bytes`)
  })
}
