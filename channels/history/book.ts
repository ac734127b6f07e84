/**
 * The histories of the topics a thread keeps, as a pure table. A topic is in it once something of it was kept. All topics of one
 * channel together have limits, too: those go first of which nothing is left, then what was used longest ago; who asks for it
 * then hears that it is lost.
 */
import { formatPosition, HISTORY, type Position } from './position.ts'
import { type HistoryLimits, type Kept, Ring } from './ring.ts'

/** What a channel asks for, of each of its topics and of all of them on one thread. */
export interface ChannelLimits extends HistoryLimits {
  readonly channel: string
  readonly maxTopicsPerThread: number
  readonly maxBytesPerThread: number
}

/** What a client missed since its position, or as much of it as goes into one answer. */
export interface Missed {
  /** Where it is after these messages; where the topic is now, when `lost`. */
  readonly at: Position
  /** Some of what it missed is not known any more: nothing is replayed. */
  readonly lost: boolean
  readonly messages: readonly Kept[]
  /** How many more come after these. */
  readonly left: number
}

/** The topics of one channel. */
class Shelf {
  /** In the order in which they were last used. */
  readonly topics = new Map<string, Topic>()
  /** Those of which nothing is left. */
  readonly empty = new Set<string>()
  bytes = 0
}

interface Topic {
  readonly ring: Ring
  /** Of the channel that first kept something of it. */
  readonly shelf: Shelf
  limits: ChannelLimits
}

export class Book {
  readonly #epoch: string
  readonly #topics = new Map<string, Topic>()
  readonly #shelves = new Map<string, Shelf>()
  /**
   * The highest offset of all topics that went. Whatever topic begins, anew or for the first time, counts on from here: no
   * position stands for two messages.
   */
  #floor = 0

  /** `epoch` must be no other book's, not even of a thread that was lost. */
  constructor(epoch: string) {
    this.#epoch = epoch
  }

  get topics(): number {
    return this.#topics.size
  }

  get bytes(): number {
    return this.#shelves.values().reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Keeps a message, given as the JSON of an object; the same with its position in it. */
  keep(topic: string, event: string, json: string, limits: ChannelLimits, nowMs: number): string {
    const kept = this.#topics.get(topic) ?? this.#begin(topic, limits)
    this.#use(topic, kept, limits)
    const { ring, shelf } = kept
    const offset = ring.last + 1
    const at = `"${HISTORY}":"${formatPosition({ epoch: this.#epoch, offset })}"}`
    const text = json === '{}' ? `{${at}` : `${json.slice(0, -1)},${at}`
    const before = ring.bytes
    ring.add(event, text, nowMs, limits)
    shelf.bytes += ring.bytes - before
    if (ring.length > 0) shelf.empty.delete(topic)
    else shelf.empty.add(topic)
    this.#bound(topic, shelf, limits)
    return text
  }

  /**
   * What came after a position, as far as `maxCharacters` reach, or the first of it; undefined: from a client that comes for the
   * first time.
   */
  since(
    topic: string,
    after: Position | undefined,
    limits: ChannelLimits,
    nowMs: number,
    maxCharacters: number,
  ): Missed {
    const epoch = this.#epoch
    const kept = this.#topics.get(topic)
    if (kept !== undefined) {
      this.#use(topic, kept, limits)
      this.#trim(topic, kept, nowMs)
    }
    const last = kept?.ring.last ?? this.#floor
    const known =
      after === undefined ||
      (after.epoch === epoch &&
        (kept === undefined ? after.offset === last : kept.ring.reaches(after.offset)))
    if (after === undefined || !known || kept === undefined) {
      return { at: { epoch, offset: last }, lost: !known, messages: [], left: 0 }
    }
    const messages = kept.ring.since(after.offset, maxCharacters)
    const offset = after.offset + messages.length
    return { at: { epoch, offset }, lost: false, messages, left: last - offset }
  }

  /** Forgets what has become too old. */
  sweep(nowMs: number): void {
    for (const [name, topic] of this.#topics) this.#trim(name, topic, nowMs)
  }

  #begin(name: string, limits: ChannelLimits): Topic {
    let shelf = this.#shelves.get(limits.channel)
    if (shelf === undefined) {
      shelf = new Shelf()
      this.#shelves.set(limits.channel, shelf)
    }
    const topic = { ring: new Ring(this.#floor), shelf, limits }
    this.#topics.set(name, topic)
    return topic
  }

  #use(name: string, topic: Topic, limits: ChannelLimits): void {
    topic.limits = limits
    topic.shelf.topics.delete(name)
    topic.shelf.topics.set(name, topic)
  }

  #trim(name: string, { ring, shelf, limits }: Topic, nowMs: number): void {
    const before = ring.bytes
    ring.trim(nowMs, limits)
    shelf.bytes += ring.bytes - before
    if (ring.length === 0) shelf.empty.add(name)
  }

  /** The topic in use stays: the limit of one is not above that of all. */
  #bound(used: string, shelf: Shelf, limits: ChannelLimits): void {
    const isFull = (): boolean =>
      shelf.topics.size > limits.maxTopicsPerThread || shelf.bytes > limits.maxBytesPerThread
    if (!isFull()) return
    for (const names of [shelf.empty.keys(), shelf.topics.keys()]) {
      for (const name of names) {
        if (!isFull()) return
        if (name !== used) this.#forget(name, shelf)
      }
    }
  }

  #forget(name: string, shelf: Shelf): void {
    const topic = shelf.topics.get(name)
    if (topic === undefined) return
    shelf.bytes -= topic.ring.bytes
    this.#floor = Math.max(this.#floor, topic.ring.last)
    shelf.topics.delete(name)
    shelf.empty.delete(name)
    this.#topics.delete(name)
  }
}
