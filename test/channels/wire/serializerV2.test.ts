import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { ChannelError } from '../../../channels/errors.ts'
import { defaultDecodeLimits } from '../../../channels/wire/message.ts'
import {
  decode,
  encodeBroadcast,
  encodePayload,
  encodePush,
  encodeReply,
} from '../../../channels/wire/serializerV2.ts'
import { holds } from '../property.ts'
import { clientDecode, clientEncode } from './officialSerializer.ts'

const refs = fc.option(fc.string({ maxLength: 20 }), { nil: null })
const names = fc.string({ unit: 'grapheme', maxLength: 60 })
const payloads = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }))
// What a payload is once it was JSON: -0 and a key named __proto__ change or are awkward otherwise.
const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

t.test('channels 54: frames have the exact text of the Phoenix V2 wire', async (t) => {
  t.equal(
    encodeReply('3', '4', 'room:a', 'ok', {}),
    '["3","4","room:a","phx_reply",{"status":"ok","response":{}}]',
  )
  t.equal(
    encodeReply(null, '4', 'phoenix', 'ok', {}),
    '[null,"4","phoenix","phx_reply",{"status":"ok","response":{}}]',
  )
  t.equal(encodePush('3', 'room:a', 'msg', { a: 1 }), '["3",null,"room:a","msg",{"a":1}]')
  t.equal(encodeBroadcast('room:a', 'msg', { a: 1 }), '[null,null,"room:a","msg",{"a":1}]')
})

t.test('what is encoded decodes to the same message', async (t) => {
  holds(
    t,
    fc.property(refs, refs, names, names, payloads, (joinRef, ref, topic, text, payload) => {
      const pushed = decode(encodePush(joinRef, topic, text, payload))
      assert.deepEqual(pushed, {
        ok: true,
        message: { joinRef, ref: null, topic, event: text, payload: throughJson(payload) },
      })
      const replied = decode(encodeReply(joinRef, ref, topic, text, payload))
      assert.deepEqual(replied, {
        ok: true,
        message: {
          joinRef,
          ref,
          topic,
          event: 'phx_reply',
          payload: { status: text, response: throughJson(payload) },
        },
      })
    }),
  )
})

t.test('what the official client writes is read, and what is written here it reads', async (t) => {
  holds(
    t,
    fc.property(refs, refs, names, names, payloads, (joinRef, ref, topic, event, sent) => {
      const payload = throughJson(sent)
      const client = { join_ref: joinRef, ref, topic, event, payload }
      const message = { joinRef, ref, topic, event, payload }
      assert.deepEqual(decode(String(clientEncode(client))), { ok: true, message })
      const broadcast = { ...client, join_ref: null, ref: null }
      assert.deepEqual(clientDecode(encodeBroadcast(topic, event, sent)), broadcast)
    }),
  )
})

t.test('any text at all is decoded or refused, without a throw', async (t) => {
  const texts = fc.oneof(
    fc.string(),
    fc.json(),
    fc.array(fc.jsonValue(), { maxLength: 7 }).map((frame) => JSON.stringify(frame)),
    fc.string({ unit: fc.constantFrom('[', ']', '{', '}', '"', '\\', ',', '1', ':') }),
  )
  holds(
    t,
    fc.property(texts, (text) => {
      const decoded = decode(text)
      return decoded.ok ? 'message' in decoded : decoded.reason.length > 0
    }),
    { numRuns: 2_000 },
  )
})

t.test('a frame that is no V2 frame is refused with a code', async (t) => {
  const cases: [string, string][] = [
    ['', 'bad_json'],
    ['[', 'bad_json'],
    ['null', 'bad_frame'],
    ['{"topic":"a","event":"b","payload":{},"ref":"1"}', 'bad_frame'],
    ['[null,null,"a","b"]', 'bad_frame'],
    ['[1,null,"a","b",{}]', 'bad_ref'],
    ['[null,2,"a","b",{}]', 'bad_ref'],
    ['[null,null,null,"b",{}]', 'bad_topic'],
    ['[null,null,"\\ud800","b",{}]', 'bad_topic'],
    ['[null,null,"a",{},{}]', 'bad_event'],
  ]
  for (const [text, error] of cases) t.match(decode(text), { ok: false, error }, text)
})

t.test('further elements are ignored and the payload may be any JSON value', async (t) => {
  for (const payload of [null, 1, 'x', [], { a: [true] }]) {
    const text = JSON.stringify([null, '1', 'a', 'b', payload, 'more', {}])
    t.strictSame(decode(text), {
      ok: true,
      message: { joinRef: null, ref: '1', topic: 'a', event: 'b', payload },
    })
  }
})

t.test('names and refs have limits, the limit itself included', async (t) => {
  const limits = { ...defaultDecodeLimits, maxTopicLength: 4, maxEventLength: 3, maxRefLength: 2 }
  const frame = (...parts: unknown[]) => decode(JSON.stringify([...parts, {}]), limits)
  t.equal(frame('12', '34', 'abcd', 'abc').ok, true)
  for (const parts of [
    ['123', '34', 'abcd', 'abc'],
    ['12', '345', 'abcd', 'abc'],
    ['12', '34', 'abcde', 'abc'],
    ['12', '34', 'abcd', 'abcd'],
  ]) {
    t.match(frame(...parts), { ok: false, error: 'too_long' })
  }
})

t.test('a payload may nest 64 levels and no more, however deep the frame', async (t) => {
  const nested = (levels: number) =>
    `[null,null,"a","b",${'['.repeat(levels)}${']'.repeat(levels)}]`
  t.equal(decode(nested(64)).ok, true)
  t.match(decode(nested(65)), { ok: false, error: 'too_deep' })
  t.match(decode(nested(1_000_000)), { ok: false, error: 'too_deep' })
  t.match(decode('['.repeat(1_000_000)), { ok: false, error: 'too_deep' })
})

t.test('a payload with the key __proto__ changes no prototype', async (t) => {
  const decoded = decode('[null,null,"a","b",{"__proto__":{"polluted":true}}]')
  if (!decoded.ok) return t.fail(decoded.reason)
  const payload = decoded.message.payload as object
  t.equal(Object.getPrototypeOf(payload), Object.prototype)
  t.equal('polluted' in {}, false)
  t.equal(encodePayload(payload), '{"__proto__":{"polluted":true}}')
})

t.test(
  'channels 55: an outgoing payload that is no JSON object is an error naming the fix',
  async (t) => {
    const cyclic: { self?: unknown } = {}
    cyclic.self = cyclic
    const cases: [unknown, RegExp][] = [
      [[1], /\{ data: value \}/],
      [null, /\{ data: value \}/],
      ['text', /\{ data: value \}/],
      [undefined, /\{ data: value \}/],
      [new Uint8Array(2), /Uint8Array/],
      [new ArrayBuffer(2), /Uint8Array/],
      [new Date(0), /\{ at: date \}/],
      [{ toJSON: () => undefined }, /\{ at: date \}/],
      [new Map([[1, 2]]), /Object\.fromEntries/],
      [new Set(), /Object\.fromEntries/],
      [cyclic, /without cycles/],
      [{ n: 1n }, /bigints as strings/],
    ]
    for (const [payload, fix] of cases) {
      for (const encode of [
        () => encodeBroadcast('a', 'b', payload as object),
        () => encodePush('1', 'a', 'b', payload as object),
        () => encodeReply('1', '2', 'a', 'ok', payload as object),
      ]) {
        t.throws(encode, { code: 'CHN_PAYLOAD', message: fix })
        t.throws(encode, ChannelError)
      }
    }
  },
)
