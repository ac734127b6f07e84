/** Version 1 of Phoenix's wire: objects of JSON in text frames; it has no binary ones, and the server names no join. */
import { ChannelError } from '../errors.ts'
import { parseFrame } from './json.ts'
import { type Decoded, type DecodeLimits, messageOf, refuse } from './message.ts'
import { defineSerializer, type Payload, type Serializer } from './serializer.ts'
import { encodePayload } from './serializerV2.ts'

/**
 * Phoenix.Socket.V1.JSONSerializer. A client of this version that sends `join_ref` has it checked like one of version 2.
 *
 * @example
 * ```ts
 * import { phoenixV1 } from 'beamish/channels'
 * const frame = phoenixV1.encodeBroadcast('room:a', 'message', { text: 'hi' })
 * console.assert(frame === '{"topic":"room:a","event":"message","ref":null,"payload":{"text":"hi"}}')
 * ```
 */
export const phoenixV1: Serializer = defineSerializer<Serializer>({
  name: 'phoenix.v1',
  textOnly: true,
  decode(frame, limits) {
    return typeof frame === 'string'
      ? decodeText(frame, limits)
      : refuse('bad_binary', 'version 1 of the wire has no binary frames')
  },
  encodeReply: (_joinRef, ref, topic, status, response) =>
    frameOf(
      topic,
      'phx_reply',
      ref,
      `{"status":${JSON.stringify(status)},"response":${json(response)}}`,
    ),
  encodePush: (_joinRef, ref, topic, event, payload) => frameOf(topic, event, ref, json(payload)),
  encodePushJson: (_joinRef, topic, event, text) => frameOf(topic, event, null, text),
  encodeBroadcast: (topic, event, payload) => frameOf(topic, event, null, json(payload)),
})

function decodeText(text: string, limits: DecodeLimits): Decoded {
  const parsed = parseFrame(text, limits)
  if (!parsed.ok) return parsed
  const frame = parsed.value
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) {
    return refuse('bad_frame', 'the frame is not an object of topic, event, payload, ref')
  }
  for (const key of ['topic', 'event', 'payload', 'ref']) {
    if (!Object.hasOwn(frame, key)) return refuse('bad_frame', `the frame has no ${key}`)
  }
  const { topic, event, payload, ref, join_ref: joinRef = null } = frame as Record<string, unknown>
  return messageOf(joinRef, ref, topic, event, payload, limits)
}

function json(payload: Payload): string {
  if (payload instanceof Uint8Array) {
    throw new ChannelError(
      'CHN_PAYLOAD',
      'The outgoing payload is bytes, and version 1 of the wire has none: send base64 in an object, or let the client speak 2.0.0.',
    )
  }
  return encodePayload(payload)
}

const frameOf = (topic: string, event: string, ref: string | null, payload: string): string =>
  `{"topic":${JSON.stringify(topic)},"event":${JSON.stringify(event)},"ref":${ref === null ? 'null' : JSON.stringify(ref)},"payload":${payload}}`
