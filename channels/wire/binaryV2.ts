// Binary frames of the Phoenix V2 wire: a kind, one length byte per field, the fields in UTF-8,
// and the rest is data.
//
//   client push  00 L(joinRef) L(ref) L(topic) L(event)  joinRef ref topic event data
//   server push  00 L(joinRef) L(topic) L(event)         joinRef topic event data
//   reply        01 L(joinRef) L(ref) L(topic) L(status) joinRef ref topic status data
//   broadcast    02 L(topic) L(event)                    topic event data

import { ChannelError } from '../errors.ts'
import {
  type Decoded,
  type DecodeLimits,
  defaultDecodeLimits,
  type Message,
  overLength,
  refuse,
} from './message.ts'

const kindPush = 0
const kindReply = 1
const kindBroadcast = 2
const pushHeaderBytes = 5
const maxFieldBytes = 255

const encoder = new TextEncoder()
// ignoreBOM keeps a leading U+FEFF: a field is exactly its bytes.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads a binary frame of a client, which is always a push. Never throws. An empty join ref is ''
 * and not null, as in Phoenix: it belongs to no join. The payload is a copy with a buffer of its
 * own, so that keeping it or sending it to another thread does not carry the network buffer along.
 *
 * @example
 * decodeBinary(frame) // { ok: true, message: { joinRef: '1', ref: '2', topic: 'room:a', event: 'file', payload: Uint8Array } }
 */
export function decodeBinary(
  frame: Uint8Array,
  limits: DecodeLimits = defaultDecodeLimits,
): Decoded {
  if (frame[0] !== kindPush) return refuse('bad_binary', 'the frame is not a client push')
  if (frame.length < pushHeaderBytes) return refuse('bad_binary', 'the frame ends in its header')
  const joinRefEnd = pushHeaderBytes + byteAt(frame, 1)
  const refEnd = joinRefEnd + byteAt(frame, 2)
  const topicEnd = refEnd + byteAt(frame, 3)
  const eventEnd = topicEnd + byteAt(frame, 4)
  if (frame.length < eventEnd) return refuse('bad_binary', 'the frame ends in its fields')
  let joinRef: string
  let ref: string
  let topic: string
  let event: string
  try {
    joinRef = decoder.decode(frame.subarray(pushHeaderBytes, joinRefEnd))
    ref = decoder.decode(frame.subarray(joinRefEnd, refEnd))
    topic = decoder.decode(frame.subarray(refEnd, topicEnd))
    event = decoder.decode(frame.subarray(topicEnd, eventEnd))
  } catch {
    return refuse('bad_binary', 'a field is not UTF-8')
  }
  const tooLong = overLength(joinRef, ref, topic, event, limits)
  if (tooLong !== undefined) return refuse('too_long', tooLong)
  // Not frame.slice(): on a Buffer that is a view.
  const payload = new Uint8Array(frame.subarray(eventEnd))
  return { ok: true, message: { joinRef, ref, topic, event, payload } }
}

/**
 * A server push of bytes. The frame has a buffer of its own, so it can be sent to another thread
 * as it is. Throws `CHN_FIELD_TOO_LONG` for a field over 255 bytes of UTF-8.
 *
 * @example
 * socket.send(encodeBinaryPush('3', 'room:a', 'file', bytes))
 */
export function encodeBinaryPush(
  joinRef: string | null,
  topic: string,
  event: string,
  data: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return frameOf(kindPush, ['joinRef', 'topic', 'event'], [joinRef ?? '', topic, event], data)
}

/** A reply of bytes; see `encodeBinaryPush`. The client sees `{ status, response: ArrayBuffer }`. */
export function encodeBinaryReply(
  joinRef: string | null,
  ref: string | null,
  topic: string,
  status: string,
  data: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const fields = [joinRef ?? '', ref ?? '', topic, status]
  return frameOf(kindReply, ['joinRef', 'ref', 'topic', 'status'], fields, data)
}

/** Who a binary reply answers; undefined for any other frame. */
export function binaryReplyOf(
  frame: Uint8Array,
): Pick<Message, 'joinRef' | 'ref' | 'topic'> | undefined {
  if (frame[0] !== kindReply) return undefined
  const joinRefEnd = pushHeaderBytes + byteAt(frame, 1)
  const refEnd = joinRefEnd + byteAt(frame, 2)
  const topicEnd = refEnd + byteAt(frame, 3)
  const field = (start: number, end: number): string => decoder.decode(frame.subarray(start, end))
  return {
    joinRef: field(pushHeaderBytes, joinRefEnd) || null,
    ref: field(joinRefEnd, refEnd) || null,
    topic: field(refEnd, topicEnd),
  }
}

/** A broadcast of bytes, one frame for every subscriber; see `encodeBinaryPush`. */
export function encodeBinaryBroadcast(
  topic: string,
  event: string,
  data: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return frameOf(kindBroadcast, ['topic', 'event'], [topic, event], data)
}

function frameOf(
  kind: number,
  names: readonly string[],
  fields: readonly string[],
  data: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const encoded = fields.map((field, i) => fieldBytes(names[i] ?? '', field))
  const size = encoded.reduce((sum, bytes) => sum + 1 + bytes.length, 1 + data.length)
  const frame = new Uint8Array(size)
  frame[0] = kind
  let at = 1
  for (const bytes of encoded) frame[at++] = bytes.length
  for (const bytes of encoded) {
    frame.set(bytes, at)
    at += bytes.length
  }
  frame.set(data, at)
  return frame
}

function fieldBytes(name: string, field: string): Uint8Array {
  const bytes = encoder.encode(field)
  if (bytes.length <= maxFieldBytes) return bytes
  throw new ChannelError(
    'CHN_FIELD_TOO_LONG',
    `The ${name} of a binary frame has ${bytes.length} bytes of UTF-8, over ${maxFieldBytes}: shorten it, or send the data as base64 in a JSON payload.`,
  )
}

const byteAt = (frame: Uint8Array, index: number): number => frame[index] ?? 0
