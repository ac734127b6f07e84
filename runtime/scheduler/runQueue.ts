/**
 * Who runs next, pure: first come, first served, except that processes of high priority go first and those of low priority
 * last. Nobody starves: after eight of one kind in a row one of the next kind has its turn (OTP gives low ones every eighth).
 */
import { Rank } from '../process/flags.ts'

interface Ranked {
  readonly rank: Rank
}

/** How many of one kind may run in a row while others wait. */
const ROW = 8
const COMPACT_ABOVE = 4_096

class Fifo<T> {
  #items: T[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    if (this.#head < this.#items.length) return this.#items[this.#head++]
    if (this.#head > 0) this.compact()
    return undefined
  }

  /** Lets go of what was shifted. */
  compact(): void {
    if (this.#head === this.#items.length) this.#items.length = 0
    else if (this.#head > COMPACT_ABOVE) this.#items = this.#items.slice(this.#head)
    else return
    this.#head = 0
  }
}

export class RunQueue<T extends Ranked> {
  readonly #normal = new Fifo<T>()
  /** There only while somebody of another priority waits: without, a turn costs nothing more. */
  #others: { readonly high: Fifo<T>; readonly low: Fifo<T> } | undefined
  #highRow = 0
  #normalRow = 0

  get length(): number {
    const others = this.#others
    const ranked = others === undefined ? 0 : others.high.length + others.low.length
    return this.#normal.length + ranked
  }

  push(item: T): void {
    if (item.rank === Rank.Normal) this.#normal.push(item)
    else {
      this.#others ??= { high: new Fifo(), low: new Fifo() }
      this.#others[item.rank === Rank.High ? 'high' : 'low'].push(item)
    }
  }

  shift(): T | undefined {
    return this.#others === undefined ? this.#normal.shift() : this.#shiftRanked(this.#others)
  }

  /** To be called now and then: gives memory back. */
  compact(): void {
    this.#normal.compact()
    this.#others?.high.compact()
    this.#others?.low.compact()
  }

  #shiftRanked({ high, low }: { readonly high: Fifo<T>; readonly low: Fifo<T> }): T | undefined {
    const [normals, lows] = [this.#normal.length, low.length]
    if (high.length > 0 && (this.#highRow < ROW || normals + lows === 0)) {
      this.#highRow++
      return high.shift()
    }
    this.#highRow = 0
    if (normals > 0 && (this.#normalRow < ROW || lows === 0)) {
      this.#normalRow++
      return this.#normal.shift()
    }
    this.#normalRow = 0
    if (lows > 0) return low.shift()
    this.#others = undefined
    return undefined
  }
}
