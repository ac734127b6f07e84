/** Every frame of docs/wire.md, read from the page: what the serializers write and read, and the official client's. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import {
  checkSerializer,
  defineSerializer,
  type Frame,
  type Message,
  phoenixV1,
  phoenixV2,
} from 'beamish/channels'
import t from 'tap'
import { defaultDecodeLimits } from '../../../channels/wire/message.ts'
import { backwards } from '../sockets.app.ts'
import { clientDecode, clientEncode } from './officialSerializer.ts'

const page = readFileSync(new URL('../../../docs/wire.md', import.meta.url), 'utf8')

/** Rows of the first table below a heading: name and frame. */
function rows(heading: string): [string, string][] {
  const [, section = ''] = page.split(`\n## ${heading}\n`)
  const [own = ''] = section.split('\n## ')
  return [...own.matchAll(/^\| (.+?) \| `?(.+?)`? \|$/gm)]
    .map(([, name, frame]) => [name ?? '', frame ?? ''] as [string, string])
    .slice(1)
}

const isClients = (name: string): boolean => /of the client|^join$|^leave$|^heartbeat$/.test(name)

/** `00 01 "text"` as bytes. */
function bytesOf(text: string): Uint8Array {
  const parts = [...text.matchAll(/"([^"]*)"|([0-9a-f]{2})/g)]
  return Buffer.concat(
    parts.map(([, quoted, hex]) =>
      hex === undefined ? Buffer.from(quoted ?? '') : Buffer.from(hex, 'hex'),
    ),
  )
}

const plain = (frame: Frame): string =>
  typeof frame === 'string' ? frame : Buffer.from(frame).toString('hex')
const bytes = (payload: unknown): unknown =>
  payload instanceof ArrayBuffer ? new Uint8Array(payload) : payload

/** The message of a frame as the official client reads it. */
function readByClient(frame: Frame): Message {
  const whole = typeof frame === 'string' ? frame : new Uint8Array(frame).buffer
  const { join_ref: joinRef, ref, topic, event, payload } = clientDecode(whole)
  const { response } = payload as { response?: unknown }
  const read =
    response instanceof ArrayBuffer
      ? { ...(payload as object), response: bytes(response) }
      : bytes(payload)
  return { joinRef, ref, topic, event, payload: read }
}

/** What a serializer writes for a message of the server. */
function written(serializer: typeof phoenixV2, message: Message): Frame {
  const { joinRef, ref, topic, event, payload } = message
  if (event === 'phx_reply') {
    const { status, response } = payload as { status: string; response: object }
    return serializer.encodeReply(joinRef, ref, topic, status, response)
  }
  if (joinRef === null && ref === null) {
    return serializer.encodeBroadcast(topic, event, payload as object)
  }
  return serializer.encodePush(joinRef, ref, topic, event, payload as object)
}

for (const [heading, read] of [
  ['Version 2, text', (text: string): Frame => text],
  ['Version 2, binary', bytesOf],
] as const) {
  t.test(`${heading}: each frame of the page is read and written as it stands there`, async (t) => {
    const all = rows(heading)
    t.ok(all.length >= 6, `${all.length} frames`)
    for (const [name, text] of all) {
      const frame = read(text)
      if (!isClients(name)) {
        t.equal(plain(written(phoenixV2, readByClient(frame))), plain(frame), name)
        continue
      }
      const decoded = phoenixV2.decode(frame, defaultDecodeLimits)
      if (!decoded.ok) return t.fail(`${name}: ${decoded.reason}`)
      const { joinRef, payload, ...rest } = decoded.message
      const sent = payload instanceof Uint8Array ? new Uint8Array(payload).buffer : payload
      const official = clientEncode({ ...rest, join_ref: joinRef, payload: sent })
      t.equal(
        plain(typeof official === 'string' ? official : new Uint8Array(official)),
        plain(frame),
        name,
      )
    }
  })
}

