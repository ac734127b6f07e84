/**
 * The histories of the topics a thread keeps, as a pure table: each has an epoch of its own. All of them together have
 * limits, too; what was used longest ago goes first, and who asks for it then hears that it is lost.
 */
import { formatPosition, HISTORY, type Position } from './position.ts'
import { type HistoryLimits, type Kept, Ring } from './ring.ts'

export interface BookLimits {
  readonly maxTopics: number
  readonly maxBytes: number
}

/** What a client missed since its position. */
export interface Missed {
  /** Where the topic is now. */
  readonly at: Position
  /** Some of what it missed is not known any more: nothing is replayed. */
  readonly lost: boolean
  readonly messages: readonly Kept[]
}

interface Topic {
  readonly epoch: string
  readonly ring: Ring
  limits: HistoryLimits
}

export class Book {
  readonly #limits: BookLimits
  readonly #newEpoch: () => string
  /** In the order in which they were last used. */
  readonly #topics = new Map<string, Topic>()
  #bytes = 0

  /** `newEpoch` must not answer the same twice, not even after the thread was lost. */
  constructor(limits: BookLimits, newEpoch: () => string) {
    this.#limits = limits
    this.#newEpoch = newEpoch
  }

  get topics(): number {
    return this.#topics.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Keeps a message, given as the JSON of an object; the same with its position in it. */
  keep(topic: string, event: string, json: string, limits: HistoryLimits, nowMs: number): string {
    const { epoch, ring } = this.#used(topic, limits)
    const at = `"${HISTORY}":"${formatPosition({ epoch, offset: ring.last + 1 })}"}`
    const text = json === '{}' ? `{${at}` : `${json.slice(0, -1)},${at}`
    const before = ring.bytes
    ring.add(event, text, nowMs, limits)
    this.#bytes += ring.bytes - before
    this.#bound(topic)
    return text
  }

  /** What came after a position; undefined: from a client that comes for the first time. */
  since(topic: string, after: Position | undefined, limits: HistoryLimits, nowMs: number): Missed {
    const { epoch, ring } = this.#used(topic, limits)
    this.#trim(ring, limits, nowMs)
    this.#bound(topic)
    const at = { epoch, offset: ring.last }
    if (after === undefined) return { at, lost: false, messages: [] }
    const messages = after.epoch === epoch ? ring.since(after.offset) : undefined
    return { at, lost: messages === undefined, messages: messages ?? [] }
  }

  /** Forgets what has become too old. */
  sweep(nowMs: number): void {
    for (const { ring, limits } of this.#topics.values()) this.#trim(ring, limits, nowMs)
  }

  #trim(ring: Ring, limits: HistoryLimits, nowMs: number): void {
    const before = ring.bytes
    ring.trim(nowMs, limits)
    this.#bytes += ring.bytes - before
  }

  #used(name: string, limits: HistoryLimits): Topic {
    let topic = this.#topics.get(name)
    if (topic === undefined) topic = { epoch: this.#newEpoch(), ring: new Ring(), limits }
    else this.#topics.delete(name)
    topic.limits = limits
    this.#topics.set(name, topic)
    return topic
  }

  /** The topic in use stays: the limit of one is below that of all. */
  #bound(used: string): void {
    const { maxTopics, maxBytes } = this.#limits
    for (const [name, { ring }] of this.#topics) {
      if (this.#topics.size <= maxTopics && this.#bytes <= maxBytes) return
      if (name === used) return
      this.#bytes -= ring.bytes
      this.#topics.delete(name)
    }
  }
}
