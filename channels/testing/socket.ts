/** The other end of a connection in a test: what the server writes is told to the test, what the test sends comes in. */
import type { AcceptedSocket } from '../transport/webSocket.ts'
import type { Frame } from '../wire/serializer.ts'
import { type Term, termOf } from './wire.ts'

/** What a client tells the test. */
export type Told =
  | (Term & {
      /** Of a push: the ref of the join it is for, as a client would find that: its own, or of a broadcast the topic's last. */
      readonly join?: string | null
    })
  /** A join that will not be: there is no connection any more. */
  | { readonly type: 'unanswered'; readonly ref: string }
  | { readonly type: 'connected' }
  | { readonly type: 'refused'; readonly status: number; readonly reason: string }
  | { readonly type: 'closed'; readonly code: number; readonly reason: string }

/** To the test, from the client of this number. */
export type ToTest = { readonly client: number } & Told

/** A frame to be sent, of the join `ref` if it is one. */
export interface ToSend {
  readonly frame: Frame
  readonly join: { readonly topic: string; readonly ref: string } | undefined
}

const sizeOf = (frame: Frame): number =>
  typeof frame === 'string' ? Buffer.byteLength(frame) : frame.length

/** The socket, whose other end is the test. */
export class TestSocket implements AcceptedSocket {
  readonly bufferedBytes = 0
  readonly #tell: (told: Told) => void
  readonly #maxFrameBytes: number
  /** The last join of each topic, and those that are not answered. */
  readonly #joins = new Map<string, string>()
  readonly #unanswered = new Set<string>()
  #onFrame: (frame: Frame) => void = () => {}
  #onClose: (code: number) => void = () => {}
  #closed = false

  constructor(tell: (told: Told) => void, maxFrameBytes: number) {
    this.#tell = tell
    this.#maxFrameBytes = maxFrameBytes
  }

  send(frames: readonly Frame[], taken?: () => void): void {
    if (this.#closed) return
    for (const frame of frames) {
      const term = termOf(frame)
      if (term.type === 'reply') {
        if (term.ref !== null) this.#unanswered.delete(term.ref)
        this.#tell(term)
      } else this.#tell({ ...term, join: term.joinRef ?? this.#joins.get(term.topic) ?? null })
    }
    taken?.()
  }

  onControl(): void {}
  pause(): void {}
  resume(): void {}
  terminate(): void {}

  onFrame(listener: (frame: Frame) => void): void {
    this.#onFrame = listener
  }

  onClose(listener: (code: number) => void): void {
    this.#onClose = listener
  }

  /** The server says goodbye: the client hears it, and answers. */
  close(code: number, reason: string): void {
    if (this.#closed) return
    this.#tell({ type: 'closed', code, reason })
    this.disconnected(code)
  }

  received({ frame, join }: ToSend): void {
    if (join !== undefined) {
      this.#joins.set(join.topic, join.ref)
      this.#unanswered.add(join.ref)
    }
    if (this.#closed) this.#answerNone()
    else if (sizeOf(frame) > this.#maxFrameBytes) this.close(TOO_BIG, 'the frame is too big')
    else this.#onFrame(frame)
  }

  /** The client says goodbye. */
  disconnected(code: number): void {
    if (this.#closed) return
    this.#closed = true
    this.#answerNone()
    this.#onClose(code)
  }

  #answerNone(): void {
    for (const ref of this.#unanswered) this.#tell({ type: 'unanswered', ref })
    this.#unanswered.clear()
  }
}

/** Close code for what is too big to be read (RFC 6455 section 7.4.1). */
const TOO_BIG = 1009