t.test('Version 1: each frame of the page is read and written as it stands there', async (t) => {
  const all = rows('Version 1')
  t.ok(all.length >= 6, `${all.length} frames`)
  for (const [name, text] of all) {
    const { join_ref: joinRef = null, ...rest } = JSON.parse(text)
    const message: Message = { joinRef, ...rest }
    if (!isClients(name)) t.equal(written(phoenixV1, message), text, name)
    else t.same(phoenixV1.decode(text, defaultDecodeLimits), { ok: true, message }, name)
  }
})

t.test('What is not a message is refused for the reason that stands there', async (t) => {
  const all = rows('What is not a message')
  t.ok(all.length >= 6, `${all.length} frames`)
  for (const [frame, error] of all) {
    const text = frame.replaceAll('`', '')
    t.match(phoenixV2.decode(text, defaultDecodeLimits), { ok: false, error }, text)
  }
})

const official = {
  encode: ({ joinRef, payload, ...rest }: Message): Frame => {
    const { ref, topic, event } = rest
    // The client itself sends no null.
    if (payload === null) return JSON.stringify([joinRef, ref, topic, event, null])
    const sent = payload instanceof Uint8Array ? new Uint8Array(payload).buffer : payload
    const frame = clientEncode({ ...rest, join_ref: joinRef, payload: sent })
    return typeof frame === 'string' ? frame : new Uint8Array(frame)
  },
  decode: readByClient,
}

t.test('the serializers hold to the contract of all serializers', async (t) => {
  checkSerializer(phoenixV2, official)
  const first = {
    encode: ({ joinRef, ...rest }: Message) => JSON.stringify({ ...rest, join_ref: joinRef }),
    decode: (frame: Frame) => ({ joinRef: null, ...JSON.parse(String(frame)) }) as Message,
  }
  checkSerializer(phoenixV1, first, { bytes: true, joinRef: true })
  const turned = (frame: Frame): Frame =>
    typeof frame === 'string' ? [...frame].reverse().join('') : frame
  checkSerializer(
    backwards,
    {
      encode: (message) => turned(official.encode(message)),
      decode: (frame) => readByClient(turned(frame)),
    },
    { bytes: true },
  )
  t.pass('all three do')
})

t.test('what a serializer does wrong is named', async (t) => {
  const wrongs: [Partial<typeof phoenixV2>, RegExp][] = [
    [{ name: 'nobody' }, /No serializer "nobody"/],
    [{}, /another one is known by its name/],
  ]
  for (const [change, message] of wrongs) {
    t.throws(() => checkSerializer({ ...phoenixV2, ...change }, official), {
      code: 'CHN_SERIALIZER',
      message,
    })
  }
  const { encodePush } = phoenixV2
  const cases: [string, Partial<typeof phoenixV2>, RegExp][] = [
    ['throws', { decode: () => assert.fail('no') }, /no/],
    ['refuses', { decode: () => ({ ok: false, error: 'bad_json', reason: 'no' }) }, /it refuses/],
    [
      'joins',
      { encodeBroadcast: (topic, event, payload) => encodePush('1', null, topic, event, payload) },
      /encodeBroadcast gives/,
    ],
    [
      'replies',
      { encodeReply: (join, ref, topic) => encodePush(join, ref, topic, 'phx_reply', {}) },
      /encodeReply gives/,
    ],
    [
      'deep',
      { decode: (frame, limits) => phoenixV2.decode(frame, { ...limits, maxDepth: 64 }) },
      /it takes what is over maxDepth/,
    ],
    [
      'arrays',
      {
        encodePush: (join, ref, topic, event, payload) =>
          encodePush(join, ref, topic, event, Array.isArray(payload) ? {} : payload),
      },
      /the payload \[1\] gives a frame, and not CHN_PAYLOAD/,
    ],
  ]
  for (const [name, change, message] of cases) {
    const broken = defineSerializer({ ...phoenixV2, ...change, name: `page.${name}` })
    t.throws(() => checkSerializer(broken, official), { message }, name)
  }
})
