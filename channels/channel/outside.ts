/** Broadcasts of a channel from outside of it: from a process, a timer, a route over HTTP, on any thread. */
import type { Self } from '../../runtime/index.ts'
import { Self as SelfClass } from '../../runtime/process/self.ts'
import { phoenixV2 } from '../wire/phoenixV2.ts'
import type { Payload } from '../wire/serializer.ts'
import { broadcastOn } from './broadcast.ts'
import type { ChannelDefinition } from './channel.ts'
import { checkPush } from './pushes.ts'
import type { Sent } from './socket.ts'

/** What channel() returns can also do. `Pushes`: payloads of the events it may send, by event. */
export interface Broadcasts<Pushes extends object> {
  /**
   * Sends an event to all who joined a topic of this channel, on every thread, as `socket.broadcast` does: what the channel
   * keeps is kept. For any process; `self` is that process's.
   *
   * @example
   * ```ts
   * import { channel, string } from 'beamish/channels'
   * import { clientOf } from 'beamish/channels/testing'
   * import { testNode } from 'beamish/testing'
   * const News = channel('doc-news', {
   *   pushes: { headline: { text: string(1, 200) } },
   *   history: { events: ['headline'] },
   *   join: (_topic, _params, socket) => socket,
   * })
   * const node = await testNode()
   * const reader = await (await clientOf(node, {})).join('news:world', {}, News)
   * News.broadcast(node.self, 'news:world', 'headline', { text: 'It is said once' })
   * await reader.assertPush('headline', { text: 'It is said once', history: /:1$/ })
   * ```
   * @throws CHN_PUSH in development for what is not as declared, CHN_PAYLOAD, CHN_HISTORY
   */
  broadcast<K extends keyof Pushes & string>(
    self: Self,
    topic: string,
    event: K,
    ...[payload]: Sent<Pushes[K]>
  ): void
}

export function broadcastFromOutside(
  definition: ChannelDefinition,
  self: Self,
  topic: string,
  event: string,
  payload: Payload = {},
): void {
  const { development } = SelfClass.processOf(self).scheduler
  if (development) checkPush(definition, event, payload)
  broadcastOn(self, phoenixV2, topic, event, payload, false, definition.history)
}
