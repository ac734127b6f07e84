import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import {
  integer,
  maxIssues,
  optional,
  payloadSchema,
  shape,
  string,
  validate,
} from '../../../channels/payload/index.ts'
import { holds } from '../property.ts'
import { foreign, foreignFunction } from './foreign.ts'

t.test('declared fields pass, everything else is dropped', async (t) => {
  const send = shape({ text: string(1, 500), to: optional(string(1)) })
  t.strictSame(validate(send, { text: ' hi ', admin: true }), { ok: true, value: { text: 'hi' } })
  t.strictSame(validate(send, { text: 'hi', to: 'ann' }), {
    ok: true,
    value: { text: 'hi', to: 'ann' },
  })
  const validated = validate(send, { text: 'hi', to: '' })
  t.equal(validated.ok && 'to' in validated.value, false, 'absent, not undefined')
})

t.test('each field that is wrong has an issue with its path', async (t) => {
  const order = shape({ item: { name: string(1), count: integer(1, 9) }, note: string() })
  t.strictSame(validate(order, { item: { name: '', count: 12 } }), {
    ok: false,
    issues: [
      { path: 'item.name', message: 'must have at least 1 character' },
      { path: 'item.count', message: 'must be at most 9' },
      { path: 'note', message: 'is required' },
    ],
  })
  t.strictSame(validate(order, { note: '' }), {
    ok: false,
    issues: [{ path: 'item', message: 'is required' }],
  })
})

t.test('what is no object is refused as a whole', async (t) => {
  for (const input of [null, 1, 'x', [], true]) {
    t.strictSame(validate(shape({}), input), {
      ok: false,
      issues: [{ path: '', message: 'must be an object' }],
    })
  }
})

t.test('nothing is read from or written to a prototype', async (t) => {
  const odd = shape({
    constructor: optional(foreign((value) => value !== undefined)),
    toString: optional(string()),
  })
  t.strictSame(validate(odd, {}), { ok: true, value: {} })
  t.strictSame(validate(odd, Object.create({ toString: 'inherited' })), { ok: true, value: {} })
  t.match(validate(odd, Object.assign(Object.create(null), { toString: 'own' })), {
    ok: true,
    value: { toString: 'own' },
  })
  const send = shape({ text: string() })
  const hostile = JSON.parse('{"text":"x","__proto__":{"admin":true}}')
  const validated = validate(send, hostile)
  if (!validated.ok) return t.fail('refused')
  t.equal('admin' in validated.value, false)
  t.equal(Object.getPrototypeOf(validated.value), Object.prototype)
  const fields = JSON.parse('{"__proto__":{}}')
  t.throws(() => shape(fields), { code: 'CHN_SCHEMA', message: /rename it/ })
})

t.test('validators of other libraries serve as a field or as the whole', async (t) => {
  const even = foreign<number>((value) => Number(value) % 2 === 0, ['deep', { key: 0 }])
  const mixed = shape({ even, name: foreignFunction() })
  t.strictSame(validate(mixed, { even: 4, name: 'x' }), {
    ok: true,
    value: { even: 4, name: 'x' },
  })
  t.strictSame(validate(mixed, { even: 3, name: 'x' }), {
    ok: false,
    issues: [{ path: 'even.deep.0', message: 'is foreign' }],
  })
  t.strictSame(validate(payloadSchema(even), 4), { ok: true, value: 4 })
  t.strictSame(validate(even, 3), {
    ok: false,
    issues: [{ path: 'deep.0', message: 'is foreign' }],
  })
})

t.test('a declaration is a schema or fields of them, anything else is an error', async (t) => {
  for (const spec of [string, null, 'text', [], { text: 'string' }]) {
    t.throws(() => payloadSchema(spec as never), { code: 'CHN_SCHEMA', message: /builder/ })
  }
})

t.test('issues are limited in number', async (t) => {
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`f${i}`, string()]))
  const validated = validate(shape(many), {})
  t.equal(!validated.ok && validated.issues.length, maxIssues)
})

t.test('a value that passed passes again unchanged, and holds declared keys only', async (t) => {
  const schema = shape({ text: string(1, 5), count: optional(integer(0, 9)) })
  const inputs = fc.record(
    {
      text: fc.oneof(fc.string({ maxLength: 7 }), fc.jsonValue()),
      count: fc.oneof(fc.integer({ min: -2, max: 12 }), fc.constantFrom('3', '', null)),
      other: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  holds(
    t,
    fc.property(inputs, (input) => {
      const once = validate(schema, input)
      if (!once.ok) return once.issues.length > 0
      assert.deepEqual(validate(schema, once.value), once)
      return Object.keys(once.value).every((key) => key === 'text' || key === 'count')
    }),
  )
})
