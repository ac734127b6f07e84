/**
 * Broadcasts to channels: encoded by the sender, once, in the version of the wire its own client speaks, so that what has no
 * JSON fails where it was sent. The frame goes with the message; whoever has it on the same thread and speaks the same
 * version sends it as it is (Phoenix fastlane).
 */
import type { Pid } from '../../runtime/index.ts'
import type { BroadcastMessage } from '../../runtime/process/messages.ts'
import { NO_PID } from '../../runtime/process/pid.ts'
import { Self } from '../../runtime/process/self.ts'
import { keep } from '../history/keeper.ts'
import type { ChannelHistory } from '../history/options.ts'
import type { Frame, Payload, Serializer } from '../wire/serializer.ts'
import { lacks } from '../wire/textOnly.ts'

/** Frames of one broadcast, by serializer. */
class Frames {
  readonly #serializer: Serializer
  readonly #frame: Frame
  #others: Map<Serializer, Frame> | undefined

  constructor(serializer: Serializer, frame: Frame) {
    this.#serializer = serializer
    this.#frame = frame
  }

  of(serializer: Serializer, { topic, event, payload }: BroadcastMessage): Frame {
    if (serializer === this.#serializer) return this.#frame
    this.#others ??= new Map()
    let frame = this.#others.get(serializer)
    if (frame === undefined) {
      frame = serializer.encodeBroadcast(topic, event, payload as Payload)
      this.#others.set(serializer, frame)
    }
    return frame
  }
}

/** @throws CHN_PAYLOAD, CHN_HISTORY */
export function broadcastOn(
  self: Self,
  serializer: Serializer,
  topic: string,
  event: string,
  payload: Payload,
  butMe: boolean,
  history: ChannelHistory | undefined,
): void {
  if (history?.events.has(event) && keep(self, history, topic, event, payload, butMe)) return
  const frames = lacks(serializer, payload)
    ? undefined
    : new Frames(serializer, serializer.encodeBroadcast(topic, event, payload))
  const { scheduler } = Self.processOf(self)
  const except: Pid = butMe ? self.pid : NO_PID
  scheduler.pubsub.broadcast(self.pid, topic, event, payload, except, false, frames)
}

/** The frame of a broadcast, which may come from anywhere. @throws CHN_PAYLOAD */
export function frameOf(message: BroadcastMessage, serializer: Serializer): Frame {
  if (!(message.memo instanceof Frames)) {
    const { topic, event, payload } = message
    message.memo = new Frames(
      serializer,
      serializer.encodeBroadcast(topic, event, payload as Payload),
    )
  }
  return (message.memo as Frames).of(serializer, message)
}
