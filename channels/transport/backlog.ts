/**
 * What one client makes its socket hold: payloads of joins that run, events that wait for a join, events that channels were
 * given and have not taken out of their mailboxes yet. The mailboxes themselves are looked at: a channel does not have to say
 * what it has handled, and one of any behaviour cannot forget to.
 */
import type { Pid, Self } from '../../runtime/index.ts'
import { localNode } from '../../runtime/node/local.ts'
import { schedulerOf } from '../../runtime/process/pid.ts'

/** Events a channel may have waiting. */
export const MAX_UNHANDLED = 1_000
/** With so many it is time to look which of them are still there. */
const LOOK_AT = 64

/** One who is given events; the figures are the backlog's. */
export class Holder {
  pid: Pid | undefined = undefined
  /** Bytes of all that is held for it. */
  heldBytes = 0
  /** Of those, the events in its mailbox when it was last looked at, and those given since: their sizes, oldest first. */
  given: number[] = NONE
  /** Given since its thread was asked; -1: it is not. */
  askedSince = -1
}

const NONE: number[] = []

export class Backlog {
  readonly #self: Self
  readonly #maxBytes: number
  readonly #holders: Iterable<Holder>
  #bytes = 0

  constructor(self: Self, maxBytes: number, holders: Iterable<Holder>) {
    this.#self = self
    this.#maxBytes = maxBytes
    this.#holders = holders
  }

  /** Whether so much more may be held. One frame may, however large. */
  fits(bytes: number): boolean {
    if (this.#bytes + bytes <= this.#maxBytes / 2 || this.#bytes === 0) return true
    for (const holder of this.#holders) this.#look(holder)
    return this.#bytes + bytes <= this.#maxBytes || this.#bytes === 0
  }

  /** Whether a channel may be given one more event. */
  takes(holder: Holder): boolean {
    // In time for the answers of other threads to come before anything is refused.
    if (this.#bytes > this.#maxBytes / 2) for (const one of this.#holders) this.#look(one)
    else if (holder.given.length >= LOOK_AT) this.#look(holder)
    return holder.given.length < MAX_UNHANDLED
  }

  /** An event of that size goes to the channel. */
  gave(holder: Holder, bytes: number): void {
    if (holder.given === NONE) holder.given = [bytes]
    else holder.given.push(bytes)
    if (holder.askedSince >= 0) holder.askedSince++
    this.hold(holder, bytes)
  }

  hold(holder: Holder, bytes: number): void {
    holder.heldBytes += bytes
    this.#bytes += bytes
  }

  /** No more than it holds: one that is gone holds nothing. */
  release(holder: Holder, bytes: number): void {
    const freed = Math.min(bytes, holder.heldBytes)
    holder.heldBytes -= freed
    this.#bytes -= freed
  }

  /** It is gone, with all that it held. */
  forget(holder: Holder): void {
    this.release(holder, holder.heldBytes)
    holder.given = NONE
  }

  #look(holder: Holder): void {
    const { pid } = holder
    if (pid === undefined || holder.given.length === 0) return
    const { scheduler } = localNode(this.#self)
    if (schedulerOf(pid) === scheduler.id) {
      this.#left(holder, scheduler.find(pid)?.mailbox.length ?? 0)
    } else if (holder.askedSince < 0) {
      holder.askedSince = 0
      this.#ask(holder, pid)
    }
  }

  /** Of a channel on another thread: what it was given meanwhile counts as not taken. */
  async #ask(holder: Holder, pid: Pid): Promise<void> {
    const info = await this.#self.info(pid)
    const since = holder.askedSince
    holder.askedSince = -1
    if (info !== undefined) this.#left(holder, info.mailboxLength + since)
  }

  /** Not more than so many are left. */
  #left(holder: Holder, count: number): void {
    const taken = holder.given.length - count
    if (taken <= 0) return
    let bytes = 0
    for (const size of holder.given.splice(0, taken)) bytes += size
    this.release(holder, bytes)
  }
}
