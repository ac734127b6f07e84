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
const INITIAL = 64
const SHRINK_ABOVE = 4_096

/** A ring: neither end moves what lies between. */
class Fifo<T> {
  #ring: (T | undefined)[] = new Array<T | undefined>(INITIAL).fill(undefined)
  #head = 0
  length = 0

  push(item: T): void {
    if (this.length === this.#ring.length) this.#grow()
    this.#ring[(this.#head + this.length++) & (this.#ring.length - 1)] = item
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined
    const item = this.#ring[this.#head]
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#ring.length - 1)
    // A burst must not pin its memory for good.
    if (--this.length === 0 && this.#ring.length > SHRINK_ABOVE) {
      this.#ring = new Array<T | undefined>(INITIAL).fill(undefined)
      this.#head = 0
    }
    return item
  }

  #grow(): void {
    const { length } = this.#ring
    const next = new Array<T | undefined>(length * 2).fill(undefined)
    for (let i = 0; i < length; i++) next[i] = this.#ring[(this.#head + i) & (length - 1)]
    this.#ring = next
    this.#head = 0
  }
}

export class RunQueue<T extends Ranked> {
  readonly #normal = new Fifo<T>()
  /** There only while somebody of another priority waits: without, a turn costs nothing more. */
  #others: { readonly high: Fifo<T>; readonly low: Fifo<T> } | undefined
  #highRow = 0
  #normalRow = 0

  get empty(): boolean {
    const others = this.#others
    const ranked = others === undefined ? 0 : others.high.length + others.low.length
    return this.#normal.length + ranked === 0
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
