/** A raw client of the Phoenix wire over one WebSocket: frames as objects, replies and pushes as promises. */
import { WebSocket } from 'ws'

export interface Frame {
  readonly joinRef: string | null
  readonly ref: string | null
  readonly topic: string
  readonly event: string
  readonly payload: unknown
}

export interface Reply {
  readonly status: string
  readonly response: Record<string, unknown>
}

export interface ConnectOptions {
  /** Default /live/websocket. */
  readonly path?: string
  /** Query of the request; `vsn` is 2.0.0 unless given, and left out when undefined. */
  readonly params?: Readonly<Record<string, string | undefined>>
  readonly headers?: Readonly<Record<string, string>>
  readonly subprotocols?: readonly string[]
}

export interface SocketClose {
  readonly code: number
  readonly reason: string
}

/** A WebSocket that was answered with a status instead of an upgrade. */
export class UpgradeRefused extends Error {
  readonly status: number

  constructor(status: number) {
    super(`the upgrade was answered with ${status}`)
    this.status = status
  }
}

/** How long anything that is awaited may take. */
const TIMEOUT_MS = 45_000

interface Waiter {
  readonly match: (frame: Frame) => boolean
  readonly resolve: (frame: Frame) => void
  readonly reject: (error: Error) => void
}

/**
 * One connection. A frame goes to the listener of its topic if there is one, else to whoever waits for it, else it is kept
 * until somebody asks.
 *
 * @example
 * const wire = await WireClient.connect('http://127.0.0.1:4000')
 * await wire.push('phoenix', 'heartbeat') // { status: 'ok', response: {} }
 */
