/**
 * What a transport and its channels say to each other, as plain messages, so that a channel works wherever it is placed
 * relative to its transport. `id` names one join: a topic may be joined again while the old channel is still ending.
 */
import type { Pid } from '../../runtime/index.ts'
import { encodePush, encodeReply } from './serializerV2.ts'

/** To a channel: what the client did, or that it has to end. */
export type ToChannel =
  | {
      readonly type: 'phx:event'
      readonly ref: string | null
      readonly event: string
      readonly payload: unknown
    }
  | { readonly type: 'phx:leave'; readonly ref: string | null }
  | { readonly type: 'phx:stop'; readonly reason: { readonly shutdown: string } }

/** To a transport. A frame is encoded by its sender, once. */
export type ToTransport =
  | {
      readonly type: 'phx:joined'
      readonly id: number
      /** The channel: this message may come before the word that it was started. */
      readonly pid: Pid
      readonly ok: boolean
      readonly frame: string
    }
  | { readonly type: 'phx:frame'; readonly id: number; readonly frame: string }
  /** The channel ends in order: phx_close instead of phx_error. */
  | { readonly type: 'phx:closed'; readonly id: number }
  /** Events it has handled since it last said so. */
  | { readonly type: 'phx:handled'; readonly id: number; readonly count: number }
  | { readonly type: 'phx:drain' }

/** What a channel process is started with: its place on the wire, and what the client sent along. */
export interface Join {
  readonly transport: Pid
  readonly id: number
  readonly topic: string
  readonly joinRef: string | null
  readonly ref: string | null
  readonly payload: unknown
  /** Parameters of the connection, its session, and what the route was declared with. */
  readonly connect: ConnectInfo
  readonly options: unknown
}

/** What is known of the connection a channel lives on. Plain data. */
export interface ConnectInfo {
  readonly params: Readonly<Record<string, unknown>>
  /** The signed session, if its cookie and the page's CSRF token agree. */
  readonly session: Readonly<Record<string, unknown>> | undefined
  readonly userAgent: string | undefined
  readonly remoteAddress: string | undefined
  /** Origin the page was asked for from: scheme, host and port. */
  readonly url: string
}

interface Sender {
  readonly pid: Pid
  send(to: Pid, message: unknown): void
}

const HANDLED_BATCH = 64

/** A channel's end of its link to the transport. */
export class ChannelLink {
  readonly join: Join
  readonly #self: Sender
  #handled = 0

  constructor(self: Sender, join: Join) {
    this.#self = self
    this.join = join
  }

  #tell(message: ToTransport): void {
    this.#self.send(this.join.transport, message)
  }

  /** Answers the join; frames and events that waited for it go on when this is written. */
  joined(status: 'ok' | 'error', response: object): void {
    const { id, joinRef, ref, topic } = this.join
    const frame = encodeReply(joinRef, ref, topic, status, response)
    this.#tell({ type: 'phx:joined', id, pid: this.#self.pid, ok: status === 'ok', frame })
  }

  reply(ref: string | null, status: string, response: object): void {
    if (ref === null) return
    const { id, joinRef, topic } = this.join
    this.#tell({ type: 'phx:frame', id, frame: encodeReply(joinRef, ref, topic, status, response) })
  }

  push(event: string, payload: object): void {
    const { id, joinRef, topic } = this.join
    this.#tell({ type: 'phx:frame', id, frame: encodePush(joinRef, topic, event, payload) })
  }

  /** A frame that is already encoded. */
  frame(frame: string): void {
    this.#tell({ type: 'phx:frame', id: this.join.id, frame })
  }

  /** One more event is handled. The transport hears of many at a time: it only has to know who falls behind. */
  handled(): void {
    if (++this.#handled < HANDLED_BATCH) return
    this.#tell({ type: 'phx:handled', id: this.join.id, count: this.#handled })
    this.#handled = 0
  }

  /** Says that what comes now is an orderly end. */
  closed(): void {
    this.#tell({ type: 'phx:closed', id: this.join.id })
  }
}
