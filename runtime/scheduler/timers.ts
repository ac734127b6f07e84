/**
 * Timers of one scheduler, as a pure structure: lists per delay (timers of one delay expire in the order they were set),
 * and a heap of the lists. Setting and cancelling are O(1) for a delay already in use, which call timeouts always are; one
 * host timer serves them all.
 */

/** Spent delays whose lists are kept for the next timer: a delay in use is mostly used again. */
const KEPT_LISTS = 64

export interface TimerEntry {
  deadline: number
  fire(): void
  prev: TimerEntry | undefined
  next: TimerEntry | undefined
  list: TimerList | undefined
}

interface TimerList {
  readonly delay: number
  head: TimerEntry | undefined
  tail: TimerEntry | undefined
  /** Position in the heap, or -1. */
  index: number
}

export class TimerQueue {
  readonly #lists = new Map<number, TimerList>()
  readonly #heap: TimerList[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  add(now: number, delayMs: number, fire: () => void): TimerEntry {
    const entry: TimerEntry = {
      deadline: 0,
      fire,
      prev: undefined,
      next: undefined,
      list: undefined,
    }
    this.insert(now, delayMs, entry)
    return entry
  }

  /** add, of an entry in which the caller keeps more. */
  insert(now: number, delayMs: number, entry: TimerEntry): void {
    let list = this.#lists.get(delayMs)
    if (list === undefined) {
      list = { delay: delayMs, head: undefined, tail: undefined, index: -1 }
      this.#lists.set(delayMs, list)
    }
    entry.deadline = now + delayMs
    entry.prev = list.tail
    entry.list = list
    if (list.tail === undefined) {
      list.head = entry
      list.tail = entry
      list.index = this.#heap.length
      this.#heap.push(list)
      this.#up(list.index)
    } else {
      list.tail.next = entry
      list.tail = entry
    }
    this.#size++
  }

  /** False when the timer has fired or was cancelled. */
  remove(entry: TimerEntry): boolean {
    const list = entry.list
    if (list === undefined) return false
    const wasHead = list.head === entry
    if (entry.prev !== undefined) entry.prev.next = entry.next
    else list.head = entry.next
    if (entry.next !== undefined) entry.next.prev = entry.prev
    else list.tail = entry.prev
    entry.list = entry.prev = entry.next = undefined
    this.#size--
    if (wasHead) this.#headChanged(list)
    return true
  }

  /** When the next timer is due, in the clock of add(); undefined without timers. */
  nextDeadline(): number | undefined {
    return this.#heap[0]?.head?.deadline
  }

  /** Those due first, all at the same time: the one that is next in the plain order, then those of its delay, then the others. */
  ties(): TimerEntry[] {
    const next = this.#heap[0]
    const at = next?.head?.deadline
    if (at === undefined) return []
    const found: TimerEntry[] = []
    for (const list of this.#heap) {
      for (let entry = list.head; entry?.deadline === at; entry = entry.next) found.push(entry)
    }
    return found
  }

  /** Fires what is due, at most `max`; earlier deadlines first. */
  expire(now: number, max = Number.POSITIVE_INFINITY): number {
    let fired = 0
    while (fired < max) {
      const entry = this.#heap[0]?.head
      if (entry === undefined || entry.deadline > now) break
      this.remove(entry)
      fired++
      entry.fire()
    }
    return fired
  }

  #headChanged(list: TimerList): void {
    if (list.head !== undefined) {
      this.#down(list.index)
      return
    }
    const last = this.#heap.pop() as TimerList
    if (last !== list) {
      this.#heap[list.index] = last
      last.index = list.index
      this.#up(last.index)
      this.#down(last.index)
    }
    list.index = -1
    if (this.#lists.size > KEPT_LISTS) this.#lists.delete(list.delay)
  }

  #due(index: number): number {
    return this.#heap[index]?.head?.deadline ?? Number.POSITIVE_INFINITY
  }

  #swap(a: number, b: number): void {
    const x = this.#heap[a] as TimerList
    const y = this.#heap[b] as TimerList
    this.#heap[a] = y
    this.#heap[b] = x
    y.index = a
    x.index = b
  }

  #up(start: number): void {
    let i = start
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (this.#due(parent) <= this.#due(i)) return
      this.#swap(i, parent)
      i = parent
    }
  }

  #down(start: number): void {
    let i = start
    for (;;) {
      let least = i
      for (const child of [2 * i + 1, 2 * i + 2]) {
        if (child < this.#heap.length && this.#due(child) < this.#due(least)) least = child
      }
      if (least === i) return
      this.#swap(i, least)
      i = least
    }
  }
}
