/**
 * From a join to the live messages without a gap: what is broadcast on the topic from the moment the channel subscribes is held
 * back until its keeper has said what came before.
 */

import { Exit, type Self } from '../../runtime/index.ts'
import { type BroadcastMessage, KernelMessage } from '../../runtime/process/messages.ts'
import type { FastLane } from '../../runtime/pubsub/pubsub.ts'
import type { Missed } from './book.ts'
import { inTurn } from './gate.ts'
import { whenKept } from './keeper.ts'
import type { ChannelHistory } from './options.ts'
import { formatPosition, type Position, parsePosition, positionIn } from './position.ts'
import type { Kept } from './ring.ts'

/** Messages held back at a time. One that goes for a newer one is in the history, and asked for again. */
const MAX_HELD = 256
/** Messages without a position that wait for the answer to the join. They are the same objects for all who wait. */
const MAX_EARLY = 10_000

/** Of a page: no more than a kernel takes at once from a socket whose client reads. */
const PAGE_CHARACTERS = 32_768

/** What a client hears of its history with the answer to its join. */
export interface Resumed {
  /** The position its messages go on from: its own, or where the topic is. null: nobody keeps the topic right now. */
  readonly at: string | null
  /** It may have missed messages that are not known any more. */
  readonly lost: boolean
  /** How many messages of the past follow. */
  readonly missed: number
  /** The events whose payloads carry a position. */
  readonly events: readonly string[]
}

/** The channel that goes on. */
export interface Resuming {
  joined(told: Resumed): void
  /** Resolves when they are written and, with `more` to come, taken by the client; false: there is no client any more. */
  replay(messages: readonly Kept[], more: boolean): Promise<boolean>
  /** The replay cannot go on. */
  failed(thrown: unknown): void
}

/** To the channel itself, which ends as by a handler that throws, when it has handled what it is at. */
export class ReplayFailed extends KernelMessage {
  readonly thrown: unknown

  constructor(thrown: unknown) {
    super()
    this.thrown = thrown
  }
}

export class CatchUp {
  readonly #self: Self
  readonly #topic: string
  readonly #history: ChannelHistory
  readonly #live: FastLane
  /** What is in no history, until the join is answered. */
  #early: BroadcastMessage[] | undefined = []
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
    if (held === undefined) this.#live(message)
    else if (this.#history.events.has(message.event) && positionOf(message) !== undefined) {
      held.push(message)
      if (held.length <= MAX_HELD) return
      this.#forgotten = positionOf(held.shift() as BroadcastMessage)
    } else if (this.#early === undefined) this.#live(message)
    else if (this.#early.length <= MAX_EARLY) this.#early.push(message)
  }

  /**
   * Answers the join, and resolves. Then it replays what its client missed since `position`, which is as the join gave it, a
   * page at a time, as fast as its client takes them. What was held back follows, and what comes from then on. The replay fails
   * when what was held back is lost with its keeper: the client joins again, and hears of it.
   * @throws Exit when more came than can wait for the answer
   */
  async run(position: unknown, to: Resuming): Promise<void> {
    const given = parsePosition(position)
    // Whoever comes back is answered before anybody's past is fetched: a client waits so long and no longer.
    const page = await this.#since(given, 0)
    // What is no position is not nothing: its client has seen something, from nobody's count.
    const lost =
      page === undefined
        ? position !== undefined
        : page.lost || (given === undefined && position !== undefined)
    this.#joined(given, page, lost, to)
    // Not awaited: its client may take its time, and is heard meanwhile.
    this.#replay(page, to).catch((thrown: unknown) => to.failed(thrown))
  }

  async #replay(first: Missed | undefined, to: Resuming): Promise<void> {
    let page = first
    while (page !== undefined) {
      const { messages, at, left } = page
      if (messages.length > 0 && !(await to.replay(messages, left > 0))) return
      if (left === 0 && (this.#forgotten === undefined || isBehind(this.#forgotten, at))) {
        this.#held = this.#held?.filter((message) => !isBefore(message, at))
        break
      }
      page = await inTurn(this.#self, () => this.#since(at, PAGE_CHARACTERS))
      if (page === undefined || page.lost) throw new Exit('history lost')
    }
    const held = this.#held ?? []
    this.#held = undefined
    for (const message of held) this.#live(message)
  }

  #joined(
    given: Position | undefined,
    page: Missed | undefined,
    lost: boolean,
    to: Resuming,
  ): void {
    const early = this.#early ?? []
    if (early.length > MAX_EARLY) throw new Exit('too many broadcasts before its join was answered')
    const events = [...this.#history.events]
    if (page === undefined) to.joined({ at: null, lost, missed: 0, events })
    else {
      // A client that comes for the first time, or that nothing is replayed to, goes on from where the topic is.
      const at = formatPosition(given === undefined || lost ? page.at : given)
      to.joined({ at, lost, missed: page.messages.length + page.left, events })
    }
    this.#early = undefined
    for (const message of early) this.#live(message)
  }

  async #since(after: Position | undefined, maxCharacters: number): Promise<Missed | undefined> {
    const { limits } = this.#history
    try {
      const keeper = await whenKept(this.#self, this.#topic)
      if (keeper === undefined) return undefined
      const since = { topic: this.#topic, after, limits, maxCharacters }
      return await this.#self.call(keeper, 'since', since)
    } catch {
      // It has ended, or is too busy to say in time.
      return undefined
    }
  }
}

const positionOf = ({ payload }: BroadcastMessage): Position | undefined =>
  parsePosition(positionIn(payload))

/** Whether `at` is behind it already. */
function isBefore(message: BroadcastMessage, at: Position): boolean {
  const position = positionOf(message)
  return position !== undefined && isBehind(position, at)
}

const isBehind = (position: Position, at: Position): boolean =>
  position.epoch === at.epoch && position.offset <= at.offset
