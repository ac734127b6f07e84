/**
 * From a join to the live messages without a gap: what is broadcast on the topic from the moment the channel subscribes is held
 * back until its keeper has said what came before.
 */

import { Exit, type Self } from '../../runtime/index.ts'
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

/** The channel that goes on. */
export interface Resuming {
  joined(told: Resumed): void
  replay(message: Kept): void
  ended(): boolean
}

/** What is replayed in a turn: no more than a kernel takes at once from a socket whose client reads. */
const PIECE_CHARACTERS = 65_536

export class CatchUp {
  readonly #self: Self
  readonly #topic: string
  readonly #history: ChannelHistory
  readonly #live: FastLane
  #held: BroadcastMessage[] | undefined = []
  /** The newest that was not held. */
  #forgotten: Position | undefined

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
    this.#forgotten = positionOf(held.shift() as BroadcastMessage) ?? this.#forgotten
  }

  /**
   * Answers the join, then replays what its client missed since `position`, which is as the join gave it, a piece per turn:
   * a socket that is given all at once could meet its limit. What was held back follows, and what comes from then on.
   * @throws Exit when what was held back is lost with its keeper: the client joins again, and hears of it
   */
  async run(position: unknown, to: Resuming): Promise<void> {
    const given = parsePosition(position)
    let next = await this.#since(given)
    // What is no position is not nothing: its client has seen something, from nobody's count.
    const lost =
      next === undefined
        ? position !== undefined
        : next.lost || (given === undefined && position !== undefined)
    if (next === undefined) to.joined({ at: null, lost, missed: 0 })
    else {
      const at = formatPosition(given === undefined || lost ? next.at : given)
      to.joined({ at, lost, missed: next.messages.length })
    }
    while (next !== undefined) {
      if (!(await this.#replay(next, to))) return
      const { at } = next
      if (this.#forgotten === undefined || isBehind(this.#forgotten, at)) {
        this.#held = this.#held?.filter((message) => !isBefore(message, at))
        break
      }
      this.#forgotten = undefined
      next = await this.#since(at)
      if (next === undefined || next.lost) throw new Exit('history lost')
    }
    const held = this.#held ?? []
    this.#held = undefined
    for (const message of held) this.#live(message)
  }

  /** False when the channel has ended meanwhile. */
  async #replay({ messages }: Missed, to: Resuming): Promise<boolean> {
    let written = 0
    for (const message of messages) {
      if (to.ended()) return false
      to.replay(message)
      written += message.text.length
      if (written < PIECE_CHARACTERS) continue
      written = 0
      await this.#self.sleep(0)
    }
    return !to.ended()
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
  return position !== undefined && isBehind(position, at)
}

const isBehind = (position: Position, at: Position): boolean =>
  position.epoch === at.epoch && position.offset <= at.offset
