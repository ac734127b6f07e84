/**
 * The time of one turn: when it is up, so that I/O gets its chance, and when one process has had its share of it, so that
 * others do. Reading a clock costs as much as a short handler, hence it is read once for many of them.
 */
import type { Host } from './host.ts'

const TICKS_PER_READING = 16
/** Shares of a turn: a process with endless messages keeps a neighbour waiting for one of them. */
const SLICES = 4

export class TurnClock {
  /** The turn's time is up. */
  turnOver = false
  /** That of the process that runs is. */
  sliceOver = false
  readonly #host: Host
  readonly #turnMs: number
  readonly #sliceMs: number
  #now = 0
  #turnEnd = 0
  #sliceEnd = 0
  #ticks = 0

  constructor(host: Host, turnMs: number) {
    this.#host = host
    this.#turnMs = turnMs
    this.#sliceMs = turnMs / SLICES
  }

  begin(): void {
    this.#now = this.#host.now()
    this.#turnEnd = this.#now + this.#turnMs
    this.turnOver = false
  }

  /** A process begins to run. By the last reading: one after a slow process may get a little less. */
  slice(): void {
    this.#sliceEnd = this.#now + this.#sliceMs
    this.sliceOver = false
  }

  /** A message is about to be handled, or a process has run. */
  tick(): void {
    if (++this.#ticks % TICKS_PER_READING === 0) this.look()
  }

  /** Reads the clock; whether the turn is over. */
  look(): boolean {
    this.#now = this.#host.now()
    if (this.#now > this.#turnEnd) this.turnOver = true
    if (this.#now > this.#sliceEnd) this.sliceOver = true
    return this.turnOver
  }
}
