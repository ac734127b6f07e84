/** Version 2 of Phoenix's wire: arrays of JSON in text frames, bytes in binary ones. */
import {
  decodeBinary,
  encodeBinaryBroadcast,
  encodeBinaryPush,
  encodeBinaryReply,
} from './binaryV2.ts'
import { defineSerializer, type Serializer } from './serializer.ts'
import { decode, encodeBroadcast, encodePush, encodeReply, pushOf } from './serializerV2.ts'

/**
 * Phoenix.Socket.V2.JSONSerializer: what the official clients speak since 2018.
 *
 * @example
 * ```ts
 * import { phoenixV2 } from 'beamish/channels'
 * const frame = phoenixV2.encodeBroadcast('room:a', 'message', { text: 'hi' })
 * console.assert(frame === '[null,null,"room:a","message",{"text":"hi"}]')
 * ```
 */
export const phoenixV2: Serializer = defineSerializer<Serializer>({
  name: 'phoenix.v2',
  decode: (frame, limits) =>
    typeof frame === 'string' ? decode(frame, limits) : decodeBinary(frame, limits),
  encodeReply: (joinRef, ref, topic, status, response) =>
    response instanceof Uint8Array
      ? encodeBinaryReply(joinRef, ref, topic, status, response)
      : encodeReply(joinRef, ref, topic, status, response),
  // A binary push has no place for a ref.
  encodePush: (joinRef, ref, topic, event, payload) =>
    payload instanceof Uint8Array
      ? encodeBinaryPush(joinRef, topic, event, payload)
      : encodePush(joinRef, topic, event, payload, ref),
  encodePushJson: (joinRef, topic, event, json) => pushOf(joinRef, null, topic, event, json),
  encodeBroadcast: (topic, event, payload) =>
    payload instanceof Uint8Array
      ? encodeBinaryBroadcast(topic, event, payload)
      : encodeBroadcast(topic, event, payload),
})
