/** Timers whose ties are drawn: one fires at a time, so that whatever is ready may come in between. */
import { OwnedTimer } from '../scheduler/clock.ts'
import { type TimerEntry, TimerQueue } from '../scheduler/timers.ts'
import type { Choose } from './choice.ts'

export class DrawnTimers extends TimerQueue {
  readonly #choose: Choose

  constructor(choose: Choose) {
    super()
    this.#choose = choose
  }

  override expire(now: number): number {
    const due = this.nextDeadline()
    if (due === undefined || due > now) return 0
    const open = inAnyOrder(this.ties())
    const entry = open[open.length === 1 ? 0 : this.#choose(open.length)] as TimerEntry
    this.remove(entry)
    entry.fire()
    return 1
  }
}

/** Those that may fire first: of one process's timers of equal delay that is the one it set first. */
function inAnyOrder(ties: readonly TimerEntry[]): TimerEntry[] {
  const seen = new Map<unknown, Set<unknown>>()
  return ties.filter((entry) => {
    if (!(entry instanceof OwnedTimer) || entry.owner === undefined) return true
    const delays = seen.get(entry.owner) ?? new Set()
    seen.set(entry.owner, delays)
    const first = !delays.has(entry.list)
    delays.add(entry.list)
    return first
  })
}
