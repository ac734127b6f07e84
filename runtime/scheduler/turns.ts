/**
 * When work is done: in turns. A turn has a time budget; within it, it also takes in what awaiting handlers go on to do; then
 * what has gathered leaves together, and I/O gets its chance.
 */
import type { Host } from './host.ts'

/** A clock reading costs as much as a short handler, so a turn looks at it this seldom. */
const CLOCK_EVERY = 16
/** A turn waits so many microtasks for what an awaiting handler does next: as many as a few nested awaits take. */
const HOPS = 8
/** Turns are numbered in a small integer, and begin anew. */
const MAX_COUNT = 2 ** 30 - 1

export interface TurnWork {
  /** Does what is ready, until nothing is or `overtime`. */
  drain(): void
  /** Something is ready. */
  readonly busy: boolean
  /** The turn is over. */
  turned(): void
}

export class Turns {
  /** The time of this turn is up. */
  overtime = false
  /** Number of this turn. */
  count = 0
  readonly #host: Host
  readonly #budgetMs: number
  readonly #work: TurnWork
  readonly #ends: (() => void)[] = []
  #pending = false
  /** A turn is under way, its pauses for awaiting handlers included. */
  #open = false
  #hops = 0
  #until = 0
  #ticks = 0

  constructor(host: Host, budgetMs: number, work: TurnWork) {
    this.#host = host
    this.#budgetMs = budgetMs
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

  /** Looks at the clock now and then: handlers and processes count alike. */
  tick(): void {
    if (++this.#ticks % CLOCK_EVERY === 0) this.overtime = this.#host.now() > this.#until
  }

  readonly #turn = (): void => {
    this.#pending = false
    this.#open = true
    this.count = (this.count + 1) & MAX_COUNT
    this.#until = this.#host.now() + this.#budgetMs
    this.overtime = false
    this.#goOn()
  }

  readonly #hop = (): void => {
    if (!this.#work.busy) {
      if (--this.#hops === 0) this.#close()
      else this.#host.next?.(this.#hop)
    } else if (this.#host.now() > this.#until) this.#close()
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
