/**
 * The topics of one transport as a pure table: which join holds a topic, which are ending, and what waits for a join. It
 * decides nothing about processes or sockets.
 */
import type { Pid, Ref } from '../../runtime/index.ts'
import { PendingQueue } from '../pending.ts'
import type { Message } from '../wire/message.ts'
import type { Frame } from '../wire/serializer.ts'

/** What waits while a topic joins: client events, and frames for the client. */
export type Waiting =
  | { readonly message: Message }
  | { readonly frame: Frame; readonly spare: boolean }

export interface Entry {
  readonly id: number
  readonly topic: string
  readonly join: Message
  /** starting: no pid yet. joining: no answer yet. ending: told to, by leave or a new join. */
  state: 'starting' | 'joining' | 'joined' | 'ending'
  pid: Pid | undefined
  monitor: Ref | undefined
  /** Rings when its join has taken too long. */
  timer: Ref | undefined
  late: boolean
  /** It announced an orderly end. */
  closed: boolean
  readonly waiting: PendingQueue<Waiting>
  /** A join of the same topic that starts when this channel is gone. */
  next: Message | undefined
  /** joinRef of the channel this one replaced: its phx_close follows our join reply. */
  replaced: { readonly joinRef: string | null } | undefined
  /** Its join was answered ok, and the client was not told of its end yet. */
  owesClose: boolean
  /** Events it was given and has not said to have handled; it says so for many at a time. */
  unhandled: number
}

export class Topics {
  readonly #byTopic = new Map<string, Entry>()
  readonly #byId = new Map<number, Entry>()
  readonly #byMonitor = new Map<Ref, Entry>()
  #nextId = 1

  get size(): number {
    return this.#byId.size
  }

  add(join: Message, replaced: Entry['replaced']): Entry {
    const entry: Entry = {
      id: this.#nextId++,
      topic: join.topic,
      join,
      state: 'starting',
      pid: undefined,
      monitor: undefined,
      timer: undefined,
      late: false,
      closed: false,
      waiting: new PendingQueue<Waiting>(),
      next: undefined,
      replaced,
      owesClose: false,
      unhandled: 0,
    }
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
    if (this.#byTopic.get(entry.topic) === entry) this.#byTopic.delete(entry.topic)
    this.#byId.delete(entry.id)
    if (entry.monitor !== undefined) this.#byMonitor.delete(entry.monitor)
  }

  [Symbol.iterator](): IterableIterator<Entry> {
    return this.#byId.values()
  }
}
