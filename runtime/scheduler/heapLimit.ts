/**
 * A limit for what one process holds (OTP max_heap_size). Node has one heap per thread and cannot say whose a byte is, so the
 * state, the mailbox and the dictionary are walked now and then, no further than the limit: an estimate, and a late one.
 */
import { publish } from '../events.ts'
import { formatPid } from '../process/pid.ts'
import type { Process } from '../process/process.ts'

/** How often a process with a limit is looked at. */
export const HEAP_CHECK_MS = 1_000

const OBJECT_BYTES = 24
const SLOT_BYTES = 8
const STRING_BYTES = 16

/** Looks at a process again and again until it ends, or is killed for what it holds. */
export function limitHeap(process: Process, maxBytes: number): void {
  const { scheduler } = process
  scheduler.clock.after(process, HEAP_CHECK_MS, () => {
    const bytes = heldBytes(process, maxBytes)
    if (bytes <= maxBytes) {
      limitHeap(process, maxBytes)
      return
    }
    const { behaviour, pid, name } = process
    publish('notice', () => ({
      level: 'error',
      code: 'max_heap',
      message: `${behaviour.name} ${name ?? formatPid(pid)} holds more than ${maxBytes} bytes: killed`,
      process: formatPid(pid),
      maxHeapBytes: maxBytes,
      mailboxLength: process.mailbox.length,
    }))
    scheduler.exit(process, 'killed')
  })
}

/** About what a process holds, exact up to the first byte over `limit`; what it sleeps on is not among it. */
export function heldBytes({ state, dictionary, mailbox }: Process, limit: number): number {
  const walk = new Walk(limit)
  walk.add(state)
  walk.add(dictionary)
  for (let i = 0; i < mailbox.length && !walk.over; i++) walk.add(mailbox.at(i))
  return walk.bytes
}

/** About what a value takes, each part of it once; exact up to the first byte over `limit`, and no further. */
export function estimateBytes(value: unknown, limit: number = Number.POSITIVE_INFINITY): number {
  const walk = new Walk(limit)
  walk.add(value)
  return walk.bytes
}

class Walk {
  bytes = 0
  readonly #limit: number
  readonly #seen = new Set<object>()

  constructor(limit: number) {
    this.#limit = limit
  }

  get over(): boolean {
    return this.bytes > this.#limit
  }

  /** Without recursion: a list of a million links is a state like any other. */
  add(value: unknown): void {
    const rest: unknown[] = [value]
    while (rest.length > 0 && !this.over) {
      const next = rest.pop()
      if (typeof next === 'string') this.bytes += STRING_BYTES + next.length
      else if (typeof next === 'object' && next !== null) {
        if (this.#seen.has(next)) continue
        this.#seen.add(next)
        this.#parts(next, rest)
      } else this.bytes += SLOT_BYTES
    }
  }

  #parts(value: object, rest: unknown[]): void {
    this.bytes += OBJECT_BYTES
    try {
      this.#inner(value, rest)
    } catch {
      // What cannot be looked at, as a revoked proxy or an accessor that throws, has nothing to weigh.
    }
  }

  #inner(value: object, rest: unknown[]): void {
    if (ArrayBuffer.isView(value)) rest.push(value.buffer)
    else if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) {
      this.bytes += value.byteLength
    } else if (value instanceof Map) {
      this.bytes += SLOT_BYTES * value.size
      if (this.#exceededBy(value.size)) return
      for (const [key, item] of value) rest.push(key, item)
    } else if (Array.isArray(value) || value instanceof Set) {
      if (this.#exceededBy(Array.isArray(value) ? value.length : value.size)) return
      for (const item of value) rest.push(item)
    } else for (const item of Object.values(value)) rest.push(item)
  }

  /** So many slots alone are more than the limit: what is in them need not be listed. */
  #exceededBy(slots: number): boolean {
    const exceeded = this.bytes + SLOT_BYTES * slots > this.#limit
    if (exceeded) this.bytes += SLOT_BYTES * slots
    return exceeded
  }
}
