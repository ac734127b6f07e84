/**
 * What waits for a client that polls: encoded frames, and its open poll, if it has one. A sink like a socket, so that the same
 * outbox is before it: frames of a turn leave in one answer, and what nobody fetches meets the outbox's limit.
 */
import type { FrameSink } from '../transport/outbox.ts'
import type { Frame } from '../wire/serializer.ts'

/** 204: nothing came in time. 410: there will be no more. 500: a newer poll took this one's place. */
export interface PollAnswer {
  readonly status: 200 | 204 | 410 | 500
  readonly messages: readonly string[]
}

export class PollBuffer<Poll extends { readonly id: string }> implements FrameSink {
  readonly #answer: (poll: Poll, answer: PollAnswer) => void
  #messages: string[] = []
  #bytes = 0
  #poll: Poll | undefined
  #closed = false
  /** Of the latest that was written: it says that there is room. */
  #taken: (() => void) | undefined

  /** `answer` is called once for each poll. */
  constructor(answer: (poll: Poll, answer: PollAnswer) => void) {
    this.#answer = answer
  }

  get bufferedBytes(): number {
    return this.#bytes
  }

  /** Whether a poll is open. */
  get polled(): boolean {
    return this.#poll !== undefined
  }

  /** Text only: whoever writes to it has seen to that. `taken` when it was fetched. */
  send(frames: readonly Frame[], taken?: () => void): void {
    for (const frame of frames as readonly string[]) {
      this.#messages.push(frame)
      this.#bytes += Buffer.byteLength(frame)
    }
    this.#taken = taken
    this.#deliver()
  }

  /**
   * Answered with what is there, or kept until something is. There is one open poll: two clients that hold one token would take
   * each other's messages, so the one that came first is told to begin anew.
   */
  poll(poll: Poll): void {
    this.#end(500)
    this.#poll = poll
    this.#deliver()
    if (this.#closed) this.#end(410)
  }

  /** Its time is up, or its client hung up. */
  expire(id: string): void {
    if (this.#poll?.id === id) this.#end(204)
  }

  /** What is there may still be fetched. */
  close(): void {
    this.#closed = true
    this.#end(410)
  }

  #end(status: PollAnswer['status'], messages: readonly string[] = []): void {
    const poll = this.#poll
    if (poll === undefined) return
    this.#poll = undefined
    this.#answer(poll, { status, messages })
  }

  #deliver(): void {
    if (this.#poll === undefined || this.#messages.length === 0) return
    const messages = this.#messages
    this.#messages = []
    this.#bytes = 0
    this.#end(200, messages)
    const taken = this.#taken
    this.#taken = undefined
    taken?.()
  }
}
