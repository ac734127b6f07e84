/**
 * From a join to the live messages without a gap: what is broadcast on the topic from the moment the channel subscribes is held
 * back until its keeper has said what came before.
 */

import type { Self } from '../../runtime/index.ts'
import type { BroadcastMessage } from '../../runtime/process/messages.ts'
import type { FastLane } from '../../runtime/pubsub/pubsub.ts'
import type { Missed } from './book.ts'
import { keeperOf } from './keeper.ts'
import type { ChannelHistory } from './options.ts'
import { formatPosition, type Position, parsePosition, positionIn } from './position.ts'
import type { Kept } from './ring.ts'

/** Messages held back at a time. One that goes for a newer one is in the history, and asked for again. */
const MAX_HELD = 256

/** What a client hears of its history with the answer to its join. */
export interface Resumed {
  /** The position its messages go on from: its own, or where the topic is. null: nobody keeps the topic right now. */
  readonly at: string | null
  /** It may have missed messages that are not known any more. */
  readonly lost: boolean
  /** How many messages of the past follow. */
  readonly missed: number
}

export class CatchUp {
  readonly #self: Self
  readonly #topic: string
  readonly #history: ChannelHistory
  readonly #live: FastLane
  #held: BroadcastMessage[] | undefined = []
  /** Offset of the newest that was not held. */
  #forgotten = 0

  constructor(self: Self, topic: string, history: ChannelHistory, live: FastLane) {
    this.#self = self
    this.#topic = topic
    this.#history = history
    this.#live = live
  }

  /** For the channel's subscription, for as long as it lasts. */
  readonly lane: FastLane = (message) => {
    const held = this.#held
    if (held === undefined || !this.#history.events.has(message.event)) {
      this.#live(message)
      return
    }
    held.push(message)
    if (held.length <= MAX_HELD) return
    const oldest = held.shift() as BroadcastMessage
    this.#forgotten = Math.max(this.#forgotten, positionOf(oldest)?.offset ?? 0)
  }

  /**
   * Resolves with what a client missed since `position`, which is as its join gave it. goOn() must follow in the same tick:
   * what comes after belongs behind it.
   */
  async missed(position: unknown): Promise<{ told: Resumed; messages: readonly Kept[] }> {
    const given = parsePosition(position)
    const first = await this.#since(given)
    if (first === undefined) {
      const lost = position !== undefined || this.#forgotten > 0
      return { told: { at: null, lost, missed: 0 }, messages: [] }
    }
    let { at, messages } = first
    // What is no position is not nothing: its client has seen something, from nobody's count.
    const lost = first.lost || (given === undefined && position !== undefined)
    while (this.#forgotten > at.offset) {
      const more = await this.#since(at)
      if (more === undefined || more.lost)
        return { told: { at: null, lost: true, missed: 0 }, messages: [] }
      if (!lost) messages = [...messages, ...more.messages]
      at = more.at
    }
    this.#held = this.#held?.filter((message) => !isBefore(message, at))
    if (given === undefined || lost) {
      return { told: { at: formatPosition(at), lost, missed: 0 }, messages: [] }
    }
    const told = { at: formatPosition(given), lost, missed: messages.length }
    return { told, messages }
  }

  /** What was held back goes to the client, and what comes from now on. */
  goOn(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const message of held) this.#live(message)
  }

  async #since(after: Position | undefined): Promise<Missed | undefined> {
    const keeper = keeperOf(this.#self, this.#topic)
    if (keeper === undefined) return undefined
    const { limits } = this.#history
    try {
      return await this.#self.call(keeper, 'since', { topic: this.#topic, after, limits })
    } catch {
      // It has ended, or is too busy to say in time.
      return undefined
    }
  }
}

const positionOf = ({ payload }: BroadcastMessage): Position | undefined =>
  parsePosition(positionIn(payload))

/** Whether `at` is behind it already. Not so for one that came around the keeper: it is in no history. */
function isBefore(message: BroadcastMessage, at: Position): boolean {
  const position = positionOf(message)
  return position !== undefined && position.epoch === at.epoch && position.offset <= at.offset
}
