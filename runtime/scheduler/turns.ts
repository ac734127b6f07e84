/**
 * When work is done: in turns. A turn has a time budget; within it, it also takes in what awaiting handlers go on to do; then
 * what has gathered leaves together, and I/O gets its chance.
 */
import type { Host } from './host.ts'
import { TurnClock } from './turnClock.ts'

/** A turn waits so many microtasks for what an awaiting handler does next: as many as a few nested awaits take. */
const HOPS = 8
/** Turns are numbered in a small integer, and begin anew. */
const MAX_COUNT = 2 ** 30 - 1

export interface TurnWork {
  /** Does what is ready, until nothing is, the turn is over, or somebody awaits a pause. */
  drain(): void
  /** Something is ready. */
  readonly busy: boolean
  /** The turn is over. */
  turned(): void
}

export class Turns {
  readonly time: TurnClock
  /** Number of this turn. */
  count = 0
  readonly #host: Host
  readonly #work: TurnWork
  readonly #ends: (() => void)[] = []
  #pending = false
  /** A turn is under way, its pauses for awaiting handlers included. */
  #open = false
  #hops = 0

  constructor(host: Host, budgetMs: number, work: TurnWork) {
    this.#host = host
    this.time = new TurnClock(host, budgetMs)
    this.#work = work
  }

  /** Makes sure a turn comes. */
  wake(): void {
    if (this.#open || this.#pending) return
    this.#pending = true
    this.#host.soon(this.#turn)
  }

  /** Runs `flush` once at the end of this turn, or of the next, outside of one. */
  atEnd(flush: () => void): void {
    this.#ends.push(flush)
    this.wake()
  }

  readonly #turn = (): void => {
    this.#pending = false
    this.#open = true
    this.count = (this.count + 1) & MAX_COUNT
    this.time.begin()
    this.#goOn()
  }

  readonly #hop = (): void => {
    if (!this.#work.busy) {
      if (--this.#hops === 0) this.#close()
      else this.#host.next?.(this.#hop)
    } else if (this.time.look()) this.#close()
    else this.#goOn()
  }

  #goOn(): void {
    try {
      this.#work.drain()
    } catch (thrown) {
      this.#close()
      throw thrown
    }
    this.#hops = HOPS
    if (this.#host.next === undefined) this.#close()
    else this.#host.next(this.#hop)
  }

  #close(): void {
    this.#open = false
    for (let i = 0; i < this.#ends.length; i++) {
      const flush = this.#ends[i] as () => void
      flush()
    }
    this.#ends.length = 0
    this.#work.turned()
    if (this.#work.busy) this.wake()
  }
}
