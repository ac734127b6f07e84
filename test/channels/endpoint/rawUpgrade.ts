/** A client that asks for an upgrade by hand: its whole answer is seen, and it can hang up before there is one. */
import { connect, type Socket } from 'node:net'

export interface UpgradeAnswer {
  readonly status: number
  readonly headers: Headers
  /** When it came, as performance.now(). */
  readonly atMs: number
}

export interface RawUpgradeOptions {
  readonly path?: string
  readonly origin?: string
  /** The address it comes from; every 127.x.x.x is this machine's. */
  readonly localAddress?: string
  /** Sent right behind the request. */
  readonly more?: string
}

export class RawUpgrade {
  /** Rejects when the connection ends without one. */
  readonly answer: Promise<UpgradeAnswer>
  readonly #socket: Socket

  constructor(base: string, options: RawUpgradeOptions = {}) {
    const { path = '/live/websocket?vsn=2.0.0', origin = base, localAddress, more = '' } = options
    const { hostname, port, host } = new URL(base)
    this.#socket = connect({ host: hostname, port: Number(port), localAddress })
    this.#socket.write(
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n' +
        more,
    )
    this.answer = new Promise((resolve, reject) => {
      this.#socket.once('data', (data: Buffer) => {
        const [first = '', ...lines] = data.toString().split('\r\n\r\n')[0]?.split('\r\n') ?? []
        const headers = new Headers(lines.map((line) => line.split(': ', 2) as [string, string]))
        resolve({ status: Number(first.split(' ')[1]), headers, atMs: performance.now() })
      })
      this.#socket.once('error', reject)
      this.#socket.once('close', () => reject(new Error('no answer')))
    })
    this.answer.catch(() => {})
  }

  /** Sends something before there is an answer. */
  speak(bytes: string): void {
    this.#socket.write(bytes)
  }

  /** With a FIN, or with a reset. */
  hangUp(how: 'end' | 'reset' = 'end'): void {
    if (how === 'end') this.#socket.destroy()
    else this.#socket.resetAndDestroy()
  }
}
