/**
 * The latest of what a client did not keep up with: one frame for each topic and event, within a limit of bytes. Pure; it is
 * touched only where a client falls behind.
 */
import type { Frame } from '../wire/serializer.ts'

interface Kept {
  readonly topic: string
  readonly event: string
  readonly frame: Frame
  readonly bytes: number
}

export class Conflated {
  readonly #maxBytes: number
  /** In the order in which they were last put, oldest first. */
  readonly #kept = new Map<string, Kept>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get size(): number {
    return this.#kept.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Keeps a frame in place of an older one of its topic and event; how many frames have gone for it, itself included. */
  put(topic: string, event: string, frame: Frame, bytes: number): number {
    // A length says where the topic ends: no event can make two topics one.
    const key = `${topic.length}:${topic}${event}`
    let gone = this.#drop(key)
    if (bytes > this.#maxBytes) return gone + 1
    this.#kept.set(key, { topic, event, frame, bytes })
    this.#bytes += bytes
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#maxBytes) break
      gone += this.#drop(oldest)
    }
    return gone
  }

  /** Takes out the oldest if it is no larger than that. */
  take(maxBytes: number): Frame | undefined {
    for (const [key, { frame, bytes }] of this.#kept) {
      if (bytes > maxBytes) return undefined
      this.#drop(key)
      return frame
    }
    return undefined
  }

  /** What is kept of a topic is nobody's any more. */
  forget(topic: string): void {
    for (const [key, kept] of this.#kept) if (kept.topic === topic) this.#drop(key)
  }

  clear(): void {
    this.#kept.clear()
    this.#bytes = 0
  }

  #drop(key: string): number {
    const kept = this.#kept.get(key)
    if (kept === undefined) return 0
    this.#kept.delete(key)
    this.#bytes -= kept.bytes
    return 1
  }
}
