/**
 * PubSub of one scheduler: a duplicate-key table of local subscribers, and the board that says which other threads have
 * any. A broadcast is dispatched here and sent once to each interested thread, in the same stream as every other signal,
 * so broadcasts and messages of one process keep their order.
 */

import { BroadcastMessage } from '../process/messages.ts'
import type { Pid } from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import { DuplicateTable } from '../registry/duplicateTable.ts'
import { type Board, BUCKETS } from '../scheduler/board.ts'
import { hash32 } from '../scheduler/hash.ts'
import { isolate } from '../scheduler/isolate.ts'
import { Op } from '../scheduler/ops.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'

/** Takes a broadcast in place of the subscriber's mailbox: a channel's fast lane to its transport. */
export type FastLane = (message: BroadcastMessage) => void

const bucketOf = (topic: string): number => hash32(topic) % BUCKETS

export class PubSub {
  readonly #scheduler: Scheduler
  readonly #board: Board
  readonly #slot: number
  readonly #table = new DuplicateTable<FastLane | undefined>()

  constructor(scheduler: Scheduler, board: Board, slot: number) {
    this.#scheduler = scheduler
    this.#board = board
    this.#slot = slot
  }

  get topics(): number {
    return this.#table.keys
  }

  get subscriptions(): number {
    return this.#table.size
  }

  /** Visible to broadcasts from every thread when this returns. */
  subscribe(process: Process, topic: string, fastLane?: FastLane): void {
    this.#table.add(process, topic, fastLane)
    this.#board.addInterest(this.#slot, bucketOf(topic), 1)
  }

  unsubscribe(process: Process, topic: string): void {
    const removed = this.#table.removeKey(process, topic).length
    if (removed > 0) this.#board.addInterest(this.#slot, bucketOf(topic), -removed)
  }

  subscribed(process: Process, topic: string): boolean {
    return this.#table.owned(process).some(({ key }) => key === topic)
  }

  /** A process has ended. */
  forget(process: Process): void {
    for (const entry of this.#table.forget(process)) {
      this.#board.addInterest(this.#slot, bucketOf(entry.key as string), -1)
    }
  }

  /** `memo`: what the sender has made of it already, for the fast lanes of this thread. */
  broadcast(
    from: Pid,
    topic: string,
    event: string,
    payload: unknown,
    except: Pid,
    local: boolean,
    memo?: unknown,
  ): void {
    const sent = this.#scheduler.development ? isolate(payload, from, topic) : payload
    if (!local) this.#toOthers(from, topic, event, sent, except)
    this.dispatch(new BroadcastMessage(topic, event, sent, memo), except)
  }

  #toOthers(from: Pid, topic: string, event: string, payload: unknown, except: Pid): void {
    const bucket = bucketOf(topic)
    const board = this.#board
    for (let slot = 0; slot < board.slots; slot++) {
      if (slot === this.#slot || !board.interested(slot, bucket)) continue
      const holder = board.holder(slot)
      if (holder >= 0) {
        this.#scheduler.peers.push6(holder, Op.Broadcast, from, topic, event, payload, except)
      }
    }
  }

  /** To the subscribers of this thread. All of them get the same message object. */
  dispatch(message: BroadcastMessage, except: Pid): void {
    const entries = this.#table.entries(message.topic)
    if (entries === undefined) return
    for (const { process, value } of entries) {
      if (process.pid === except) continue
      if (value === undefined) this.#scheduler.deliver(process, message)
      else value(message)
    }
  }
}
