// What arrives for a topic while its join is still running: kept in order, within limits.

import { ChannelError } from '../errors.ts'

export type PendingLimits = {
  /** Default 100, the batch size of the official client. */
  readonly maxItems?: number
  /** Default 1,048,576. */
  readonly maxBytes?: number
}

export type PendingCounters = {
  /** Items waiting now. */
  readonly items: number
  /** Bytes waiting now. */
  readonly bytes: number
  /** Items ever accepted, refused at the limit, and thrown away by `clear`. */
  readonly accepted: number
  readonly refused: number
  readonly cleared: number
}

/**
 * A first-in, first-out queue with limits on items and bytes. It refuses and never drops: what
 * happens to a refused item (an error reply, closing the socket) is the caller's to decide, and
 * so is whether later items may still come in behind the gap.
 *
 * @example
 * const pending = new PendingQueue<Message>({ maxItems: 100 })
 * if (!pending.push(message, frame.length)) socket.close(1013)
 * pending.drain((message) => deliver(message)) // once the join reply is written
 */
export class PendingQueue<Item> {
  readonly #maxItems: number
  readonly #maxBytes: number
  #items: Item[] = []
  #sizes: number[] = []
  #head = 0
  #bytes = 0
  #accepted = 0
  #refused = 0
  #cleared = 0

  constructor({ maxItems = 100, maxBytes = 1_048_576 }: PendingLimits = {}) {
    if (!(maxItems >= 0 && maxBytes >= 0)) {
      throw new ChannelError('CHN_PENDING', 'The limits of a pending queue are numbers from 0 up.')
    }
    this.#maxItems = maxItems
    this.#maxBytes = maxBytes
  }

  /** Appends an item that weighs `bytes`; false, and nothing kept, when a limit would be passed. */
  push(item: Item, bytes: number): boolean {
    if (!(bytes >= 0)) {
      throw new ChannelError(
        'CHN_PENDING',
        'An item weighs 0 bytes or more: pass the frame length.',
      )
    }
    if (this.length >= this.#maxItems || this.#bytes + bytes > this.#maxBytes) {
      this.#refused++
      return false
    }
    this.#items.push(item)
    this.#sizes.push(bytes)
    this.#bytes += bytes
    this.#accepted++
    return true
  }

  /**
   * Gives every item to `deliver` with what it weighs, oldest first, those pushed meanwhile included. An item is out of
   * the queue before it is delivered: if `deliver` throws, that one is gone, the rest wait for the
   * next drain, and the error is passed on.
   */
  drain(deliver: (item: Item, bytes: number) => void): void {
    while (this.#head < this.#items.length) {
      const item = this.#items[this.#head] as Item
      const bytes = this.#sizes[this.#head] ?? 0
      this.#bytes -= bytes
      // Nothing delivered may stay reachable from here while the rest is handled.
      this.#items[this.#head] = undefined as Item
      this.#head++
      deliver(item, bytes)
    }
    this.#reset()
  }

  /** Throws everything away, as when the join was refused, and says how many that were. */
  clear(): number {
    const count = this.length
    this.#cleared += count
    this.#reset()
    return count
  }

  get length(): number {
    return this.#items.length - this.#head
  }

  get counters(): PendingCounters {
    return {
      items: this.length,
      bytes: this.#bytes,
      accepted: this.#accepted,
      refused: this.#refused,
      cleared: this.#cleared,
    }
  }

  #reset(): void {
    this.#items = []
    this.#sizes = []
    this.#head = 0
    this.#bytes = 0
  }
}
