/** What every serializer has to do, checked against the other end of its wire: for serializers of one's own. */
import { isDeepStrictEqual } from 'node:util'
import { ChannelError } from '../errors.ts'
import { type DecodeLimits, defaultDecodeLimits, type Message } from './message.ts'
import { type Frame, findSerializer, type Payload, type Serializer } from './serializer.ts'

/** What the client of a wire does: the other end of a serializer. */
export interface WireEnd {
  /** The frame a client sends for a message. */
  encode(message: Message): Frame
  /** What a client reads. A reply has the event `phx_reply` and the payload `{ status, response }`. */
  decode(frame: Frame): Message
}

/** What a wire does not carry, by design. */
export interface WireGaps {
  /** It has no bytes: sending them throws `CHN_PAYLOAD`. */
  readonly bytes?: boolean
  /** What the server sends names no join. */
  readonly joinRef?: boolean
}

const topics = ['room:lobby', 'ünï:☃', 't', '"quoted"\\']
const refs: readonly (string | null)[] = ['1', '4711', null]
const payloads: readonly object[] = [
  {},
  { text: 'hi', deep: [{ a: null, b: [true, 1.5, -2, ''] }] },
  { 'ké"y': '\u2028☃\n\\', empty: [], none: {} },
]
const data = Uint8Array.from([0, 1, 127, 128, 255])
const rubbish: readonly Frame[] = [
  '',
  'null',
  '[]',
  '{}',
  '"text"',
  '[1,2,3,4,5]',
  '[[[[',
  '\u0000',
  new Uint8Array(0),
  Uint8Array.of(0),
  Uint8Array.of(0, 255, 255, 255, 255, 1),
  Uint8Array.of(255, 254, 253),
]

/**
 * Checks a serializer against a client of its wire: each message of one end is read at the other, refs and payloads of all
 * kinds included; frames that are none are refused and never thrown, limits are kept, and a payload that cannot be carried is
 * `CHN_PAYLOAD`. Call it in a test.
 *
 * @example
 * ```ts
 * import { checkSerializer, type Message, phoenixV1 } from 'beamish/channels'
 * checkSerializer(
 *   phoenixV1,
 *   {
 *     encode: ({ joinRef, ...rest }) => JSON.stringify({ ...rest, join_ref: joinRef }),
 *     decode: (frame) => ({ joinRef: null, ...JSON.parse(String(frame)) }) as Message,
 *   },
 *   { bytes: true, joinRef: true },
 * )
 * ```
 * @throws CHN_SERIALIZER with what does not hold, for the first thing that does not
 */
export function checkSerializer(
  serializer: Serializer,
  client: WireEnd,
  gaps: WireGaps = {},
): void {
  if (findSerializer(serializer.name) !== serializer) {
    throw wrong(serializer, 'another one is known by its name: give it a name of its own')
  }
  checkReading(serializer, client, gaps)
  checkWriting(serializer, client, gaps)
  checkRefusals(serializer, client)
}

function checkReading(serializer: Serializer, client: WireEnd, gaps: WireGaps): void {
  const read = (message: Message): void => {
    const decoded = serializer.decode(client.encode(message), defaultDecodeLimits)
    if (!decoded.ok) throw wrong(serializer, `it refuses ${shown(message)}: ${decoded.reason}`)
    same(serializer, 'decode', decoded.message, message)
  }
  for (const topic of topics) {
    for (const joinRef of refs) {
      for (const ref of refs) {
        for (const payload of [...payloads, null, 7, 'text', [1, [2]]]) {
          read({ joinRef, ref, topic, event: 'say it', payload })
        }
      }
    }
    if (gaps.bytes !== true) read({ joinRef: '1', ref: '2', topic, event: 'file', payload: data })
  }
}

