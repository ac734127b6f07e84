/** A channel of the official client, typed by the channel it talks to. */
import { Answers, bounded, type Ended } from './answers.ts'
import { framed } from './bytes.ts'
import { JoinError, PushError } from './errors.ts'
import type { PhoenixChannel, PhoenixSocket } from './phoenix.ts'
import type {
  AnswersOf,
  AnswerTo,
  EventsOf,
  JoinArguments,
  Outcome,
  ParamsOf,
  PushesOf,
  Received,
  ResponseOf,
  SendArguments,
} from './types.ts'

export interface PushOptions {
  /** Milliseconds until it is a timeout, from the call on, whether it is joined by then or not. Default 10,000. */
  readonly timeoutMs?: number
}

/** What the server says before what it connected with runs out. */
export interface TokenExpiring {
  /** Milliseconds until the server closes the connection. */
  readonly expiresInMs: number
}

const TIMEOUT_MS = 10_000

type Off = () => void

/**
 * A channel of the official client, typed. Made by typedChannel(), or from a channel that is there already.
 *
 * @example
 * ```ts no-run
 * import { TypedChannel } from 'beamish/channels/client'
 * import type { Room } from '../server/room.ts'
 * const room = new TypedChannel<typeof Room>(socket.channel('room:lobby', {}))
 * const off = room.on('new_msg', ({ body }) => show(body))
 * room.onTokenExpiring(() => void refreshToken())
 * ```
 */
export class TypedChannel<C> {
  /** The official client's own channel. */
  readonly channel: PhoenixChannel
  readonly #answers: Answers
  #joining: Promise<unknown> | undefined
  #closed = false
  readonly #onJoined = new Set<(response: unknown) => void>()
  readonly #onClose = new Set<() => void>()

