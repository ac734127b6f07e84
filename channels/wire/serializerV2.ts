// Text frames of the Phoenix V2 wire: `[joinRef, ref, topic, event, payload]` as JSON.

import { ChannelError } from '../errors.ts'
import { parseFrame } from './json.ts'
import {
  type Decoded,
  type DecodeLimits,
  defaultDecodeLimits,
  messageOf,
  refuse,
} from './message.ts'

/**
 * Reads a text frame. Never throws. At least five elements, further ones ignored; refs are strings
 * or null; topic and event are strings of whole code points; the payload is any JSON value.
 *
 * Source: Phoenix V2 JSON serializer; it raises where this returns `{ ok: false }`.
 *
 * @example
 * decode('["3","4","room:a","say",{"text":"hi"}]')
 * // { ok: true, message: { joinRef: '3', ref: '4', topic: 'room:a', event: 'say', payload: { text: 'hi' } } }
 */
export function decode(text: string, limits: DecodeLimits = defaultDecodeLimits): Decoded {
  const parsed = parseFrame(text, limits)
  if (!parsed.ok) return parsed
  const frame = parsed.value
  if (!Array.isArray(frame) || frame.length < 5) {
    return refuse('bad_frame', 'the frame is not an array of join_ref, ref, topic, event, payload')
  }
  const [joinRef, ref, topic, event, payload]: unknown[] = frame
  return messageOf(joinRef, ref, topic, event, payload, limits)
}

/**
 * The text of a reply to the push `ref`: event `phx_reply`, payload `{ status, response }`.
 * Throws `CHN_PAYLOAD` unless `response` is an object that JSON can carry.
 *
 * @example
 * encodeReply('3', '3', 'room:a', 'ok', {})
 * // '["3","3","room:a","phx_reply",{"status":"ok","response":{}}]'
 */
export function encodeReply(
  joinRef: string | null,
  ref: string | null,
  topic: string,
  status: string,
  response: object,
): string {
  const body = encodePayload(response)
  return `[${jsonRef(joinRef)},${jsonRef(ref)},${JSON.stringify(topic)},"phx_reply",{"status":${JSON.stringify(status)},"response":${body}}]`
}

/**
 * The text of a server push on one join of a topic. Throws `CHN_PAYLOAD` as `encodeReply` does.
 *
 * @example
 * encodePush('3', 'room:a', 'message', { text: 'hi' }) // '["3",null,"room:a","message",{"text":"hi"}]'
 */
export function encodePush(
  joinRef: string | null,
  topic: string,
  event: string,
  payload: object,
  ref: string | null = null,
): string {
  return pushOf(joinRef, ref, topic, event, encodePayload(payload))
}

/** The same of a payload that is JSON already. */
export const pushOf = (
  joinRef: string | null,
  ref: string | null,
  topic: string,
  event: string,
  json: string,
): string =>
  `[${jsonRef(joinRef)},${jsonRef(ref)},${JSON.stringify(topic)},${JSON.stringify(event)},${json}]`

/**
 * The text of a broadcast. It carries no join ref, so one string serves every subscriber: encode
 * once, send the string to each socket and to each thread. Throws `CHN_PAYLOAD` as `encodeReply`
 * does, in the process that broadcasts.
 *
 * @example
 * encodeBroadcast('room:a', 'message', { text: 'hi' }) // '[null,null,"room:a","message",{"text":"hi"}]'
 */
export function encodeBroadcast(topic: string, event: string, payload: object): string {
  return encodePush(null, topic, event, payload)
}

/**
 * The JSON of an outgoing payload. Phoenix sends only maps, and its clients rely on that; anything
 * whose JSON is not an object, or would silently lose its content, throws `CHN_PAYLOAD`.
 */
export function encodePayload(payload: object): string {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    throw payloadError('is not an object', 'wrap it, as in { data: value }')
  }
  if (ArrayBuffer.isView(payload) || payload instanceof ArrayBuffer) {
    throw payloadError('is bytes', 'pass them as a Uint8Array')
  }
  let text: string | undefined
  try {
    text = JSON.stringify(payload)
  } catch (cause) {
    throw payloadError(
      'has no JSON',
      'send plain data without cycles, and bigints as strings',
      cause,
    )
  }
  if (text?.charCodeAt(0) !== 0x7b) {
    throw payloadError(
      'becomes something else than an object in JSON',
      'wrap it, as in { at: date }',
    )
  }
  if (text === '{}' && (payload instanceof Map || payload instanceof Set)) {
    throw payloadError(
      'is a Map or Set, which JSON writes as {}',
      'use Object.fromEntries(map) or { items: [...set] }',
    )
  }
  return text
}

const jsonRef = (ref: string | null): string => (ref === null ? 'null' : JSON.stringify(ref))

function payloadError(what: string, fix: string, cause?: unknown): ChannelError {
  const options = cause === undefined ? undefined : { cause }
  return new ChannelError('CHN_PAYLOAD', `The outgoing payload ${what}: ${fix}.`, options)
}
