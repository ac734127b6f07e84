/**
 * Bytes for a client whose version of the wire has none. Neither their sender nor the channel has to end for what one client
 * cannot get; whoever waits for a reply gets one.
 */
import type { Frame, Payload, Serializer } from './serializer.ts'

const RESPONSE = { reason: 'bytes need version 2.0.0 of the wire' }

/** Whether the payload has no place in what that serializer writes. */
export const lacks = (serializer: Serializer, payload: unknown): payload is Uint8Array =>
  serializer.textOnly === true && payload instanceof Uint8Array

/** The frame of a reply; one of bytes that cannot be sent is an error reply. */
export function replyFrame(
  serializer: Serializer,
  joinRef: string | null,
  ref: string | null,
  topic: string,
  status: string,
  response: Payload,
): Frame {
  return lacks(serializer, response)
    ? serializer.encodeReply(joinRef, ref, topic, 'error', RESPONSE)
    : serializer.encodeReply(joinRef, ref, topic, status, response)
}
