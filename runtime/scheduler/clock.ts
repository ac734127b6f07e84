/** The clock of one scheduler: its timers on the one alarm of its host. Timers with a reference end with their owner. */
import type { Ref, RefSource } from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import type { Host } from './host.ts'
import { type TimerEntry, TimerQueue } from './timers.ts'

export class Clock {
  readonly #host: Host
  readonly #refs: RefSource
  readonly #queue = new TimerQueue()
  readonly #byRef = new Map<
    Ref,
    { readonly entry: TimerEntry; readonly owner: Process | undefined }
  >()
  #alarmAt: number | undefined

  constructor(host: Host, refs: RefSource) {
    this.#host = host
    this.#refs = refs
  }

  /** Timers that have not fired. */
  get size(): number {
    return this.#queue.size
  }

  /** Fires once after `delayMs`. */
  set(delayMs: number, fire: () => void): TimerEntry {
    const now = this.#host.now()
    const entry = this.#queue.add(now, delayMs, fire)
    this.#arm(now)
    return entry
  }

  cancel(entry: TimerEntry): boolean {
    return this.#queue.remove(entry)
  }

  /** Fires once after `delayMs`, unless cancelled or its owner ends first. */
  after(owner: Process | undefined, delayMs: number, fire: () => void): Ref {
    const ref = this.#refs.next()
    const entry = this.set(delayMs, () => {
      this.#byRef.delete(ref)
      owner?.timers?.delete(ref)
      fire()
    })
    this.#byRef.set(ref, { entry, owner })
    if (owner !== undefined) {
      owner.timers ??= new Set()
      owner.timers.add(ref)
    }
    return ref
  }

  /** Milliseconds that were left, or false when the timer is unknown or has fired. */
  cancelRef(ref: Ref): number | false {
    const timer = this.#byRef.get(ref)
    if (timer === undefined) return false
    this.#byRef.delete(ref)
    timer.owner?.timers?.delete(ref)
    this.cancel(timer.entry)
    return this.#left(timer.entry)
  }

  /** Milliseconds left of a timer, or false. */
  read(ref: Ref): number | false {
    const timer = this.#byRef.get(ref)
    return timer === undefined ? false : this.#left(timer.entry)
  }

  /** No timer fires any more. */
  stop(): void {
    this.#host.alarm(undefined, this.#ring)
  }

  #left(entry: TimerEntry): number {
    return Math.max(0, Math.ceil(entry.deadline - this.#host.now()))
  }

  readonly #ring = (): void => {
    this.#alarmAt = undefined
    try {
      this.#queue.expire(this.#host.now())
    } finally {
      // One that throws must not silence the others.
      this.#arm(this.#host.now())
    }
  }

  /** The alarm is only ever moved forward; one that rings early finds nothing due and is set anew. */
  #arm(now: number): void {
    const next = this.#queue.nextDeadline()
    if (next === undefined || (this.#alarmAt !== undefined && this.#alarmAt <= next)) return
    this.#alarmAt = next
    this.#host.alarm(next - now, this.#ring)
  }
}
