/**
 * The socket of a live view: its assigns, and what a view may do to its page and to others. Handlers change it in place;
 * assigns themselves are replaced, never mutated, so that a change can be seen.
 */
import type { Self } from '../../runtime/index.ts'
import type { Topic, TopicEvents } from '../../runtime/pubsub/topic.ts'

/** Something the page is told after its next patch. */
export type PageEvent = readonly [name: string, payload: unknown]

/** Window event the page's boot script listens to: empties inputs. */
const CLEAR_EVENT = 'beamish:clear'

export class LiveSocket<Assigns extends object = Record<never, never>> {
  /** True once the page is connected; false in the first render over HTTP, where nothing can be subscribed. */
  readonly connected: boolean
  /** The process of the view. */
  readonly self: Self
  #assigns: Assigns
  #dirty = true
  #title: string | undefined
  #titleChanged = false
  #events: PageEvent[] = []

  constructor(self: Self, connected: boolean, assigns: Assigns) {
    this.self = self
    this.connected = connected
    this.#assigns = assigns
  }

  get assigns(): Readonly<Assigns> {
    return this.#assigns
  }

  /** Sets assigns. One that is equal to what it was (===) changes nothing. */
  assign<K extends object>(values: K): LiveSocket<Assigns & K> {
    const known = this.#assigns as Record<string, unknown>
    for (const [name, value] of Object.entries(values)) {
      if (Object.hasOwn(known, name) && Object.is(known[name], value)) continue
      this.#assigns = { ...this.#assigns, ...values }
      this.#dirty = true
      break
    }
    return this as never
  }

  /** Replaces one assign by what `change` makes of it. */
  update<K extends keyof Assigns>(name: K, change: (value: Assigns[K]) => Assigns[K]): this {
    const before = this.#assigns[name]
    const after = change(before)
    if (!Object.is(before, after)) {
      this.#assigns = { ...this.#assigns, [name]: after }
      this.#dirty = true
    }
    return this
  }

  /** Sets the title of the page. */
  pageTitle(title: string): this {
    if (title !== this.#title) {
      this.#title = title
      this.#titleChanged = true
    }
    return this
  }

  /** Dispatches `phx:<name>` with `payload` as its detail on the page's window, after the next patch. */
  pushEvent(name: string, payload: unknown = {}): this {
    this.#events.push([name, payload])
    return this
  }

  /**
   * Empties the page's inputs of these names, if they still hold these values: `socket.clear({ text })` after a submit. The
   * official client keeps what is in a focused input, so a handler has to ask for this; focus stays where it is.
   */
  clear(inputs: Readonly<Record<string, string>>): this {
    return this.pushEvent(CLEAR_EVENT, inputs)
  }

  /** Subscribes this view to a topic; broadcasts run handleInfo by their event. Does nothing before the page is connected. */
  subscribe(topic: string | Topic): this {
    if (this.connected) this.self.subscribe(topic)
    return this
  }

  unsubscribe(topic: string | Topic): this {
    this.self.unsubscribe(topic)
    return this
  }

  /** Broadcasts to every subscriber on every thread, this view included if it has subscribed. */
  broadcast<T extends string | Topic, E extends keyof TopicEvents<T> & string>(
    topic: T,
    event: E,
    payload: TopicEvents<T>[E],
  ): this {
    this.self.broadcast(topic, event, payload)
    return this
  }

  /** broadcast to all but this view. */
  broadcastFrom<T extends string | Topic, E extends keyof TopicEvents<T> & string>(
    topic: T,
    event: E,
    payload: TopicEvents<T>[E],
  ): this {
    this.self.broadcastFrom(topic, event, payload)
    return this
  }

  /** Kernel side: other assigns, of sys or of a view that wakes; `dirty` says whether a render is due for them. */
  restore(assigns: Assigns, dirty: boolean): void {
    this.#assigns = assigns
    if (dirty) this.#dirty = true
  }

  /** Kernel side: whether a render is due; asking settles it. */
  takeDirty(): boolean {
    const dirty = this.#dirty
    this.#dirty = false
    return dirty
  }

  /** Kernel side: the title, if it changed since the last time. */
  takeTitle(): string | undefined {
    if (!this.#titleChanged) return undefined
    this.#titleChanged = false
    return this.#title
  }

  /** Kernel side: the events for the page since the last time. */
  takeEvents(): readonly PageEvent[] | undefined {
    if (this.#events.length === 0) return undefined
    const events = this.#events
    this.#events = []
    return events
  }

  get hasEvents(): boolean {
    return this.#events.length > 0 || this.#titleChanged
  }
}
