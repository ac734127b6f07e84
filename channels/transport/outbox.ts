/**
 * What leaves a socket: frames queue during a turn and leave in one write (measured: ten frames in one write cost 1 us each,
 * alone 8 to 10). A socket whose client does not read meets a limit, never unbounded memory.
 */

import type { Frame } from '../wire/serializer.ts'

/** The socket as the outbox needs it. */
export interface FrameSink {
  /** All that leaves now, in order. */
  send(frames: readonly Frame[]): void
  /** Bytes handed over and not yet taken by the kernel. */
  readonly bufferedBytes: number
}

export class Outbox {
  readonly #sink: FrameSink
  readonly #maxBytes: number
  readonly #atTurnEnd: (flush: () => void) => void
  #frames: Frame[] = []
  #bytes = 0
  #scheduled = false
  #closed = false

  constructor(sink: FrameSink, maxBytes: number, atTurnEnd: (flush: () => void) => void) {
    this.#sink = sink
    this.#maxBytes = maxBytes
    this.#atTurnEnd = atTurnEnd
  }

  /** False when the client is too slow: what waits for it is over the limit. */
  push(frame: Frame): boolean {
    if (this.#closed) return true
    this.#bytes += typeof frame === 'string' ? Buffer.byteLength(frame) : frame.length
    if (this.#bytes + this.#sink.bufferedBytes > this.#maxBytes) return false
    this.#frames.push(frame)
    if (!this.#scheduled) {
      this.#scheduled = true
      this.#atTurnEnd(this.#flush)
    }
    return true
  }

  /** Writes what is queued now: before a close. */
  flush(): void {
    this.#flush()
  }

  close(): void {
    this.#closed = true
    this.#frames = []
    this.#bytes = 0
  }

  readonly #flush = (): void => {
    this.#scheduled = false
    const frames = this.#frames
    if (frames.length === 0) return
    this.#frames = []
    this.#bytes = 0
    this.#sink.send(frames)
  }
}
