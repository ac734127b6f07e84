/**
 * What leaves a socket: frames queue during a turn and leave in one write (measured: ten frames in one write cost 1 us each,
 * alone 8 to 10). A socket whose client does not read meets a limit and a policy, never unbounded memory: spare frames have
 * room up to the limit, those that must not be missed up to twice as much. Only what the kernel has not taken counts, and a
 * frame that is alone may be of any size: it says nothing of its client.
 */

import type { Frame } from '../wire/serializer.ts'
import { Conflated } from './conflated.ts'
import type { TransportSocket } from './transport.ts'

/**
 * What becomes of a socket whose client does not read, once `maxQueueBytes` wait for it. close: it is closed with 1013.
 * drop: pushes and broadcasts are left out, replies and what tells of joins and ends are not. conflate: of those left out the
 * latest of each topic and event is kept, and sent when there is room. Under drop and conflate twice the limit closes.
 */
export type Overflow = 'close' | 'drop' | 'conflate'

export const OVERFLOWS: readonly Overflow[] = ['close', 'drop', 'conflate']

/** The socket as the outbox needs it. */
export interface FrameSink {
  /** All that leaves now, in order. `taken`, where given: the kernel has it. */
  send(frames: readonly Frame[], taken?: () => void): void
  /** Bytes handed over and not yet taken by the kernel. */
  readonly bufferedBytes: number
  close(code: number, reason: string): void
}

/** Ends the turn: a scheduler. */
export interface TurnEnd {
  atTurnEnd(act: () => void): void
}

/** A turn's frames leave before its end when they are so many: what is written in pieces the kernel takes in pieces. */
const FLUSH_BYTES = 65_536

/** So little waits for a client that it can be given more: what Node calls drained. */
const LOW_WATER_BYTES = 16_384

export class Outbox implements TransportSocket {
  readonly #sink: FrameSink
  readonly #maxBytes: number
  readonly #turn: TurnEnd
  readonly #overflow: Overflow
  readonly #leftOut: ((outbox: Outbox) => void) | undefined
  readonly #conflated: Conflated | undefined
  #frames: Frame[] = NONE
  #bytes = 0
  /** The size of a frame over the limit, while the kernel has not taken it. */
  #aloneBytes = 0
  #dropped = 0
  #closed = false
  /** Those that wait until it is drained. */
  #waiting: (() => void)[] | undefined

  /** `leftOut` is called for every frame that its client will not get. */
  constructor(
    sink: FrameSink,
    maxBytes: number,
    turn: TurnEnd,
    overflow: Overflow = 'close',
    leftOut?: (outbox: Outbox) => void,
  ) {
    this.#sink = sink
    this.#maxBytes = maxBytes
    this.#turn = turn
    this.#overflow = overflow
    this.#leftOut = leftOut
    this.#conflated = overflow === 'conflate' ? new Conflated(maxBytes) : undefined
  }

  /** Frames left out so far. */
  get dropped(): number {
    return this.#dropped
  }

  /** What waits for the client, here and on its way to the kernel. */
  get waitingBytes(): number {
    return this.#bytes + this.#sink.bufferedBytes + (this.#conflated?.bytes ?? 0)
  }

