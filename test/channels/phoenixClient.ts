/** The official client, unmodified, on a WebSocket that sends the headers a browser would. */
import { WebSocket } from 'ws'

export interface Push {
  receive(status: string, callback: (response: Record<string, unknown>) => void): Push
}

export interface Channel {
  join(timeoutMs?: number): Push
  leave(): Push
  push(event: string, payload: unknown): Push
  on(event: string, callback: (payload: Record<string, unknown>) => void): number
  off(event: string, ref?: number): void
  onError(callback: (reason: unknown) => void): void
  onClose(callback: () => void): void
  readonly topic: string
  readonly state: string
}

export interface Received {
  readonly topic: string
  readonly event: string
  readonly payload: Record<string, unknown>
  readonly ref: string | null
  readonly join_ref: string | null
}

export interface Socket {
  connect(): void
  disconnect(callback?: () => void): void
  channel(topic: string, params: unknown): Channel
  onOpen(callback: () => void): void
  onClose(callback: (event: { code: number }) => void): void
  onError(callback: (error: { message: string }) => void): void
  /** The connection it has now. */
  readonly conn: WebSocket
  onMessage(callback: (message: Received) => void): void
  isConnected(): boolean
}

export interface SocketOptions {
  readonly params?: Readonly<Record<string, unknown>>
  readonly transport?: unknown
  readonly heartbeatIntervalMs?: number
  /** How long a push waits for its answer, in milliseconds. Default 10,000. */
  readonly timeout?: number
  readonly reconnectAfterMs?: ((tries: number) => number) | undefined
  readonly rejoinAfterMs?: ((tries: number) => number) | undefined
  readonly authToken?: string | (() => string)
  readonly vsn?: string
  /** Frames of another version than the client's own. */
  readonly encode?: (message: Received, done: (frame: string) => void) => void
  readonly decode?: (frame: string, done: (message: Received) => void) => void
  /** After how long without a WebSocket it takes to long polling, in milliseconds. */
  readonly longPollFallbackMs?: number
  /** Where it remembers that it did. */
  readonly sessionStorage?: Pick<Storage, 'getItem' | 'setItem'>
  /** Where the socket is mounted. Default /live. */
  readonly path?: string
}

// The package ships no types; a name the compiler does not follow leaves them to the line below.
const packageName: string = 'phoenix'
const phoenix: {
  Socket: new (url: string, options: SocketOptions) => Socket
  LongPoll: unknown
} = await import(packageName)

/** The official client's other transport, for the option of that name. */
export const { LongPoll } = phoenix

/** A socket of the official client at `base`, an http URL. */
export function phoenixSocket(
  base: string,
  headers: Readonly<Record<string, string>>,
  options: SocketOptions = {},
): Socket {
  class Transport extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { headers, perMessageDeflate: false })
    }
  }
  return new phoenix.Socket(`${base.replace(/^http/, 'ws')}${options.path ?? '/live'}`, {
    transport: Transport,
    reconnectAfterMs: () => 50,
    rejoinAfterMs: () => 50,
    ...options,
  })
}

/** How a push ends: its status and response. */
export function outcome(push: Push): Promise<readonly [string, Record<string, unknown>]> {
  return new Promise((resolve) => {
    for (const status of ['ok', 'error', 'timeout']) {
      push.receive(status, (response) => resolve([status, response]))
    }
  })
}
