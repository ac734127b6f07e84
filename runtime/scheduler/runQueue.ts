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

/** Which kind has the next turn, while those of several kinds wait. */
export class Rows {
  #high = 0
  #normal = 0

  /** undefined when nobody waits. */
  next(highs: number, normals: number, lows: number): Rank | undefined {
    if (highs > 0 && (this.#high < ROW || normals + lows === 0)) return Rank.High
    if (normals > 0 && (this.#normal < ROW || lows === 0)) return Rank.Normal
    return lows > 0 ? Rank.Low : undefined
  }

  had(rank: Rank): void {
    if (rank === Rank.High) {
      this.#high++
      return
    }
    this.#high = 0
    this.#normal = rank === Rank.Normal ? this.#normal + 1 : 0
  }
}

/** Those of other priorities that wait. */
interface Others<T> {
  readonly high: Fifo<T>
  readonly low: Fifo<T>
  readonly rows: Rows
}

export class RunQueue<T extends Ranked> {
  readonly #normal = new Fifo<T>()
  /** There only while somebody of another priority waits: without, a turn costs nothing more. */
  #others: Others<T> | undefined

  get length(): number {
    const others = this.#others
    return this.#normal.length + (others === undefined ? 0 : others.high.length + others.low.length)
  }

  get empty(): boolean {
    return this.length === 0
  }

  push(item: T): void {
    if (item.rank === Rank.Normal) this.#normal.push(item)
    else {
      this.#others ??= { high: new Fifo(), low: new Fifo(), rows: new Rows() }
      this.#others[item.rank === Rank.High ? 'high' : 'low'].push(item)
    }
  }

  shift(): T | undefined {
    return this.#others === undefined ? this.#normal.shift() : this.#shiftRanked(this.#others)
  }

  #shiftRanked({ high, low, rows }: Others<T>): T | undefined {
    const rank = rows.next(high.length, this.#normal.length, low.length)
    if (rank === undefined) {
      this.#others = undefined
      return undefined
    }
    rows.had(rank)
    if (rank === Rank.Normal) return this.#normal.shift()
    return rank === Rank.High ? high.shift() : low.shift()
  }
}
