/**
 * The socket of a channel: its assigns, and what a channel may do to its client and to others on its topic. Callbacks change
 * it in place; assigns themselves are replaced, never mutated.
 */
import type { Pid } from '../../runtime/index.ts'
import { Self } from '../../runtime/process/self.ts'
import type { Topic, TopicEvents } from '../../runtime/pubsub/topic.ts'
import { ChannelError } from '../errors.ts'
import type { ChannelLink } from '../wire/link.ts'
import { type Via, viaFor } from '../wire/port.ts'
import type { Payload } from '../wire/serializer.ts'
import { broadcastOn } from './broadcast.ts'
import type { AnyPushes } from './contract.ts'
import type { ChannelBehaviour } from './process.ts'
import { checkPush } from './pushes.ts'

/** A push to be answered later, from any process on any thread. Plain data. */
export interface SocketRef extends Via {
  readonly id: number
  readonly serializer: string
  readonly topic: string
  readonly joinRef: string | null
  readonly ref: string
}

/** A payload that may be left out where nothing of it is required. */
export type Sent<P> =
  Record<never, never> extends P ? [payload?: P & Payload] : [payload: P & Payload]

/** What may be assigned once its kind is settled. */
type Assignable<A extends object> = [keyof A] extends [never] ? Record<string, never> : Partial<A>

/** The socket while its channel joins: what is assigned here, it goes on with. */
export type JoiningSocket<
  Assigns extends object = Record<never, never>,
  Pushes extends object = AnyPushes,
> = Joining<Assigns, Pushes> & ChannelSocket<Assigns, Pushes>

interface Joining<Assigns extends object, Pushes extends object> {
  /** Sets assigns, new ones too, from values or from what a function makes of the present ones. */
  assign<K extends object>(
    values: K | ((assigns: Readonly<Assigns>) => K),
  ): JoiningSocket<Omit<Assigns, keyof K> & K, Pushes>
}

/** `Pushes`: payloads of the events it may send, by event. */
export class ChannelSocket<
  Assigns extends object = Record<never, never>,
  Pushes extends object = AnyPushes,
> {
  /** The process of the channel. */
  readonly self: Self
  readonly topic: string
  readonly #link: ChannelLink
  #assigns: Assigns
  #joined = false
  #ref: string | null = null
  #via: Via | undefined

  constructor(self: Self, link: ChannelLink) {
    this.self = self
    this.topic = link.join.topic
    this.#link = link
    this.#assigns = link.join.assigns as Assigns
  }

  get assigns(): Readonly<Assigns> {
    return this.#assigns
  }

  /** The process that holds the connection. */
  get transport(): Pid {
    return this.#link.join.transport
  }

  /** Sets assigns among those that join has made, from values or from what a function makes of the present ones. */
  assign(
    values: Assignable<Assigns> | ((assigns: Readonly<Assigns>) => Assignable<Assigns>),
  ): this {
    const given = typeof values === 'function' ? values(this.#assigns) : values
    this.#assigns = { ...this.#assigns, ...given }
    return this
  }

  /** Replaces one assign by what `change` makes of it. */
  update<K extends keyof Assigns>(name: K, change: (value: Assigns[K]) => Assigns[K]): this {
    this.#assigns = { ...this.#assigns, [name]: change(this.#assigns[name]) }
    return this
  }

  /**
   * Sends an event to this channel's client.
   * @throws CHN_NOT_JOINED during join, CHN_PUSH in development for what is not as declared, CHN_PAYLOAD for what is neither an object that JSON can carry nor a Uint8Array
   */
  push<K extends keyof Pushes & string>(event: K, ...[payload]: Sent<Pushes[K]>): this {
    this.#link.push(event, this.#sendable('push', event, payload))
    return this
  }

  /**
   * Sends an event to all who joined this topic, on every thread, this client included.
   * @throws CHN_NOT_JOINED, CHN_PUSH, CHN_PAYLOAD, CHN_HISTORY for an event of the channel's history whose payload cannot be kept
   */
  broadcast<K extends keyof Pushes & string>(event: K, ...[payload]: Sent<Pushes[K]>): this {
    const sent = this.#sendable('broadcast', event, payload)
    this.#broadcast(event, sent, false)
    return this
  }

  /** broadcast to all but this client. @throws CHN_NOT_JOINED, CHN_PUSH, CHN_PAYLOAD, CHN_HISTORY */
  broadcastFrom<K extends keyof Pushes & string>(event: K, ...[payload]: Sent<Pushes[K]>): this {
    const sent = this.#sendable('broadcastFrom', event, payload)
    this.#broadcast(event, sent, true)
    return this
  }

  /**
   * Subscribes this channel to another topic. Events of one that is declared in `topics` run handleInfo; all others run
   * handleMessage, as `{ type: 'broadcast', topic, event, payload }`.
   */
  subscribe(topic: string | Topic): this {
    this.self.subscribe(topic)
    return this
  }

  unsubscribe(topic: string | Topic): this {
    this.self.unsubscribe(topic)
    return this
  }

  /** Sends a typed event on another topic. */
  publish<T extends string | Topic, E extends keyof TopicEvents<T> & string>(
    topic: T,
    event: E,
    payload: TopicEvents<T>[E],
  ): this {
    this.self.broadcast(topic, event, payload)
    return this
  }

  /**
   * The push that is being handled, to be answered later by replyTo(), in this process or any other.
   * @throws CHN_NO_REF outside of handleIn, or for a push that wants no answer
   */
  ref(): SocketRef {
    const { transport, id, serializer, topic, joinRef } = this.#link.join
    if (this.#ref === null) {
      throw new ChannelError(
        'CHN_NO_REF',
        'There is no push to answer later: call socket.ref() in handleIn, before it returns.',
      )
    }
    this.#via ??= viaFor(this.self, transport)
    return { ...this.#via, id, serializer, topic, joinRef, ref: this.#ref }
  }

  /** Kernel side: the push that is being handled, or null. */
  handles(ref: string | null): void {
    this.#ref = ref
  }

  /** Kernel side. */
  get joined(): boolean {
    return this.#joined
  }

  /** Kernel side: its join was taken. */
  hasJoined(): void {
    this.#joined = true
  }

  /** Kernel side: other assigns, of sys or of a channel that wakes. */
  restore(assigns: Assigns): void {
    this.#assigns = assigns
  }

  #broadcast(event: string, payload: Payload, butMe: boolean): void {
    const { self, topic } = this
    const behaviour = Self.processOf(self).behaviour as ChannelBehaviour
    const { history } = behaviour.definition
    broadcastOn(self, this.#link.serializer, topic, event, payload, butMe, history)
  }

  #sendable(what: string, event: string, payload: unknown): Payload {
    if (!this.#joined) throw notJoined(what)
    const sent = payload === undefined ? {} : payload
    const { scheduler, behaviour } = Self.processOf(this.self)
    // In production nothing is checked: whoever sends has been tested by then. The behaviour changes with the code.
    if (scheduler.development) checkPush((behaviour as ChannelBehaviour).definition, event, sent)
    return sent as Payload
  }
}

const notJoined = (what: string): ChannelError =>
  new ChannelError(
    'CHN_NOT_JOINED',
    `${what}() came before the join was answered: send yourself a message in join, socket.self.send(socket.self.pid, 'afterJoin'), and do it in handleMessage.`,
  )
