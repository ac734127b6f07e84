/**
 * The topics of one transport as a pure table: which join holds a topic, which are ending, and what waits for a join. It
 * decides nothing about processes or sockets.
 */
import type { Pid, Ref } from '../../runtime/index.ts'
import { RefMap } from '../../runtime/process/refMap.ts'
import { PendingQueue } from '../pending.ts'
import type { Message } from '../wire/message.ts'
import type { FrameLane } from '../wire/port.ts'
import type { Frame } from '../wire/serializer.ts'

/** What waits while a topic joins: client events, and frames for the client. */
export type Waiting =
  | { readonly message: Message }
  | { readonly frame: Frame; readonly spare: boolean }

/** Writes a frame of a join whose answer is written; says that one was too early, and could not wait. */
export interface FrameWriter {
  write(frame: Frame, spare: boolean): void
  tooEarly(topic: string): void
}

/** One join of a topic. */
export class Entry implements FrameLane {
  readonly id: number
  readonly topic: string
  readonly join: Message
  readonly #writer: FrameWriter
  /** starting: no pid yet. joining: no answer yet. ending: told to, by leave or a new join. gone: its channel is. */
  state: 'starting' | 'joining' | 'joined' | 'ending' | 'gone' = 'starting'
  pid: Pid | undefined = undefined
  monitor: Ref | undefined = undefined
  /** Rings when its join has taken too long. */
  timer: Ref | undefined = undefined
  late = false
  /** It announced an orderly end. */
  closed = false
  #waiting: PendingQueue<Waiting> | undefined = undefined
  /** A join of the same topic that starts when this channel is gone. */
  next: Message | undefined = undefined
  /** joinRef of the channel this one replaced: its phx_close follows our join reply. */
  replaced: { readonly joinRef: string | null } | undefined
  /** Its join was answered ok, and the client was not told of its end yet. */
  owesClose = false
  /** Events it was given and has not said to have handled; it says so for many at a time. */
  unhandled = 0

  constructor(id: number, join: Message, replaced: Entry['replaced'], writer: FrameWriter) {
    this.id = id
    this.topic = join.topic
    this.join = join
    this.replaced = replaced
    this.#writer = writer
  }

  /** A frame for the client; one that is too early waits until the join is answered. */
  frame(frame: Frame, spare: boolean): void {
    if (this.state === 'joined' || this.state === 'ending') this.#writer.write(frame, spare)
    else if (this.state !== 'gone' && !this.wait({ frame, spare }, frame.length)) {
      this.#writer.tooEarly(this.topic)
    }
  }

  /** False at the limit. */
  wait(one: Waiting, bytes: number): boolean {
    this.#waiting ??= new PendingQueue()
    return this.#waiting.push(one, bytes)
  }

  /** Gives what waits to `deliver`, oldest first. */
  drain(deliver: (one: Waiting) => void): void {
    this.#waiting?.drain(deliver)
    this.#waiting = undefined
  }
}

export class Topics {
  readonly #byTopic = new Map<string, Entry>()
  readonly #byId = new RefMap<number, Entry>()
  readonly #byMonitor = new RefMap<Ref, Entry>()
  readonly #writer: FrameWriter
  #nextId = 1

  get size(): number {
    return this.#byId.size
  }

  constructor(writer: FrameWriter) {
    this.#writer = writer
  }

  add(join: Message, replaced: Entry['replaced']): Entry {
    const entry = new Entry(this.#nextId++, join, replaced, this.#writer)
    this.#byTopic.set(join.topic, entry)
    this.#byId.set(entry.id, entry)
    return entry
  }

  /** The join that holds a topic now. */
  of(topic: string): Entry | undefined {
    return this.#byTopic.get(topic)
  }

  byId(id: number): Entry | undefined {
    return this.#byId.get(id)
  }

  byMonitor(ref: Ref): Entry | undefined {
    return this.#byMonitor.get(ref)
  }

  watch(entry: Entry, pid: Pid, monitor: Ref): void {
    entry.pid = pid
    entry.monitor = monitor
    this.#byMonitor.set(monitor, entry)
  }

  remove(entry: Entry): void {
    entry.state = 'gone'
    if (this.#byTopic.get(entry.topic) === entry) this.#byTopic.delete(entry.topic)
    this.#byId.delete(entry.id)
    if (entry.monitor !== undefined) this.#byMonitor.delete(entry.monitor)
  }

  [Symbol.iterator](): Iterator<Entry> {
    return this.#byId.values()[Symbol.iterator]()
  }
}
