import fc from 'fast-check'
import t from 'tap'
import type { PayloadSchema } from '../../../channels/payload/index.ts'
import {
  boolean,
  integer,
  number,
  oneOf,
  optional,
  string,
  validate,
} from '../../../channels/payload/index.ts'
import { holds } from '../property.ts'
import { foreign, foreignAsync } from './foreign.ts'

const value = <Output>(schema: PayloadSchema<Output>, input: unknown): Output | string => {
  const validated = validate(schema, input)
  return validated.ok ? validated.value : (validated.issues[0]?.message ?? 'no issue')
}

t.test('no builder throws on any input', async (t) => {
  const schemas = [
    string(1, 5),
    integer(0, 9),
    number(),
    boolean(),
    oneOf('a', 1, true),
    optional(integer()),
  ]
  holds(
    t,
    fc.property(fc.anything({ withBigInt: true, withNullPrototype: true }), (input) => {
      for (const schema of schemas) validate<unknown>(schema, input)
    }),
  )
})

t.test(
  'a string is counted in code points and returned without the white space around',
  async (t) => {
    t.equal(value(string(1, 3), ' abc \n'), 'abc')
    t.equal(value(string(1, 3), '👍👍👍'), '👍👍👍')
    t.equal(value(string(1, 3), '👍👍👍👍'), 'must have at most 3 characters')
    t.equal(value(string(1, 3), 'a'.repeat(1_000_000)), 'must have at most 3 characters')
    t.equal(value(string(1, 3), '  '), 'must have at least 1 character')
    t.equal(value(string(3), '👍👍'), 'must have at least 3 characters')
    t.equal(value(string(), '  '), '')
    t.equal(value(string(1, 4, { trim: false }), ' ab '), ' ab ')
    t.equal(value(string(), 7), 'must be text')
    t.equal(value(string(), undefined), 'is required')
  },
)

t.test('a string passes exactly when its code points are within the limits', async (t) => {
  const limits = fc.tuple(fc.nat(6), fc.nat(6)).map(([low, more]) => [low, low + more] as const)
  holds(
    t,
    fc.property(fc.string({ unit: 'binary', maxLength: 14 }), limits, (text, [min, max]) => {
      const count = [...text.trim()].length
      return validate(string(min, max), text).ok === (count >= min && count <= max)
    }),
    { numRuns: 1_000 },
  )
})

t.test('whole numbers come as numbers or as the decimal text of a form', async (t) => {
  const page = integer(1, 1_000)
  for (const [input, output] of [
    [3, 3],
    ['3', 3],
    [' 12 ', 12],
    ['007', 7],
  ]) {
    t.equal(value(page, input), output)
  }
  for (const bad of ['', ' ', '3.0', '1e2', '0x1f', 'NaN', null, 3.5, Infinity, true, [3], {}]) {
    t.equal(value(page, bad), 'must be a whole number')
  }
  t.equal(value(page, 0), 'must be at least 1')
  t.equal(value(page, '1001'), 'must be at most 1000')
  t.equal(value(integer(), '9007199254740992'), 'must be a whole number')
  for (const zero of ['-0', -0]) {
    t.ok(Object.is(value(integer(), zero), 0))
    t.ok(Object.is(value(number(), zero), 0))
  }
  holds(
    t,
    fc.property(fc.maxSafeInteger(), (n) => {
      return value(integer(), String(n)) === (n === 0 ? 0 : n)
    }),
  )
})

t.test('numbers are finite, from numbers or decimal text', async (t) => {
  const price = number(0, 1e6)
  for (const [input, output] of [
    [1.5, 1.5],
    ['1.5', 1.5],
    ['.5', 0.5],
    ['5.', 5],
    ['2e3', 2_000],
  ]) {
    t.equal(value(price, input), output)
  }
  for (const bad of ['', '.', 'e3', '1,5', '0x10', 'Infinity', Number.NaN, Infinity, null]) {
    t.equal(value(price, bad), 'must be a number')
  }
  t.equal(value(price, `${'1'.repeat(100_000)}x`), 'must be a number')
  t.equal(value(number(), '1e999'), 'must be a number')
  t.equal(value(price, -1), 'must be at least 0')
  holds(
    t,
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (n) => {
      return Object.is(value(number(), String(n)), n === 0 ? 0 : n)
    }),
  )
})

t.test('booleans come as booleans or as a checkbox sends them', async (t) => {
  for (const yes of [true, 'true', 'on']) t.equal(value(boolean(), yes), true)
  for (const no of [false, 'false']) t.equal(value(boolean(), no), false)
  for (const bad of ['', 'off', 1, 0, null, 'TRUE']) {
    t.equal(value(boolean(), bad), 'must be true or false')
  }
})

t.test('one of several values, or the text a form makes of it', async (t) => {
  const schema = oneOf('newest', 10, true)
  t.equal(value(schema, 'newest'), 'newest')
  t.equal(value(schema, '10'), 10)
  t.equal(value(schema, 10), 10)
  t.equal(value(schema, 'true'), true)
  t.equal(value(schema, 'constructor'), 'must be one of newest, 10, true')
  t.equal(value(oneOf(1, '1'), '1'), '1', 'a string stays itself')
  t.equal(value(oneOf(1, '1'), 1), 1)
  t.equal(value(oneOf(false), 'false'), false)
})

t.test(
  'an optional field may be undefined, and null or empty where those say nothing',
  async (t) => {
    for (const absent of [undefined, null, ''])
      t.equal(value(optional(integer()), absent), undefined)
    t.equal(value(optional(string(1)), ''), undefined)
    t.equal(value(optional(string()), ''), '')
    t.equal(value(optional(foreign<string | null>((input) => input === null)), null), null)
    t.equal(value(optional(integer()), 'x'), 'must be a whole number')
  },
)

t.test('declarations that accept nothing are errors', async (t) => {
  for (const declare of [
    () => string(5, 1),
    () => integer(5, 1),
    () => number(Number.NaN),
    () => oneOf(),
  ]) {
    t.throws(declare, { code: 'CHN_SCHEMA', message: /accepts nothing/ })
  }
})

t.test('a validator that answers with a promise is an error naming the fix', async (t) => {
  for (const schema of [foreignAsync(true), foreignAsync(false), optional(foreignAsync(false))]) {
    t.throws(() => validate<unknown>(schema, 1), {
      code: 'CHN_SCHEMA_ASYNC',
      message: /await the rest in the handler/,
    })
  }
  // A rejection nobody handles would fail this file here.
  await new Promise(setImmediate)
})
