/**
 * A client of one socket that costs as little as can be: a thousand of them share one core with nothing else to do than to
 * keep up with the server. Frames are counted by their headers where they lie; only who asks for text gets a copy.
 */
import { randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import { connect, type Socket } from 'node:net'

/** Each read is counted before the next one begins, so all connections read into the same bytes. */
const READ_INTO = Buffer.allocUnsafe(65_536)

/** Any but zero: a server may skip the work of unmasking for that one (RFC 6455 section 5.3). */
const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d])

const TEXT = 0x81
const CLOSE = 0x88
const LENGTH_IN_2 = 126
const LENGTH_IN_8 = 127
const MASKED = 0x80
const MAX_HEADER = 10

/** A client's text frame, masked: made once, sent many times. */
export function textFrame(text: string): Buffer {
  const payload = Buffer.from(text)
  if (payload.length > 0xffff) throw new Error('a frame of the bench has at most 65,535 bytes')
  const long = payload.length >= LENGTH_IN_2
  const header = Buffer.alloc(long ? 8 : 6)
  header[0] = TEXT
  header[1] = MASKED | (long ? LENGTH_IN_2 : payload.length)
  if (long) header.writeUInt16BE(payload.length, 2)
  MASK.copy(header, header.length - MASK.length)
  for (let i = 0; i < payload.length; i++) payload[i]! ^= MASK[i & 3] as number
  return Buffer.concat([header, payload])
}

export class Connection {
  /** Frames that have come whole, since the handshake. */
  frames = 0
  /** Hears how many frames a read completed. */
  onFrames: ((count: number) => void) | undefined
  readonly #socket: Socket
  #fd = -1
  /** Bytes of the frame under way that are still to come. */
  #missing = 0
  /** The beginning of a header that a read has cut. */
  readonly #header = Buffer.alloc(MAX_HEADER)
  #headerBytes = 0
  #onText: ((text: string) => void) | undefined
  #text: Buffer = Buffer.alloc(0)
  #shaken: ((head: string) => void) | undefined
  #closing = false

  private constructor(port: number, path: string) {
    this.#socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: {
        buffer: READ_INTO,
        callback: (length, bytes) => {
          this.#read(bytes as Buffer, length)
          return true
        },
      },
    })
    this.#socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    )
  }

  static open(port: number, path: string): Promise<Connection> {
    const connection = new Connection(port, path)
    return new Promise((resolve, reject) => {
      connection.#socket.once('error', reject)
      connection.#socket.once('close', () => {
        if (connection.#closing) return
        const lost = new Error(`the server closed a socket after ${connection.frames} frames`)
        if (connection.#shaken === undefined) throw lost
        reject(lost)
      })
      connection.#shaken = (head) => {
        connection.#shaken = undefined
        connection.#fd = (connection.#socket as unknown as { _handle: { fd: number } })._handle.fd
        if (head.startsWith('HTTP/1.1 101')) resolve(connection)
        else reject(new Error(head))
      }
    })
  }

  /** Past the stream, straight into the kernel: half the price of a write, for frames that always fit its buffer. */
  write(frame: Buffer): void {
    if (writeSync(this.#fd, frame) !== frame.length) throw new Error('the server does not read')
  }

  /** From here on every frame as text, until undefined is given: for what is to be read, not counted fast. */
  read(listener: ((text: string) => void) | undefined): void {
    this.#onText = listener
  }

  /** Sends `frame` and answers with the next one that comes. */
  ask(frame: Buffer): Promise<string> {
    return new Promise((resolve) => {
      this.read((text) => {
        this.read(undefined)
        resolve(text)
      })
      this.write(frame)
    })
  }

  close(): void {
    this.#closing = true
    this.#socket.destroy()
  }

  #read(bytes: Buffer, length: number): void {
    if (this.#shaken === undefined && this.#onText === undefined) {
      const count = this.#count(bytes, length)
      if (count === 0) return
      this.frames += count
      this.onFrames?.(count)
      return
    }
    // Copied: what is kept over a read must not lie where the next one goes.
    this.#text = Buffer.concat([this.#text, bytes.subarray(0, length)])
    if (this.#shaken !== undefined) {
      const end = this.#text.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = this.#text.toString('latin1', 0, end)
      this.#text = this.#text.subarray(end + 4)
      this.#shaken(head)
    }
    while (this.#onText !== undefined && this.#takeText(this.#onText)) {}
    // Who no longer wants text has the rest counted.
    if (this.#onText === undefined && this.#text.length > 0) {
      const rest = this.#text
      this.#text = Buffer.alloc(0)
      this.#read(rest, rest.length)
    }
  }

  #takeText(listener: (text: string) => void): boolean {
    const size = frameBytes(this.#text, 0, this.#text.length)
    if (size === 0 || size > this.#text.length) return false
    if (this.#text[0] === CLOSE) throw new Error('the server closed a socket')
    const text = this.#text.toString('utf8', headerBytes(this.#text[1] as number), size)
    this.#text = this.#text.subarray(size)
    this.frames++
    this.onFrames?.(1)
    listener(text)
    return true
  }

  /** Walks from header to header. */
  #count(bytes: Buffer, length: number): number {
    let count = 0
    let at = 0
    if (this.#missing > 0) {
      if (this.#missing > length) {
        this.#missing -= length
        return 0
      }
      at = this.#missing
      this.#missing = 0
      count++
    }
    while (this.#headerBytes > 0 && at < length) {
      this.#header[this.#headerBytes++] = bytes[at++] as number
      const size = frameBytes(this.#header, 0, this.#headerBytes)
      if (size === 0) continue
      at += size - this.#headerBytes
      this.#headerBytes = 0
      count++
    }
    while (at < length) {
      const size = frameBytes(bytes, at, length)
      if (size === 0) {
        for (; at < length; at++) this.#header[this.#headerBytes++] = bytes[at] as number
        return count
      }
      at += size
      count++
    }
    if (at > length) {
      this.#missing = at - length
      count--
    }
    return count
  }
}

const headerBytes = (second: number): number =>
  second === LENGTH_IN_2 ? 4 : second === LENGTH_IN_8 ? 10 : 2

/** Length of the frame at `at`, header included; 0 while its header is not there. A server's frames are not masked. */
function frameBytes(bytes: Buffer, at: number, end: number): number {
  if (end - at < 2) return 0
  const second = bytes[at + 1] as number
  if (second < LENGTH_IN_2) return 2 + second
  if (second === LENGTH_IN_2) {
    if (end - at < 4) return 0
    return 4 + (((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number))
  }
  return end - at < 10 ? 0 : 10 + bytes.readUInt32BE(at + 6)
}
