/**
 * The topics of one transport as a pure table: which join holds a topic, which are ending, and what waits for a join. It
 * decides nothing about processes or sockets.
 */
import type { Ref } from '../../runtime/index.ts'
import type { Message } from '../wire/message.ts'
import type { FrameLane } from '../wire/port.ts'
import type { Frame } from '../wire/serializer.ts'
import { Holder } from './backlog.ts'
import { PendingQueue } from './pending.ts'

/** What waits while a topic joins: client events, and frames for the client. */
export type Waiting =
  | { readonly message: Message }
  | { readonly frame: Frame; readonly spare: boolean; readonly event: string }

/** Writes a frame of a join whose answer is written; says that one was too early, and could not wait. */
export interface FrameWriter {
  write(frame: Frame, spare: boolean, topic: string, event: string): void
  tooEarly(topic: string): void
}

/** A join, without what the client sent along: that is its channel's. */
export type Joining = Omit<Message, 'payload'>

/** A join that waits for another to end. */
export interface NextJoin {
  readonly message: Message
  readonly bytes: number
}

/** One join of a topic. */
export class Entry extends Holder implements FrameLane {
  readonly id: number
  readonly topic: string
  readonly join: Joining
  readonly #writer: FrameWriter
  /** starting: no pid yet. joining: no answer yet. ending: told to, by leave or a new join. gone: its channel is. */
  state: 'starting' | 'joining' | 'joined' | 'ending' | 'gone' = 'starting'
  monitor: Ref | undefined = undefined
  /** Rings when its join has taken too long. */
  timer: Ref | undefined = undefined
  late = false
  /** Bytes of what the client sent along, while its channel has that. */
  joinBytes = 0
  /** It announced an orderly end. */
  closed = false
  #waiting: PendingQueue<Waiting> | undefined = undefined
  /** A join of the same topic that starts when this channel is gone. */
  next: NextJoin | undefined = undefined
  /** A leave that its channel was told of; it answers before it says that it ends. */
  leave: Message | undefined = undefined
  /** joinRef of the channel this one replaced: its phx_close follows our join reply. */
  replaced: { readonly joinRef: string | null } | undefined
  /** Its join was answered ok, and the client was not told of its end yet. */
  owesClose = false
  #page: readonly Frame[] | undefined = undefined

  constructor(id: number, join: Joining, replaced: Entry['replaced'], writer: FrameWriter) {
    super()
    this.id = id
    this.topic = join.topic
    this.join = join
    this.replaced = replaced
    this.#writer = writer
  }

  /**
   * A frame for the client; one that is too early waits until the join is answered. Once the topic is joined anew, a channel
   * that still ends has replies for it, and nothing else: a client takes what names no join for the new one's.
   */
  frame(frame: Frame, spare: boolean, event: string): void {
    if (this.state === 'joined' || this.state === 'ending') {
      if (this.next === undefined || event === '')
        this.#writer.write(frame, spare, this.topic, event)
    } else if (this.state !== 'gone' && !this.wait({ frame, spare, event }, frame.length)) {
      this.#writer.tooEarly(this.topic)
    }
  }

  /** Frames that go out when there is room; its channel awaits that, so they are one page at a time. False: it has ended. */
  putPage(frames: readonly Frame[]): boolean {
    if (this.state !== 'joined' || this.closed) return false
    this.#page = frames
    return true
  }

  takePage(): readonly Frame[] | undefined {
    const page = this.#page
    this.#page = undefined
    return page
  }

  /** Told to, by a leave or a new join. */
  ending(): void {
    this.state = 'ending'
    this.#page = undefined
  }

  gone(): void {
    this.state = 'gone'
    this.#page = undefined
  }

  /** It announces an orderly end. */
  close(): void {
    this.closed = true
    this.#page = undefined
  }

  /** False at the limit. */
  wait(one: Waiting, bytes: number): boolean {
    this.#waiting ??= new PendingQueue()
    return this.#waiting.push(one, bytes)
  }

  /** Gives what waits to `deliver`, oldest first. */
  drain(deliver: (one: Waiting, bytes: number) => void): void {
    this.#waiting?.drain(deliver)
    this.#waiting = undefined
  }
}

/** More entries than this are found by an index: most sockets have a few, and ten thousand sockets pay for what each has. */
const MAX_LISTED = 16

const NONE: Entry[] = []

/** The joins of one socket: one at a time for each topic. */
export class Topics {
  readonly #writer: FrameWriter
  /** By rising id. */
  #entries: Entry[] = NONE
  #byTopic: Map<string, Entry> | undefined
  #nextId = 1

  constructor(writer: FrameWriter) {
    this.#writer = writer
  }

  get size(): number {
    return this.#entries.length
  }

  add(join: Joining, replaced: Entry['replaced']): Entry {
    const entry = new Entry(this.#nextId++, join, replaced, this.#writer)
    // A literal has room for one; the first push makes room for many.
    if (this.#entries === NONE) this.#entries = [entry]
    else this.#entries.push(entry)
    if (this.#byTopic !== undefined) this.#byTopic.set(entry.topic, entry)
    else if (this.#entries.length > MAX_LISTED) {
      this.#byTopic = new Map(this.#entries.map((one) => [one.topic, one]))
    }
    return entry
  }

  /** The join that holds a topic now. */
  of(topic: string): Entry | undefined {
    if (this.#byTopic !== undefined) return this.#byTopic.get(topic)
    const entries = this.#entries
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i] as Entry
      if (entry.topic === topic) return entry
    }
    return undefined
  }

  byId(id: number): Entry | undefined {
    const entries = this.#entries
    let low = 0
    let high = entries.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((entries[middle] as Entry).id < id) low = middle + 1
      else high = middle
    }
    const found = entries[low]
    return found?.id === id ? found : undefined
  }

  byMonitor(ref: Ref): Entry | undefined {
    return this.#entries.find(({ monitor }) => monitor === ref)
  }

  remove(entry: Entry): void {
    const at = this.#entries.indexOf(entry)
    if (at < 0) return
    entry.gone()
    this.#entries.splice(at, 1)
    this.#byTopic?.delete(entry.topic)
  }

  /** As they are now: what happens meanwhile changes nothing. */
  [Symbol.iterator](): Iterator<Entry> {
    return [...this.#entries][Symbol.iterator]()
  }
}