  constructor(channel: PhoenixChannel) {
    this.channel = channel
    this.#answers = new Answers(channel)
    channel.onClose(() => {
      // Left twice, the official client says so twice.
      if (this.#closed) return
      this.#closed = true
      for (const told of [...this.#onClose]) told()
    })
  }

  get topic(): string {
    return this.channel.topic
  }

  /**
   * Joins, once; asked again, the answer is the same one. Resolves with what the channel's join answers. The official client
   * joins again by itself when the connection was lost or the channel has crashed: onJoined tells of that. One that was left,
   * or has ended, is over: make another.
   * @throws JoinError when it is refused, not answered in time, or closed
   */
  join(timeoutMs: number = TIMEOUT_MS): Promise<Received<ResponseOf<C>>> {
    if (this.#closed) return Promise.reject(new JoinError(this.topic, 'closed', undefined))
    this.#joining ??= this.#join(bounded(timeoutMs))
    return this.#joining as Promise<Received<ResponseOf<C>>>
  }

  async #join(timeoutMs: number): Promise<unknown> {
    const push = this.channel.join(timeoutMs)
    return new Promise((resolve, reject) => {
      const settled = (): void => {
        clearTimeout(timer)
        this.#onClose.delete(closed)
      }
      const failed = (status: 'error' | 'timeout' | 'closed', response?: unknown): void => {
        settled()
        reject(new JoinError(this.topic, status, response))
      }
      const closed = (): void => failed('closed')
      // One of ours: the official client forgets its own when there is no connection.
      const timer = setTimeout(() => failed('timeout'), timeoutMs)
      this.#onClose.add(closed)
      push.receive('ok', (response) => {
        settled()
        resolve(response)
        // One that was refused at first may be taken later.
        this.#joining = Promise.resolve(response)
        for (const told of [...this.#onJoined]) told(response)
      })
      push.receive('error', (response) => failed('error', response))
    })
  }

  /**
   * Sends an event and resolves with the response of `ok`. Bytes go out as a binary frame. For one that gets no answer use send.
   * @throws PushError with the status and response of any other answer, or `timeout`, `closed` or `lost`
   */
  async push<K extends keyof EventsOf<C> & string>(
    event: K,
    ...[payload, options]: SendArguments<EventsOf<C>[K], PushOptions>
  ): Promise<AnswerTo<AnswersOf<C, K>, 'ok'>> {
    const { status, response } = await this.#send(event, payload, options)
    if (status !== 'ok') throw new PushError(this.topic, event, status, response)
    return response as never
  }

  /**
   * Sends an event and resolves with its status and response, whichever it is: for answers that are no mishap. Where none came,
   * the status is `timeout`; `closed` when the channel was left or has stopped; `lost` when it has crashed, or the connection
   * was lost, after the event was sent: it may have been handled, and is not sent again.
   */
  request<K extends keyof EventsOf<C> & string>(
    event: K,
    ...[payload, options]: SendArguments<EventsOf<C>[K], PushOptions>
  ): Promise<Outcome<AnswersOf<C, K>>> {
    return this.#send(event, payload, options) as never
  }

  async #send(
    event: string,
    payload: unknown,
    { timeoutMs = TIMEOUT_MS }: PushOptions = {},
  ): Promise<Ended> {
    if (this.#closed) return { status: 'closed', response: undefined }
    return this.#answers.send(event, payload, timeoutMs)
  }

  /**
   * Sends an event whose answer nobody waits for: one its handler does not answer, such as that somebody is typing. Before the
   * join is answered it waits for it, as all pushes do; after the end it goes nowhere.
   */
  send<K extends keyof EventsOf<C> & string>(
    event: K,
    ...[payload]: SendArguments<EventsOf<C>[K], never>
  ): void {
    if (!this.#closed) this.channel.push(event, framed(payload))
  }

  /** Hears an event of the server, until the function this returns is called. */
  on<K extends keyof PushesOf<C> & string>(
    event: K,
    callback: (payload: Received<PushesOf<C>[K]>) => void,
  ): Off {
    return this.#listen(event, callback)
  }

  #listen(event: string, callback: (payload: never) => void): Off {
    const ref = this.channel.on(event, callback as (payload: unknown) => void)
    return () => {
      this.channel.off(event, ref)
    }
  }

  /**
   * What it connected with runs out soon: get a new one, and connect with it. The official client asks a function for its
   * params and reads `authToken` anew at each connect, so it comes back by itself once it has another one to give.
   */
  onTokenExpiring(callback: (expiring: TokenExpiring) => void): Off {
    return this.#listen('token_expiring', (payload: { readonly expires_in_ms: number }) =>
      callback({ expiresInMs: payload.expires_in_ms }),
    )
  }

  /** Hears of each join that is taken: the first, and those after a lost connection or a crash. */
  onJoined(callback: (response: Received<ResponseOf<C>>) => void): Off {
    const told = callback as (response: unknown) => void
    this.#onJoined.add(told)
    return () => {
      this.#onJoined.delete(told)
    }
  }

  /** It has crashed, or the connection is lost; the official client joins again. */
  onError(callback: () => void): Off {
    return this.#listen('phx_error', () => callback())
  }

  /** It is over, told once: it was left, or it has stopped in order. What waits for an answer gets `closed`. */
  onClose(callback: () => void): Off {
    this.#onClose.add(callback)
    return () => {
      this.#onClose.delete(callback)
    }
  }

  /** Leaves: from here on it is closed. Resolves at once, as the official client does not wait for the answer. */
  leave(timeoutMs: number = TIMEOUT_MS): Promise<void> {
    if (this.#closed) return Promise.resolve()
    return new Promise((resolve) => {
      const push = this.channel.leave(bounded(timeoutMs))
      for (const status of ['ok', 'error', 'timeout']) push.receive(status, () => resolve())
    })
  }
}

/**
 * A channel of the official client with the types of the channel it joins. `socket` is a `Socket` of the package `phoenix`;
 * the channel is given as a type alone, so none of the server's code gets to the browser.
 *
 * @example
 * ```ts no-run
 * import { Socket } from 'phoenix'
 * import { typedChannel } from 'beamish/channels/client'
 * import type { Room } from '../server/room.ts'
 *
 * const socket = new Socket('/socket', { params: { token } })
 * socket.connect()
 * const room = typedChannel<typeof Room>(socket, 'room:lobby')
 * room.on('new_msg', ({ body }) => show(body))
 * const { motd } = await room.join()
 * const { sent } = await room.push('new_msg', { body: motd })
 * ```
 */
export function typedChannel<C>(
  socket: PhoenixSocket,
  topic: string,
  ...[params]: JoinArguments<ParamsOf<C>>
): TypedChannel<C> {
  return new TypedChannel<C>(socket.channel(topic, params as object | (() => object)))
}
