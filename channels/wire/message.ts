// What a Phoenix frame says, apart from how it is written.

/**
 * One frame. `joinRef` names the join it belongs to, `ref` the push it answers or is; both are
 * strings the client chose, or null. A payload that came in a binary frame is a `Uint8Array`.
 *
 * A decoded payload is whatever the peer sent: any JSON value, also one with an own key named
 * `__proto__`. Validate it, and never merge it into another object.
 */
export type Message = {
  readonly joinRef: string | null
  readonly ref: string | null
  readonly topic: string
  readonly event: string
  readonly payload: unknown
}

/** Limits on one incoming frame. The size of the frame itself is limited by the transport. */
export type DecodeLimits = {
  /** Levels of arrays and objects a payload may have; `{}` has one, `1` has none. */
  readonly maxDepth: number
  /** UTF-16 code units. */
  readonly maxTopicLength: number
  /** UTF-16 code units. */
  readonly maxEventLength: number
  /** UTF-16 code units, of each of the two refs. They are echoed in every reply. */
  readonly maxRefLength: number
}

export const defaultDecodeLimits: DecodeLimits = {
  maxDepth: 64,
  maxTopicLength: 1_024,
  maxEventLength: 255,
  maxRefLength: 255,
}

/** Why a frame was refused. Stable: telemetry and tests name these. */
export type DecodeErrorCode =
  | 'bad_json'
  | 'bad_frame'
  | 'bad_ref'
  | 'bad_topic'
  | 'bad_event'
  | 'too_deep'
  | 'too_long'
  | 'bad_binary'

/** What decoding gives. `reason` is a sentence for logs and never quotes what the peer sent. */
export type Decoded =
  | { readonly ok: true; readonly message: Message }
  | { readonly ok: false; readonly error: DecodeErrorCode; readonly reason: string }

/** A refusal, as data. */
export const refuse = (
  error: DecodeErrorCode,
  reason: string,
): Extract<Decoded, { ok: false }> => ({
  ok: false,
  error,
  reason,
})

/** The sentence for the first field over its limit, if one is. */
export function overLength(
  joinRef: string | null,
  ref: string | null,
  topic: string,
  event: string,
  limits: DecodeLimits,
): string | undefined {
  if (topic.length > limits.maxTopicLength) {
    return `topic is longer than ${limits.maxTopicLength} characters`
  }
  if (event.length > limits.maxEventLength) {
    return `event is longer than ${limits.maxEventLength} characters`
  }
  if (
    (joinRef !== null && joinRef.length > limits.maxRefLength) ||
    (ref !== null && ref.length > limits.maxRefLength)
  ) {
    return `a ref is longer than ${limits.maxRefLength} characters`
  }
  return undefined
}

/** The message of five decoded fields, each checked for its kind and length. */
export function messageOf(
  joinRef: unknown,
  ref: unknown,
  topic: unknown,
  event: unknown,
  payload: unknown,
  limits: DecodeLimits,
): Decoded {
  if (!isRef(joinRef)) return refuse('bad_ref', 'join_ref is neither a string nor null')
  if (!isRef(ref)) return refuse('bad_ref', 'ref is neither a string nor null')
  if (!isName(topic)) return refuse('bad_topic', 'topic is not a string of whole code points')
  if (!isName(event)) return refuse('bad_event', 'event is not a string of whole code points')
  const tooLong = overLength(joinRef, ref, topic, event, limits)
  if (tooLong !== undefined) return refuse('too_long', tooLong)
  return { ok: true, message: { joinRef, ref, topic, event, payload } }
}

const isRef = (value: unknown): value is string | null =>
  value === null || typeof value === 'string'

// A lone surrogate has no UTF-8: two different topics would become one on the way out.
const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.isWellFormed()