export class WireClient {
  /** Resolves when the socket is closed, by whoever. */
  readonly closed: Promise<SocketClose>
  /** Frames nobody has asked for yet, oldest first. */
  readonly unread: Frame[] = []
  /** Binary frames, oldest first. */
  readonly binary: Uint8Array[] = []
  readonly #socket: WebSocket
  readonly #listeners = new Map<string, (frame: Frame) => boolean>()
  #waiters: Waiter[] = []
  #nextRef = 1
  #isClosed = false

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) this.binary.push(new Uint8Array(data))
      else this.#received(data.toString())
    })
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.#isClosed = true
        for (const { reject } of this.#waiters) reject(new Error(`the socket closed with ${code}`))
        this.#waiters = []
        resolve({ code, reason: reason.toString() })
      })
    })
  }

  /** Opens a socket at `base`, an http URL. Rejects with UpgradeRefused when the server says no. */
  static connect(base: string, options: ConnectOptions = {}): Promise<WireClient> {
    const url = new URL(options.path ?? '/live/websocket', base)
    url.protocol = 'ws:'
    for (const [name, value] of Object.entries({ vsn: '2.0.0', ...options.params })) {
      if (value !== undefined) url.searchParams.set(name, value)
    }
    const { headers, subprotocols = [] } = options
    const socket = new WebSocket(url, [...subprotocols], { headers, perMessageDeflate: false })
    // Made before the socket opens: no frame is missed.
    const client = new WireClient(socket)
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(client))
      socket.once('unexpected-response', (request, response) => {
        reject(new UpgradeRefused(response.statusCode ?? 0))
        request.destroy()
      })
      socket.once('error', reject)
    })
  }

  /** The socket itself, for what the wire does not cover. */
  get socket(): WebSocket {
    return this.#socket
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** A ref that no push of this client has had. */
  ref(): string {
    return String(this.#nextRef++)
  }

  /** Sends text or bytes as they are. */
  raw(data: string | Uint8Array): void {
    this.#socket.send(data)
  }

  send(frame: Frame): void {
    const { joinRef, ref, topic, event, payload } = frame
    this.raw(JSON.stringify([joinRef, ref, topic, event, payload]))
  }

  /** Pushes an event and resolves with its reply. */
  async push(
    topic: string,
    event: string,
    payload: unknown = {},
    joinRef: string | null = null,
  ): Promise<Reply> {
    return (await this.pushFor(topic, event, payload, joinRef)).payload as Reply
  }

  /** push, but the whole frame of the reply. */
  pushFor(
    topic: string,
    event: string,
    payload: unknown = {},
    joinRef: string | null = null,
  ): Promise<Frame> {
    const ref = this.ref()
    const reply = this.replyTo(ref)
    this.send({ joinRef, ref, topic, event, payload })
    return reply
  }

  /** Joins a topic: the reply, and the ref of the join. */
  async join(topic: string, payload: unknown = {}): Promise<Reply & { readonly joinRef: string }> {
    const joinRef = this.ref()
    const reply = this.replyTo(joinRef)
    this.send({ joinRef, ref: joinRef, topic, event: 'phx_join', payload })
    return { ...((await reply).payload as Reply), joinRef }
  }

  replyTo(ref: string): Promise<Frame> {
    return this.next(
      (frame) => frame.event === 'phx_reply' && frame.ref === ref,
      `reply to ref ${ref}`,
    )
  }

  /** The next frame that matches, of those kept or yet to come; `what` is for the error if none comes. */
  next(match: (frame: Frame) => boolean, what: string = 'a frame'): Promise<Frame> {
    const at = this.unread.findIndex(match)
    const found = this.unread[at]
    if (found !== undefined) {
      this.unread.splice(at, 1)
      return Promise.resolve(found)
    }
    if (this.#isClosed) return Promise.reject(new Error(`${what}: the socket is closed`))
    return withTimeout(
      what,
      () => this.unread,
      (resolve, reject) => {
        const waiter: Waiter = { match, resolve, reject }
        this.#waiters.push(waiter)
        return () => {
          this.#waiters = this.#waiters.filter((one) => one !== waiter)
        }
      },
    )
  }

  /** The next push of an event on a topic. */
  nextEvent(topic: string, event: string): Promise<Frame> {
    return this.next(
      (frame) => frame.topic === topic && frame.event === event,
      `${event} on ${topic}`,
    )
  }

  /** Resolves when the server has handled all that was sent before: a heartbeat makes the round trip. */
  async settled(): Promise<void> {
    await this.push('phoenix', 'heartbeat')
  }

  /** Gives the frames of a topic to a listener first; what it answers true to is not kept. */
  listen(topic: string, listener: (frame: Frame) => boolean): void {
    this.#listeners.set(topic, listener)
  }

  /** Closes with a goodbye, or cuts the connection. */
  async close(how: 'close' | 'terminate' = 'close'): Promise<SocketClose> {
    if (how === 'close') this.#socket.close()
    else this.#socket.terminate()
    return this.closed
  }

  #received(text: string): void {
    const [joinRef, ref, topic, event, payload] = JSON.parse(text) as [
      string | null,
      string | null,
      string,
      string,
      unknown,
    ]
    const frame: Frame = { joinRef, ref, topic, event, payload }
    const waiter = this.#waiters.find(({ match }) => match(frame))
    const listened = this.#listeners.get(topic)?.(frame) === true
    if (waiter !== undefined) {
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
      waiter.resolve(frame)
    } else if (!listened) this.unread.push(frame)
  }
}

/** A promise that says what it waited for when it takes too long. */
export function withTimeout<T>(
  what: string,
  seen: () => unknown,
  start: (resolve: (value: T) => void, reject: (error: Error) => void) => () => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      stop()
      const shown = JSON.stringify(seen()).slice(0, 2_000)
      reject(new Error(`${what} did not come within ${TIMEOUT_MS} ms; seen: ${shown}`))
    }, TIMEOUT_MS)
    const settle =
      <V>(then: (value: V) => void) =>
      (value: V): void => {
        clearTimeout(timer)
        then(value)
      }
    const stop = start(settle(resolve), settle(reject))
  })
}
