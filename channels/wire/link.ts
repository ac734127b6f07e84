/**
 * What a transport and its channels say to each other, as plain messages, so that a channel works wherever it is placed
 * relative to its transport. `id` names one join: a topic may be joined again while the old channel is still ending.
 */
import type { Pid, Self } from '../../runtime/index.ts'
import { logLine } from '../../runtime/log.ts'
import { Status } from '../../runtime/process/process.ts'
import { Self as SelfClass } from '../../runtime/process/self.ts'
import { type FrameLane, type TransportPort, transportHere } from './port.ts'
import { type Frame, findSerializer, type Payload, type Serializer } from './serializer.ts'
import { lacks, replyFrame } from './textOnly.ts'

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
      readonly frame: Frame
    }
  | {
      readonly type: 'phx:frame'
      readonly id: number
      readonly frame: Frame
      /** What a socket whose client does not keep up may leave out: a message nobody waits for. */
      readonly spare: boolean
      /** Of two spare ones of the same event the later one may stand for both. */
      readonly event: string
    }
  /** The channel ends in order: phx_close instead of phx_error. */
  | { readonly type: 'phx:closed'; readonly id: number }
  | { readonly type: 'phx:drain' }

/** A behaviour that makes its supervisor wait for nothing that its join awaits. */
export interface JoinsAside {
  readonly joinsAside: true
}

/** A push whose payload is JSON already. */
export interface JsonPush {
  readonly event: string
  readonly text: string
}

/** The call `page` of a transport: frames of one join that go out when there is room for them. Answers false once that has ended. */
export interface Page {
  readonly id: number
  readonly frames: readonly Frame[]
  /** Whoever sends it waits until they are taken, and not only written. */
  readonly more: boolean
}

/** What a channel process is started with: its place on the wire, and what the client sent along. */
export interface Join {
  readonly transport: Pid
  readonly id: number
  readonly topic: string
  readonly joinRef: string | null
  readonly ref: string | null
  /** What the client sent along; gone once the join is answered. */
  readonly payload: unknown
  /** Name of the serializer its client speaks. */
  readonly serializer: string
  /** Parameters of the connection and its session. */
  readonly connect: ConnectInfo
  /** What the socket's connect and the route assigned. */
  readonly assigns: Readonly<Record<string, unknown>>
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

/** What a dead process goes on to do reaches nobody, as by send(). */
const isAlive = (self: Self): boolean => SelfClass.processOf(self).status !== Status.Dead

/** The deltas of a presence, and what they are deltas of: a client that misses one has a wrong list from then on. */
export const isSpare = (event: string): boolean =>
  event !== 'presence_diff' && event !== 'presence_state'

/**
 * A channel's end of its link to the transport: for a behaviour of one's own that is routed in place of a channel(). It is
 * started with the Join as its argument, answers it once with joined(), and then gets ToChannel messages. A phx:leave it
 * answers, says closed() and ends; it monitors `join.transport` and ends with it. Ending without closed() is a phx_error to
 * the client. Events wait in its mailbox: with more of them there than the limits of its socket allow, further ones are refused
 * by the transport.
 *
 * @example
 * ```ts
 * import { genServer, stop } from 'beamish'
 * import { ChannelLink, type Join, type ToChannel } from 'beamish/channels'
 * export const Echo = genServer('doc-custom-channel', {
 *   init(join: Join, self) {
 *     self.monitor(join.transport)
 *     const link = new ChannelLink(self, join)
 *     link.joined('ok', {})
 *     return { link }
 *   },
 *   handleInfo({ link }, message) {
 *     const told = message as ToChannel | { readonly type: 'DOWN' }
 *     if (told.type === 'DOWN') return stop({ shutdown: 'closed' })
 *     if (told.type === 'phx:event') link.reply(told.ref, 'ok', { echo: told.payload })
 *     else if (told.type === 'phx:leave') {
 *       link.reply(told.ref, 'ok', {})
 *       link.closed()
 *       return stop({ shutdown: 'left' })
 *     } else return stop(told.reason)
 *     return undefined
 *   },
 * })
 * ```
 */
export class ChannelLink {
  #join: Join
  readonly serializer: Serializer
  readonly #self: Self
  /** undefined: it runs on another thread. */
  readonly #port: TransportPort | undefined
  readonly #lane: FrameLane | undefined
  #toldOfBytes = false

  constructor(self: Self, join: Join) {
    this.#self = self
    this.#join = join
    this.#port = transportHere(self, join.transport)
    this.#lane = this.#port?.lane(join.id)
    this.serializer = findSerializer(join.serializer)
  }

  /** What it was started with; without the payload of its client once that is answered. */
  get join(): Join {
    return this.#join
  }

  #tell(message: ToTransport): void {
    if (this.#port === undefined) this.#self.send(this.#join.transport, message)
    else if (isAlive(this.#self)) this.#port.fromChannel(message)
  }

  /** Answers the join; frames and events that waited for it go on when this is written. */
  joined(status: 'ok' | 'error', response: Payload): void {
    const { id, joinRef, ref, topic } = this.join
    const frame = this.serializer.encodeReply(joinRef, ref, topic, status, response)
    this.#join = { ...this.#join, payload: undefined }
    this.#tell({ type: 'phx:joined', id, pid: this.#self.pid, ok: status === 'ok', frame })
  }

  reply(ref: string | null, status: string, response: Payload): void {
    if (ref === null) return
    const { joinRef, topic } = this.join
    this.frame(replyFrame(this.serializer, joinRef, ref, topic, status, response), false, '')
  }

  push(event: string, payload: Payload): void {
    if (lacks(this.serializer, payload)) {
      this.leftOut()
      return
    }
    const { joinRef, topic } = this.join
    const frame = this.serializer.encodePush(joinRef, null, topic, event, payload)
    this.frame(frame, isSpare(event), event)
  }

  /** Bytes for a client whose wire has none. */
  leftOut(): void {
    if (this.#toldOfBytes) return
    this.#toldOfBytes = true
    logLine('warn', 'bytes for a client whose version of the wire has none were left out', () => ({
      topic: this.#join.topic,
      serializer: this.serializer.name,
    }))
  }

  /**
   * Pushes, given as JSON, that its client has missed and may not miss again. They are written once it has taken what came
   * before. Resolves then and, with `more` to come, when these are taken; false: there is no client any more, or it is not
   * joined.
   */
  async replay(pushes: readonly JsonPush[], more: boolean): Promise<boolean> {
    const { id, joinRef, topic, transport } = this.join
    const { serializer } = this
    const frames = pushes.map(
      ({ event, text }) =>
        serializer.encodePushJson?.(joinRef, topic, event, text) ??
        serializer.encodePush(joinRef, null, topic, event, JSON.parse(text) as Payload),
    )
    const page: Page = { id, frames, more }
    try {
      const options = { timeoutMs: Number.POSITIVE_INFINITY }
      return (await this.#self.call(transport, 'page', page, options)) === true
    } catch {
      // It has ended: the channel hears of that in its own time.
      return false
    }
  }

  /** A frame that is already encoded. */
  frame(frame: Frame, spare: boolean, event: string): void {
    if (this.#lane === undefined) {
      this.#tell({ type: 'phx:frame', id: this.join.id, frame, spare, event })
    } else if (isAlive(this.#self)) this.#lane.frame(frame, spare, event)
  }

  /** Says that what comes now is an orderly end. */
  closed(): void {
    this.#tell({ type: 'phx:closed', id: this.join.id })
  }
}
