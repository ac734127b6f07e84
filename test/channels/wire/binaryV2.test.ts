import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import {
  binaryReplyOf,
  decodeBinary,
  encodeBinaryBroadcast,
  encodeBinaryPush,
  encodeBinaryReply,
} from '../../../channels/wire/binaryV2.ts'
import { defaultDecodeLimits } from '../../../channels/wire/message.ts'
import { holds } from '../property.ts'
import { clientDecode, clientEncode } from './officialSerializer.ts'

const names = fc.string({ unit: 'grapheme', maxLength: 20 })
const bytes = fc.uint8Array({ maxLength: 100 })
const ascii = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0))

t.test('channels 56: frames are byte for byte those of the Phoenix V2 wire', async (t) => {
  const data = ascii('xyz')
  t.strictSame(encodeBinaryPush('1', 'ro', 'msg', data), ascii('\x00\x01\x02\x031romsgxyz'))
  t.strictSame(encodeBinaryPush(null, 'ro', 'msg', data), ascii('\x00\x00\x02\x03romsgxyz'))
  t.strictSame(
    encodeBinaryReply('1', '23', 'ro', 'ok', data),
    ascii('\x01\x01\x02\x02\x02123rookxyz'),
  )
  t.strictSame(encodeBinaryBroadcast('ro', 'msg', data), ascii('\x02\x02\x03romsgxyz'))
  t.strictSame(decodeBinary(ascii('\x00\x01\x02\x02\x03123romsgxyz')), {
    ok: true,
    message: { joinRef: '1', ref: '23', topic: 'ro', event: 'msg', payload: data },
  })
})

t.test('an empty join ref stays an empty string', async (t) => {
  t.match(decodeBinary(ascii('\x00\x00\x01\x01\x011te')), {
    ok: true,
    message: { joinRef: '', ref: '1', topic: 't', event: 'e' },
  })
})

t.test('what the official client writes is read', async (t) => {
  holds(
    t,
    fc.property(names, names, names, names, bytes, (joinRef, ref, topic, event, payload) => {
      const client = { join_ref: joinRef, ref, topic, event, payload: payload.slice().buffer }
      const frame = new Uint8Array(clientEncode(client) as ArrayBuffer)
      const message = { joinRef, ref, topic, event, payload }
      assert.deepEqual(decodeBinary(frame), { ok: true, message })
    }),
  )
})

t.test('what is written here the official client reads', async (t) => {
  holds(
    t,
    fc.property(names, names, names, names, bytes, (joinRef, ref, topic, event, data) => {
      const payload = data.slice().buffer
      assert.deepEqual(clientDecode(encodeBinaryPush(joinRef, topic, event, data).buffer), {
        join_ref: joinRef,
        ref: null,
        topic,
        event,
        payload,
      })
      assert.deepEqual(clientDecode(encodeBinaryReply(joinRef, ref, topic, event, data).buffer), {
        join_ref: joinRef,
        ref,
        topic,
        event: 'phx_reply',
        payload: { status: event, response: payload },
      })
      assert.deepEqual(clientDecode(encodeBinaryBroadcast(topic, event, data).buffer), {
        join_ref: null,
        ref: null,
        topic,
        event,
        payload,
      })
    }),
  )
})

t.test('any bytes are decoded or refused, without a throw', async (t) => {
  const frames = fc.oneof(
    bytes,
    bytes.map((rest) => Uint8Array.of(0, ...rest)),
    fc
      .tuple(fc.array(fc.nat(6), { minLength: 4, maxLength: 4 }), bytes)
      .map(([lengths, rest]) => Uint8Array.of(0, ...lengths, ...rest)),
  )
  holds(
    t,
    fc.property(frames, (frame) => typeof decodeBinary(frame).ok === 'boolean'),
    { numRuns: 2_000 },
  )
})

t.test('a frame that is cut, of another kind, or not UTF-8 is refused', async (t) => {
  const whole = ascii('\x00\x01\x02\x02\x03123romsg')
  t.equal(decodeBinary(whole).ok, true)
  for (let length = 0; length < whole.length; length++) {
    t.match(decodeBinary(whole.subarray(0, length)), { ok: false, error: 'bad_binary' })
  }
  t.match(decodeBinary(Uint8Array.of(1, 0, 0, 0, 0)), { ok: false, error: 'bad_binary' })
  t.match(decodeBinary(Uint8Array.of(0, 0, 0, 1, 0, 0xff)), { ok: false, error: 'bad_binary' })
  const limits = { ...defaultDecodeLimits, maxTopicLength: 1 }
  t.match(decodeBinary(whole, limits), { ok: false, error: 'too_long' })
})

t.test('a byte order mark at the start of a field is part of it', async (t) => {
  const frame = Uint8Array.of(0, 1, 1, 4, 1, 0x31, 0x32, 0xef, 0xbb, 0xbf, 0x74, 0x65)
  t.match(decodeBinary(frame), { ok: true, message: { topic: '\ufefft', event: 'e' } })
})

t.test('a decoded payload shares no memory with the frame', async (t) => {
  const slab = Buffer.from('\x00\x01\x01\x01\x0112teDATA')
  const decoded = decodeBinary(slab.subarray(0))
  if (!decoded.ok) return t.fail(decoded.reason)
  const payload = decoded.message.payload as Uint8Array
  slab.fill(0)
  t.strictSame(payload, ascii('DATA'))
  t.equal(payload.buffer.byteLength, 4)
  t.notOk(Buffer.isBuffer(payload))
})

t.test(
  'channels 56: a field holds 255 bytes of UTF-8, and one more is an error naming it',
  async (t) => {
    const fits = `${'é'.repeat(127)}a`
    const over = 'é'.repeat(128)
    const none = new Uint8Array()
    t.equal(encodeBinaryPush('1', fits, 'e', none).length, 1 + 3 + 1 + 255 + 1)
    t.throws(() => encodeBinaryPush(over, 't', 'e', none), { code: 'CHN_FIELD_TOO_LONG' })
    t.throws(() => encodeBinaryPush('1', over, 'e', none), { message: /topic .* 256 bytes/ })
    t.throws(() => encodeBinaryReply('1', over, 't', 'ok', none), { message: /ref / })
    t.throws(() => encodeBinaryReply('1', '2', 't', over, none), { message: /status / })
    t.throws(() => encodeBinaryBroadcast('t', over, none), { message: /event / })
  },
)

t.test('who a reply answers can be read from it, and from no other frame', async (t) => {
  const ref = fc.option(names.filter((name) => name !== ''))
  holds(
    t,
    fc.property(ref, ref, names, names, bytes, (joinRef, ref, topic, name, data) => {
      const reply = encodeBinaryReply(joinRef, ref, topic, name, data)
      assert.deepEqual(binaryReplyOf(reply), { joinRef, ref, topic })
      assert.equal(binaryReplyOf(encodeBinaryPush(joinRef, topic, name, data)), undefined)
      assert.equal(binaryReplyOf(encodeBinaryBroadcast(topic, name, data)), undefined)
    }),
  )
})
