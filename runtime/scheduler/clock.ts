/** The clock of one scheduler: its timers on the one alarm of its host. Timers with a reference end with their owner. */
import type { Ref, RefSource } from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import type { Host } from './host.ts'
import { RefTable } from './refTable.ts'
import { type TimerEntry, TimerQueue } from './timers.ts'

/** What a timer does; given what it was set with, so that no closure is needed. */
type Act<A> = (argument: A, owner: Process | undefined) => void

/** A timer with a reference: in the queue, in the table of references, and in the list of its owner. */
export class OwnedTimer implements TimerEntry {
  deadline = 0
  prev: TimerEntry | undefined = undefined
  next: TimerEntry | undefined = undefined
  list: TimerEntry['list'] = undefined
  readonly ref: Ref
  readonly owner: Process | undefined
  before: OwnedTimer | undefined = undefined
  after: OwnedTimer | undefined = undefined
  readonly #byRef: RefTable<OwnedTimer>
  readonly #act: Act<never>
  readonly #argument: unknown

  constructor(
    byRef: RefTable<OwnedTimer>,
    ref: Ref,
    owner: Process | undefined,
    act: Act<never>,
    argument: unknown,
  ) {
    this.#byRef = byRef
    this.ref = ref
    this.owner = owner
    this.#act = act
    this.#argument = argument
    byRef.add(this)
    if (owner === undefined) return
    this.after = owner.timers
    if (owner.timers !== undefined) owner.timers.before = this
    owner.timers = this
  }

  fire(): void {
    this.forget()
    this.#act(this.#argument as never, this.owner)
  }

  forget(): void {
    this.#byRef.delete(this.ref)
    const { owner, before, after } = this
    if (after !== undefined) after.before = before
    if (before !== undefined) before.after = after
    else if (owner?.timers === this) owner.timers = after
  }
}

export class Clock {
  readonly #host: Host
  readonly #refs: RefSource
  readonly #queue: TimerQueue
  readonly #byRef = new RefTable<OwnedTimer>()
  #alarmAt: number | undefined

  constructor(host: Host, refs: RefSource, queue = new TimerQueue()) {
    this.#host = host
    this.#refs = refs
    this.#queue = queue
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
  after(owner: Process | undefined, delayMs: number, act: () => void): Ref
  after<A>(owner: Process | undefined, delayMs: number, act: Act<A>, argument: A): Ref
  after(owner: Process | undefined, delayMs: number, act: Act<never>, argument?: unknown): Ref {
    const timer = new OwnedTimer(this.#byRef, this.#refs.next(), owner, act, argument)
    const now = this.#host.now()
    this.#queue.insert(now, delayMs, timer)
    this.#arm(now)
    return timer.ref
  }

  /** False when the timer is unknown or has fired. */
  cancelRef(ref: Ref): boolean {
    return this.#take(ref) !== undefined
  }

  /** The same: milliseconds that were left. */
  cancelAndRead(ref: Ref): number | false {
    const timer = this.#take(ref)
    return timer === undefined ? false : this.#left(timer)
  }

  #take(ref: Ref): OwnedTimer | undefined {
    const timer = this.#byRef.get(ref)
    if (timer === undefined) return undefined
    timer.forget()
    this.#queue.remove(timer)
    return timer
  }

  /** Its owner has ended. */
  release(owner: Process): void {
    while (owner.timers !== undefined) {
      const timer = owner.timers
      timer.forget()
      this.#queue.remove(timer)
    }
  }

  /** Milliseconds left of a timer, or false. */
  read(ref: Ref): number | false {
    const timer = this.#byRef.get(ref)
    return timer === undefined ? false : this.#left(timer)
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
