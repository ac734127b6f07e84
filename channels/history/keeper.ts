/** Finding the keeper of a topic, from any thread: the topic's name is its key. */
import { NO_PID } from '../../runtime/process/pid.ts'
import { Self } from '../../runtime/process/self.ts'
import { ChannelError } from '../errors.ts'
import type { Payload } from '../wire/serializer.ts'
import { encodePayload } from '../wire/serializerV2.ts'
import type { Resumed } from './catchUp.ts'
import { startKeeper } from './histories.ts'
import type { ChannelHistory } from './options.ts'
import { HISTORY } from './position.ts'
import { HistoryKeeper, type Keep, keeperName } from './process.ts'

type Keeper = ReturnType<typeof HistoryKeeper.named>

/** undefined while the thread of the topic is being replaced. */
function keeperOf(self: Self, topic: string): Keeper | undefined {
  const { scheduler } = Self.processOf(self)
  const thread = scheduler.board.ofKey(topic)
  if (thread === undefined) return undefined
  const name = keeperName(thread)
  return scheduler.names.findAfterDrain(name) === undefined ? undefined : HistoryKeeper.named(name)
}

/** The same; where there is a thread and no keeper yet, it is started: no endpoint has done so. */
export async function whenKept(self: Self, topic: string): Promise<Keeper | undefined> {
  const known = keeperOf(self, topic)
  if (known !== undefined) return known
  const thread = Self.processOf(self).scheduler.board.ofKey(topic)
  if (thread === undefined) return undefined
  await startKeeper(self, thread)
  return keeperOf(self, topic)
}

/**
 * The answer to a join, with what it tells of the history in it.
 * @throws CHN_HISTORY
 */
export function withHistory(topic: string, response: object, told: Resumed): object {
  if (Object.hasOwn(response, HISTORY)) {
    throw new ChannelError(
      'CHN_HISTORY',
      `The answer to the join of ${topic} has a field named ${HISTORY}, where the client finds its position: give yours another name in joined().`,
    )
  }
  return { ...response, [HISTORY]: told }
}

/**
 * Sends a broadcast by way of its topic's keeper. False while there is none: it then goes out as any other, and is not kept.
 * @throws CHN_PAYLOAD, CHN_HISTORY
 */
export function keep(
  self: Self,
  { limits }: ChannelHistory,
  topic: string,
  event: string,
  payload: Payload,
  butMe: boolean,
): boolean {
  if (payload instanceof Uint8Array || Object.hasOwn(payload, HISTORY)) {
    throw new ChannelError(
      'CHN_HISTORY',
      `${event} on ${topic} cannot be kept: give an object without a field named ${HISTORY}, bytes as text, or take the event out of history.events.`,
    )
  }
  const json = encodePayload(payload)
  const keeper = keeperOf(self, topic)
  if (keeper === undefined) return false
  const except = butMe ? self.pid : NO_PID
  self.cast(keeper, 'keep', { topic, event, json, limits, except } satisfies Keep)
  return true
}
