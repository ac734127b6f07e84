/** WebSockets, by `ws` in noServer mode: the only file that knows the library. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Frame } from '../wire/serializer.ts'
import { encoded } from './encoded.ts'
import type { FrameSink } from './outbox.ts'

/** An accepted socket. */
export interface AcceptedSocket extends FrameSink {
  onFrame(listener: (frame: Frame) => void): void
  /** Pings, which are answered already, and pongs (RFC 6455 section 5.5). */
  onControl(listener: (type: 'ping' | 'pong', data: Uint8Array) => void): void
  /** Hears of a close that came before it, too. */
  onClose(listener: (code: number) => void): void
  /** Stops and resumes reading: the client then meets TCP backpressure. */
  pause(): void
  resume(): void
  /** Says goodbye; the connection is cut if the client does not answer in time. */
  close(code: number, reason: string): void
  terminate(): void
}

/** How long a client has to answer a close frame. */
const CLOSE_TIMEOUT_MS = 3_000

/** Close code of a connection that ended without a close frame (RFC 6455 section 7.4.1). */
const ABNORMAL_CLOSURE = 1006

/** Accepts upgrades, paused until somebody listens; frames over `maxFrameBytes` close their socket with 1009, bad UTF-8 with 1007 (RFC 6455). */
export class Upgrader {
  readonly #server: WebSocketServer

  /** `protocol`: which of the subprotocols a request offers is spoken; undefined: none. */
  constructor(maxFrameBytes: number, protocol: (request: IncomingMessage) => string | undefined) {
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: maxFrameBytes,
      // zlib contexts cost more memory per client than a chat saves in bytes.
      perMessageDeflate: false,
      handleProtocols: (_offered, request) => protocol(request) ?? false,
      // @ts-expect-error the option is newer than the published types
      closeTimeout: CLOSE_TIMEOUT_MS,
    })
  }

  /** The socket; undefined when the request was none for a socket, which has been answered, or its client is gone. */
  accept(request: IncomingMessage, raw: Duplex, head: Buffer): AcceptedSocket | undefined {
    let accepted: AcceptedSocket | undefined
    this.#server.handleUpgrade(request, raw, head, (socket) => {
      // What a client sends at once would be lost before its process listens.
      socket.pause()
      accepted = new Accepted(socket, raw)
    })
    return accepted
  }
}

const ignore = (): void => {}

class Accepted implements AcceptedSocket {
  readonly #socket: WebSocket
  readonly #raw: Duplex

  constructor(socket: WebSocket, raw: Duplex) {
    this.#socket = socket
    this.#raw = raw
    // A protocol error closes the socket by itself; without a listener it would end the thread.
    socket.on('error', ignore)
  }

  /** Past `ws`, whose own frames are whole and go the same way: what many sockets send alike is made once. */
  send(frames: readonly Frame[], taken?: () => void): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    if (taken === undefined) this.#raw.write(encoded(frames))
    else this.#raw.write(encoded(frames), taken)
  }

  get bufferedBytes(): number {
    return this.#raw.writableLength
  }

  onFrame(listener: (frame: Frame) => void): void {
    this.#socket.on('message', (data: Buffer, isBinary: boolean) => {
      listener(isBinary ? data : data.toString())
    })
  }

  onControl(listener: (kind: 'ping' | 'pong', data: Uint8Array) => void): void {
    this.#socket.on('ping', (data: Buffer) => listener('ping', new Uint8Array(data)))
    this.#socket.on('pong', (data: Buffer) => listener('pong', new Uint8Array(data)))
  }

  onClose(listener: (code: number) => void): void {
    if (this.#socket.readyState === this.#socket.CLOSED) listener(ABNORMAL_CLOSURE)
    else this.#socket.on('close', listener)
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason)
  }

  terminate(): void {
    this.#socket.terminate()
  }
}
