/**
 * What was said on one topic lately: messages with consecutive offsets, within limits of count, age and bytes. Pure; time is
 * passed in, in milliseconds of any clock that does not go back.
 */

/** How much of a topic is kept. */
export interface HistoryLimits {
  readonly maxMessages: number
  readonly maxAgeMs: number
  /** Bytes of the messages as JSON. */
  readonly maxBytes: number
}

export interface Kept {
  readonly event: string
  /** The payload as JSON, its position in it. */
  readonly text: string
}

interface Entry extends Kept {
  readonly bytes: number
  readonly atMs: number
}

export class Ring {
  /** Those before `#head` have gone, and are cut off now and then. */
  #entries: (Entry | undefined)[] = []
  #head = 0
  #bytes = 0
  #last: number

  /** `last`: the offset its first message follows. */
  constructor(last = 0) {
    this.#last = last
  }

  /** Offset of the newest message ever. */
  get last(): number {
    return this.#last
  }

  get length(): number {
    return this.#entries.length - this.#head
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Adds a message under the offset `last + 1`, and forgets what the limits no longer allow: itself, if need be. */
  add(event: string, text: string, nowMs: number, limits: HistoryLimits): void {
    const bytes = Buffer.byteLength(text) + Buffer.byteLength(event)
    this.#last++
    this.#entries.push({ event, text, bytes, atMs: nowMs })
    this.#bytes += bytes
    this.trim(nowMs, limits)
  }

  trim(nowMs: number, { maxMessages, maxAgeMs, maxBytes }: HistoryLimits): void {
    for (;;) {
      const oldest = this.#entries[this.#head]
      if (oldest === undefined) break
      const allowed =
        this.length <= maxMessages && this.#bytes <= maxBytes && nowMs - oldest.atMs < maxAgeMs
      if (allowed) break
      this.#entries[this.#head++] = undefined
      this.#bytes -= oldest.bytes
    }
    if (this.#head > 64 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
  }

  /** Whether every message after that offset is still known. */
  reaches(offset: number): boolean {
    const missed = this.#last - offset
    return missed >= 0 && missed <= this.length
  }

  /** The messages after an offset it reaches, oldest first: as many as have so many characters, but one at least; 0: none. */
  since(offset: number, maxCharacters = Number.POSITIVE_INFINITY): readonly Kept[] {
    const found: Kept[] = []
    let characters = 0
    for (let i = this.#entries.length - (this.#last - offset); i < this.#entries.length; i++) {
      const { event, text } = this.#entries[i] as Entry
      characters += text.length
      if (characters > maxCharacters && (found.length > 0 || maxCharacters === 0)) break
      found.push({ event, text })
    }
    return found
  }
}
