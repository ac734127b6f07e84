/**
 * The client's half of the wire in a test. What is sent and what comes is in frames of the real one, so that a test sees what a
 * client would see: Date as text, undefined left out, and refused what is refused there.
 */
import { ChannelError } from '../errors.ts'
import type { Frame } from '../wire/serializer.ts'

/** What the client of a test gets. What tells most comes first: a timeline shows the beginning. */
export type Term =
  | {
      readonly type: 'reply'
      readonly status: string
      readonly payload: unknown
      readonly topic: string
      readonly ref: string | null
      readonly joinRef: string | null
    }
  | {
      readonly type: 'push'
      readonly event: string
      readonly payload: unknown
      readonly topic: string
      /** null: a broadcast. */
      readonly joinRef: string | null
    }

/** What the client of a test sends. Bytes, and any view of them, go out in a binary frame. */
export interface Sent {
  readonly joinRef: string | null
  readonly ref: string | null
  readonly topic: string
  readonly event: string
  readonly payload: unknown
}

/** Kinds of binary frames (docs/wire.md), and how many fields each begins with. */
const PUSH = 0
const BROADCAST = 2
const FIELDS: Readonly<Record<number, number>> = { [PUSH]: 3, 1: 4, [BROADCAST]: 2 }

const utf8 = new TextDecoder()

/** Bytes of the longest field a binary frame has room for. */
const MAX_FIELD_BYTES = 255

/** @throws TypeError for what has no JSON, CHN_FIELD_TOO_LONG: as the official client does */
export function sentFrame({ joinRef, ref, topic, event, payload }: Sent): Frame {
  const data = bytesOf(payload)
  if (data === undefined) return JSON.stringify([joinRef, ref, topic, event, payload])
  const fields = [joinRef ?? '', ref ?? '', topic, event].map((field) => Buffer.from(field))
  const tooLong = fields.find(({ length }) => length > MAX_FIELD_BYTES)
  if (tooLong !== undefined) {
    throw new ChannelError(
      'CHN_FIELD_TOO_LONG',
      `"${tooLong}" is too long for a binary frame: shorten it to ${MAX_FIELD_BYTES} bytes of UTF-8.`,
    )
  }
  const header = Uint8Array.of(PUSH, ...fields.map(({ length }) => length))
  // A copy without the rest of Node's pool.
  return new Uint8Array(Buffer.concat([header, ...fields, data]))
}

function bytesOf(payload: unknown): Uint8Array | undefined {
  if (payload instanceof ArrayBuffer) return new Uint8Array(payload)
  if (!ArrayBuffer.isView(payload)) return undefined
  return new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength)
}

/** What a frame of the server says. */
export function termOf(frame: Frame): Term {
  if (typeof frame !== 'string') return binaryTerm(frame)
  const [joinRef, ref, topic, event, payload] = JSON.parse(frame)
  if (event !== 'phx_reply') return { type: 'push', event, payload, topic, joinRef }
  const { status, response } = payload
  return { type: 'reply', status, payload: response, topic, ref, joinRef }
}

function binaryTerm(frame: Uint8Array): Term {
  const kind = frame[0] as number
  const count = FIELDS[kind] ?? 0
  let at = 1 + count
  const fields = Array.from({ length: count }, (_, i) => {
    const from = at
    at += frame[1 + i] as number
    return utf8.decode(frame.subarray(from, at))
  })
  const payload = new Uint8Array(frame.subarray(at))
  const [first, second, third, fourth] = fields as [string, string, string, string]
  if (kind === PUSH) return { type: 'push', event: third, payload, topic: second, joinRef: first }
  if (kind === BROADCAST)
    return { type: 'push', event: second, payload, topic: first, joinRef: null }
  return { type: 'reply', status: fourth, payload, topic: third, ref: second, joinRef: first }
}
