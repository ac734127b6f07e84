import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { defaultDecodeLimits } from '../../../channels/wire/message.ts'
import { phoenixV1 } from '../../../channels/wire/phoenixV1.ts'
import { holds } from '../property.ts'

const refs = fc.option(fc.string({ maxLength: 20 }), { nil: null })
const names = fc.string({ unit: 'grapheme', maxLength: 60 })
const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

t.test('what a client writes is read, with and without its join ref', async (t) => {
  holds(
    t,
    fc.property(refs, refs, names, names, fc.jsonValue(), (joinRef, ref, topic, event, payload) => {
      const sent = throughJson(payload)
      const message = { joinRef, ref, topic, event, payload: sent }
      const named = JSON.stringify({ topic, event, payload: sent, ref, join_ref: joinRef })
      assert.deepEqual(phoenixV1.decode(named, defaultDecodeLimits), { ok: true, message })
      const old = JSON.stringify({ topic, event, payload: sent, ref })
      const unnamed = { ...message, joinRef: null }
      assert.deepEqual(phoenixV1.decode(old, defaultDecodeLimits), { ok: true, message: unnamed })
    }),
  )
})

t.test(
  'what is written is an object of topic, event, ref and payload, and names no join',
  async (t) => {
    const payloads = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }))
    holds(
      t,
      fc.property(refs, refs, names, names, payloads, (joinRef, ref, topic, event, payload) => {
        const sent = throughJson(payload) as object
        const push = phoenixV1.encodePush(joinRef, ref, topic, event, sent)
        assert.deepEqual(JSON.parse(String(push)), { topic, event, ref, payload: sent })
        const reply = phoenixV1.encodeReply(joinRef, ref, topic, event, sent)
        const answer = { status: event, response: sent }
        assert.deepEqual(JSON.parse(String(reply)), {
          topic,
          event: 'phx_reply',
          ref,
          payload: answer,
        })
      }),
    )
  },
)

t.test('any text, any object and any bytes are decoded or refused, without a throw', async (t) => {
  const keys = fc.constantFrom('topic', 'event', 'payload', 'ref', 'join_ref', '__proto__')
  const frames = fc.oneof(
    fc.string(),
    fc.json(),
    fc.dictionary(keys, fc.jsonValue()).map((frame) => JSON.stringify(frame)),
    fc.string({ unit: fc.constantFrom('[', ']', '{', '}', '"', '\\', ',', '1', ':') }),
    fc.uint8Array({ maxLength: 50 }),
  )
  holds(
    t,
    fc.property(
      frames,
      (frame) => typeof phoenixV1.decode(frame, defaultDecodeLimits).ok === 'boolean',
    ),
    { numRuns: 2_000 },
  )
})

t.test('bytes have no place in version 1', async (t) => {
  const data = Uint8Array.of(1)
  t.match(phoenixV1.decode(data, defaultDecodeLimits), { ok: false, error: 'bad_binary' })
  for (const write of [
    () => phoenixV1.encodePush('1', null, 't', 'e', data),
    () => phoenixV1.encodeReply('1', '2', 't', 'ok', data),
    () => phoenixV1.encodeBroadcast('t', 'e', data),
  ]) {
    t.throws(write, { code: 'CHN_PAYLOAD', message: /base64/ })
  }
})
