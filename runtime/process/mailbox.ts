/**
 * A mailbox: a growable ring of messages, oldest first. `shift` is O(1) at any depth (Array.shift is not), and a
 * selective receive takes a message out of the middle while the others keep their order (otp 54). It knows the length at
 * which it is to be looked at (`mark`), and when it has fallen to half of that again.
 */
import { HIGH_WATER } from './flags.ts'

const INITIAL = 4
const SHRINK_ABOVE = 1_024
/** Taken messages are counted in a small integer, and begin anew; a multiple of every ring's length. */
const COUNT_MASK = 2 ** 30 - 1
/** Stands for no mark: a small integer, as all lengths are. */
const MAX_MARK = 2 ** 31 - 1

export class Mailbox {
  #ring: unknown[] = []
  /** Messages taken out until now: by the mask of the ring, where the oldest lies. */
  #head = 0
  #length = 0
  #takes = 0
  /** From this length on a message is let in by overload.ts only. */
  mark: number = HIGH_WATER
  #highWater = HIGH_WATER
  /** The length at which it counts as emptied again; below zero while it is not high. */
  #low = -1

  /** It has been at its high water, and not yet below half of it since. */
  get isHigh(): boolean {
    return this.#low >= 0
  }

  /** Sets the high water of a mailbox that is not high. */
  watch(highWater: number): void {
    this.#highWater = this.mark = highWater
  }

  /** It is high: the next length that matters is `next`. */
  raise(next: number): void {
    this.#low = this.#highWater >> 1
    this.mark = Math.min(next, MAX_MARK)
  }

  #fallen(): void {
    this.#low = -1
    this.mark = this.#highWater
  }

  /** How often a message was taken out of the middle: positions remembered before are void then. */
  get takes(): number {
    return this.#takes
  }

  get length(): number {
    return this.#length
  }

  /** Messages taken out since the process was born, modulo 2^30; those that clear() let go of are not among them. */
  get taken(): number {
    return this.#head
  }

  push(message: unknown): void {
    const capacity = this.#ring.length
    if (this.#length === capacity) this.#resize(capacity === 0 ? INITIAL : capacity * 2)
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = message
    this.#length++
  }

  /** The oldest message; undefined when empty (ask `length` first, undefined may be a message). */
  shift(): unknown {
    if (this.#length === 0) return undefined
    const at = this.#head & (this.#ring.length - 1)
    const message = this.#ring[at]
    this.#ring[at] = undefined
    this.#head = (this.#head + 1) & COUNT_MASK
    if (--this.#length === this.#low) this.#fallen()
    // A burst must not pin its memory for the life of the process.
    if (this.#length === 0 && this.#ring.length > SHRINK_ABOVE) this.clear()
    return message
  }

  at(index: number): unknown {
    return this.#ring[(this.#head + index) & (this.#ring.length - 1)]
  }

  /** Takes the message at `index`; those before it move up by one, so their order stays. */
  take(index: number): unknown {
    this.#takes++
    if (index === 0) return this.shift()
    const mask = this.#ring.length - 1
    const message = this.#ring[(this.#head + index) & mask]
    for (let i = index; i > 0; i--) {
      this.#ring[(this.#head + i) & mask] = this.#ring[(this.#head + i - 1) & mask]
    }
    this.#ring[this.#head & mask] = undefined
    this.#head = (this.#head + 1) & COUNT_MASK
    if (--this.#length === this.#low) this.#fallen()
    return message
  }

  /** Index of the first message from `from` on that `match` accepts, or -1. */
  find(match: (message: unknown) => boolean, from = 0): number {
    for (let i = from; i < this.#length; i++) if (match(this.at(i))) return i
    return -1
  }

  clear(): void {
    this.#ring = []
    this.#length = 0
    if (this.#low >= 0) this.#fallen()
  }

  toArray(): unknown[] {
    return Array.from({ length: this.#length }, (_, i) => this.at(i))
  }

  #resize(capacity: number): void {
    const next = new Array<unknown>(capacity)
    for (let i = 0; i < this.#length; i++) next[(this.#head + i) & (capacity - 1)] = this.at(i)
    this.#ring = next
  }
}