  /**
   * False when the client is too slow and has to go. A frame that is `spare` may be left out; topic and event say which
   * ones stand for each other.
   */
  write(frame: Frame, spare = false, topic = '', event = ''): boolean {
    if (this.#closed) return true
    const bytes = bytesOf(frame)
    const conflated = this.#conflated
    // What is kept goes first, or a newer frame would overtake it.
    if (spare && conflated !== undefined && conflated.size > 0) {
      this.#leaveOut(frame, bytes, topic, event)
      return true
    }
    return this.#bytes + bytes + this.#sink.bufferedBytes > this.#maxBytes
      ? this.#writeOver(frame, bytes, spare, topic, event)
      : this.#queue(frame, bytes)
  }

  /** A frame with which there is more than the limit, if the kernel does not take what is queued. */
  #writeOver(frame: Frame, bytes: number, spare: boolean, topic: string, event: string): boolean {
    this.#flush()
    const { bufferedBytes } = this.#sink
    const isAlone = bufferedBytes <= Math.min(LOW_WATER_BYTES, this.#maxBytes)
    if (this.#aloneBytes === 0 && bytes > this.#maxBytes && isAlone) {
      this.#aloneBytes = bytes
      this.#sink.send([frame], () => {
        this.#aloneBytes = 0
        this.#taken()
      })
      return true
    }
    if (bufferedBytes < this.#aloneBytes) this.#aloneBytes = 0
    const waiting = bytes + bufferedBytes - this.#aloneBytes
    if (waiting <= this.#maxBytes) return this.#queue(frame, bytes)
    if (this.#overflow === 'close') return false
    if (spare) {
      this.#leaveOut(frame, bytes, topic, event)
      return true
    }
    return waiting <= 2 * this.#maxBytes && this.#queue(frame, bytes)
  }

  /** Each finds it drained, whatever the one before has written. */
  whenDrained(act: () => void): void {
    if (this.#waiting === undefined && (this.#closed || this.#isLow)) {
      act()
      return
    }
    if (this.#waiting !== undefined) {
      this.#waiting.push(act)
      return
    }
    this.#waiting = [act]
    // What is on its way was sent when nobody waited for it.
    if (this.#frames === NONE) this.#sink.send([], () => this.#taken())
  }

  get #isLow(): boolean {
    return this.#bytes + this.#sink.bufferedBytes <= LOW_WATER_BYTES
  }

  /** A channel has ended: what is kept of its topic is not for the next one. */
  forget(topic: string): void {
    if (this.#conflated !== undefined && this.#conflated.size > 0) this.#conflated.forget(topic)
  }

  /** Writes what is queued, says goodbye, and takes no more. */
  close(code: number, reason: string): void {
    this.#flush()
    this.drop()
    this.#sink.close(code, reason)
  }

  /** Takes no more, and forgets what is queued. */
  drop(): void {
    this.#closed = true
    this.#frames = NONE
    this.#bytes = 0
    this.#conflated?.clear()
    this.#drained()
  }

  #queue(frame: Frame, bytes: number): true {
    this.#bytes += bytes
    if (this.#frames !== NONE) this.#frames.push(frame)
    else {
      this.#frames = [frame]
      this.#turn.atTurnEnd(() => this.#flush())
    }
    if (this.#bytes >= FLUSH_BYTES) this.#flush()
    return true
  }

  #leaveOut(frame: Frame, bytes: number, topic: string, event: string): void {
    const gone = this.#conflated?.put(topic, event, frame, bytes) ?? 1
    if (gone === 0) return
    this.#dropped += gone
    this.#leftOut?.(this)
  }

  #flush(): void {
    const frames = this.#frames
    if (frames === NONE) return
    this.#frames = NONE
    this.#bytes = 0
    if (this.#conflated === undefined && this.#waiting === undefined) this.#sink.send(frames)
    else this.#sink.send(frames, () => this.#taken())
  }

  /** The kernel has taken some: there may be room for what is kept, and for those that wait. */
  #taken(): void {
    const conflated = this.#conflated
    while (conflated !== undefined && conflated.size > 0) {
      const frame = conflated.take(this.#maxBytes - this.#bytes - this.#sink.bufferedBytes)
      if (frame === undefined) return
      this.#queue(frame, bytesOf(frame))
    }
    this.#drained()
  }

  #drained(): void {
    const waiting = this.#waiting
    if (waiting === undefined) return
    while (waiting.length > 0 && (this.#closed || this.#isLow)) waiting.shift()?.()
    if (waiting.length === 0) this.#waiting = undefined
  }
}

/** An idle socket has no list of its own. */
const NONE: Frame[] = []

let lastText = ''
let lastBytes = 0

/** In a room one text goes to many: it is measured once. */
function bytesOf(frame: Frame): number {
  if (typeof frame !== 'string') return frame.length
  if (frame !== lastText) {
    lastText = frame
    lastBytes = Buffer.byteLength(frame)
  }
  return lastBytes
}
