/** Replies that come later. */
import type { Self } from '../../runtime/index.ts'
import type { ToTransport } from '../wire/link.ts'
import { findSerializer, type Payload } from '../wire/serializer.ts'
import { replyFrame } from '../wire/textOnly.ts'
import type { SocketRef } from './socket.ts'

/**
 * Answers a push that handleIn did not answer, from any process on any thread: `ref` is what `socket.ref()` gave there. The
 * client takes the first answer; one whose channel or connection is gone goes nowhere. It keeps its place among what the
 * channel sends: what that sends after it has answered, or after it heard of it from whoever did, comes later, its end too.
 *
 * @example
 * ```ts
 * import { task } from 'beamish'
 * import { any, channel, replyTo } from 'beamish/channels'
 * channel('doc-later', {
 *   events: { work: any() },
 *   join: (_topic, _payload, socket) => socket,
 *   handleIn: {
 *     work(_payload, socket) {
 *       const ref = socket.ref()
 *       task.async(socket.self, async () => replyTo(socket.self, ref, 'ok', { done: true }))
 *     },
 *   },
 * })
 * ```
 * @throws CHN_PAYLOAD
 */
export function replyTo(self: Self, ref: SocketRef, status: string, payload: Payload = {}): void {
  const { via, inlet, id, serializer, topic, joinRef } = ref
  const frame = replyFrame(findSerializer(serializer), joinRef, ref.ref, topic, status, payload)
  const message: ToTransport = { type: 'phx:frame', id, frame, spare: false, event: '' }
  self.reply({ pid: via, ref: inlet }, message)
}
