/**
 * The wire of a test: messages that stay what they are, so that a test compares terms and not text. What the real wire would
 * refuse is refused here too, where it was sent.
 */
import { refuse } from '../wire/message.ts'
import { phoenixV2 } from '../wire/phoenixV2.ts'
import { defineSerializer, type Frame, type Payload, type Serializer } from '../wire/serializer.ts'

/** What the client of a test gets, as it was sent. What tells most comes first: a timeline shows the beginning. */
export type Term =
  | {
      readonly type: 'reply'
      readonly topic: string
      readonly joinRef: string | null
      readonly ref: string | null
      readonly status: string
      readonly payload: unknown
    }
  | {
      readonly type: 'push'
      readonly topic: string
      /** null: a broadcast. */
      readonly joinRef: string | null
      readonly event: string
      readonly payload: unknown
    }

/** What the client of a test sends. */
export interface Sent {
  readonly joinRef: string | null
  readonly ref: string | null
  readonly topic: string
  readonly event: string
  readonly payload: unknown
}

/** A frame here is a term with the size it would have on the wire: sockets and queues count by that. */
export interface TermFrame<T> {
  readonly length: number
  readonly term: T
}

const sizeOf = (frame: Frame): number =>
  typeof frame === 'string' ? Buffer.byteLength(frame) : frame.length

/** Bytes and what JSON has no word for stay what they are; what is sent is not what its sender changes later. */
const framed = (term: Term, wire: Frame): Frame => frameOf(structuredClone(term), sizeOf(wire))

/** The rest of the library hands frames on without a look at them. */
const frameOf = <T>(term: T, length: number): Frame =>
  ({ length, term }) satisfies TermFrame<T> as unknown as Frame

export const termOf = <T>(frame: Frame): T => (frame as unknown as TermFrame<T>).term

export const sentFrame = (sent: Sent): Frame => frameOf(structuredClone(sent), 0)

/** ChannelTest's NoopSerializer. */
export const terms: Serializer = defineSerializer<Serializer>({
  name: 'beamish.terms',
  decode(frame) {
    const message = termOf<Sent | undefined>(frame)
    return message === undefined ? refuse('bad_frame', 'no term of a test') : { ok: true, message }
  },
  encodeReply: (joinRef, ref, topic, status, payload: Payload) =>
    framed(
      { type: 'reply', status, payload, topic, ref, joinRef },
      phoenixV2.encodeReply(joinRef, ref, topic, status, payload),
    ),
  encodePush: (joinRef, ref, topic, event, payload: Payload) =>
    framed(
      { type: 'push', event, payload, topic, joinRef },
      phoenixV2.encodePush(joinRef, ref, topic, event, payload),
    ),
  encodeBroadcast: (topic, event, payload: Payload) =>
    framed(
      { type: 'push', event, payload, topic, joinRef: null },
      phoenixV2.encodeBroadcast(topic, event, payload),
    ),
})