function checkWriting(serializer: Serializer, client: WireEnd, gaps: WireGaps): void {
  const kinds = gaps.bytes === true ? payloads : [...payloads, data]
  const named = (joinRef: string | null): string | null => (gaps.joinRef === true ? null : joinRef)
  for (const topic of topics) {
    for (const payload of kinds) {
      const broadcast = client.decode(serializer.encodeBroadcast(topic, 'say it', payload))
      const event = 'say it'
      same(serializer, 'encodeBroadcast', broadcast, {
        joinRef: null,
        ref: null,
        topic,
        event,
        payload,
      })
      const push = client.decode(serializer.encodePush('3', null, topic, event, payload))
      same(serializer, 'encodePush', push, {
        joinRef: named('3'),
        ref: null,
        topic,
        event,
        payload,
      })
      if (serializer.encodePushJson !== undefined && !(payload instanceof Uint8Array)) {
        const text = JSON.stringify(payload)
        const pushed = client.decode(serializer.encodePushJson('3', topic, event, text))
        same(serializer, 'encodePushJson', pushed, push)
      }
      for (const status of ['ok', 'error', 'büsy']) {
        const reply = client.decode(serializer.encodeReply('3', '9', topic, status, payload))
        same(serializer, 'encodeReply', reply, {
          joinRef: named('3'),
          ref: '9',
          topic,
          event: 'phx_reply',
          payload: { status, response: payload },
        })
      }
    }
    // The end of a channel names its join twice.
    const close = client.decode(serializer.encodePush('3', '3', topic, 'phx_close', {}))
    same(serializer, 'encodePush', close, {
      joinRef: named('3'),
      ref: '3',
      topic,
      event: 'phx_close',
      payload: {},
    })
  }
}

function checkRefusals(serializer: Serializer, client: WireEnd): void {
  const decode = (frame: Frame, limits: DecodeLimits = defaultDecodeLimits): boolean => {
    try {
      return serializer.decode(frame, limits).ok
    } catch (cause) {
      throw wrong(
        serializer,
        `decode throws for ${shown(frame)}: return { ok: false } instead`,
        cause,
      )
    }
  }
  for (const frame of rubbish) decode(frame)
  const message: Message = {
    joinRef: '12',
    ref: '34',
    topic: 'topic',
    event: 'event',
    payload: { a: [1] },
  }
  const frame = client.encode(message)
  for (const [limit, least] of [
    ['maxDepth', 2],
    ['maxTopicLength', 5],
    ['maxEventLength', 5],
    ['maxRefLength', 2],
  ] as const) {
    const limits = (value: number) => ({ ...defaultDecodeLimits, [limit]: value })
    if (!decode(frame, limits(least))) throw wrong(serializer, `it refuses what is within ${limit}`)
    if (decode(frame, limits(least - 1))) throw wrong(serializer, `it takes what is over ${limit}`)
  }
  for (const payload of [[1], null, 'text', { n: 1n }] as unknown[] as Payload[]) {
    for (const write of [
      () => serializer.encodeReply('1', '2', 'topic', 'ok', payload),
      () => serializer.encodePush('1', null, 'topic', 'event', payload),
      () => serializer.encodeBroadcast('topic', 'event', payload),
    ]) {
      const code = codeOf(write)
      if (code === 'CHN_PAYLOAD') continue
      throw wrong(serializer, `the payload ${shown(payload)} gives ${code}, and not CHN_PAYLOAD`)
    }
  }
}

function codeOf(write: () => Frame): unknown {
  try {
    write()
    return 'a frame'
  } catch (error) {
    return (error as { code?: unknown }).code ?? String(error)
  }
}

function same(serializer: Serializer, what: string, got: unknown, expected: unknown): void {
  if (isDeepStrictEqual(got, expected)) return
  throw wrong(serializer, `${what} gives ${shown(got)}, and not ${shown(expected)}`)
}

const shown = (value: unknown): string => {
  try {
    return (value instanceof Uint8Array ? `bytes ${value}` : JSON.stringify(value)).slice(0, 300)
  } catch {
    return 'what has no JSON'
  }
}

const wrong = (serializer: Serializer, what: string, cause?: unknown): ChannelError =>
  new ChannelError(
    'CHN_SERIALIZER',
    `The serializer "${serializer.name}" does not hold to its contract: ${what}.`,
    { cause },
  )
