/**
 * The board: memory that all threads of a node share. Per thread slot: which scheduler holds it, how many processes it runs,
 * how many subscriptions it has per topic bucket, and a journal of what it does (journal.ts). Interest must be visible to every thread before subscribe returns;
 * a message could not promise that (measured: up to 1,343 of 3,000 broadcasts lost right after a join).
 */
import { hash32 } from './hash.ts'
import { JOURNAL_CELLS, Journal } from './journal.ts'

/** Topics share buckets; a shared bucket costs a message to a thread that drops it, never a lost one. */
export const BUCKETS: number = 2 ** 14
const TAG = 0
const LOAD = 1
const STATE = 2
const HEADER = 8
const STRIDE: number = HEADER + BUCKETS + JOURNAL_CELLS
/** What a holder's STATE says; 0: it still boots. */
const READY = 1
const LEAVING = 2
/** A free slot's tag. Scheduler 0 is a valid id, so ids are stored plus one. */
const FREE = 0

export class Board {
  readonly buffer: SharedArrayBuffer
  readonly slots: number
  readonly #cells: Int32Array

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    this.#cells = new Int32Array(buffer)
    this.slots = this.#cells.length / STRIDE
  }

  /** A board for main (slot 0) and `threads` scheduler threads (slots from 1). */
  static create(threads: number): Board {
    return new Board(new SharedArrayBuffer((threads + 1) * STRIDE * 4))
  }

  /** Main gives a slot, new or cleared, to a scheduler. */
  claim(slot: number, scheduler: number): void {
    Atomics.store(this.#cells, slot * STRIDE + TAG, scheduler + 1)
  }

  clear(slot: number): void {
    this.#cells.fill(0, slot * STRIDE, (slot + 1) * STRIDE)
  }

  /** The holder of a slot has loaded the app: processes are placed there from now on. */
  setReady(slot: number): void {
    Atomics.store(this.#cells, slot * STRIDE + STATE, READY)
  }

  isReady(slot: number): boolean {
    return Atomics.load(this.#cells, slot * STRIDE + STATE) === READY
  }

  /** The holder is about to be replaced: nothing is placed there any more. */
  setLeaving(slot: number): void {
    Atomics.store(this.#cells, slot * STRIDE + STATE, LEAVING)
  }

  isLeaving(slot: number): boolean {
    return Atomics.load(this.#cells, slot * STRIDE + STATE) === LEAVING
  }

  /** Whether a key leads to a thread that is about to be replaced: that waits for what moves away from it. */
  leaves(key: string): boolean {
    return this.isLeaving(1 + (hash32(key) % Math.max(1, this.slots - 1)))
  }

  /** The scheduler of a slot where processes may be placed, or -1. */
  #host(slot: number): number {
    return this.isLeaving(slot) ? -1 : this.holder(slot)
  }

  /** The scheduler that holds a slot, or -1. */
  holder(slot: number): number {
    return Atomics.load(this.#cells, slot * STRIDE + TAG) - 1
  }

  /** Whether a scheduler runs what is started there now: it has loaded the app, and is not about to be replaced. */
  runs(scheduler: number): boolean {
    const slot = this.slotOf(scheduler)
    return slot >= 0 && this.isReady(slot)
  }

  slotOf(scheduler: number): number {
    for (let slot = 0; slot < this.slots; slot++) if (this.holder(slot) === scheduler) return slot
    return -1
  }

  addInterest(slot: number, bucket: number, by: number): void {
    Atomics.add(this.#cells, slot * STRIDE + HEADER + bucket, by)
  }

  interested(slot: number, bucket: number): boolean {
    return Atomics.load(this.#cells, slot * STRIDE + HEADER + bucket) !== 0
  }

  journal(slot: number): Journal {
    return new Journal(this.buffer, (slot * STRIDE + HEADER + BUCKETS) * 4)
  }

  setLoad(slot: number, processes: number): void {
    this.#cells[slot * STRIDE + LOAD] = processes
  }

  load(slot: number): number {
    return this.#cells[slot * STRIDE + LOAD] as number
  }

  /**
   * The worker scheduler with the fewest processes; counts the choice at once, so that a burst spreads. One that still
   * boots is taken only where no other is: what is spawned there waits until it is up.
   */
  leastLoaded(): number | undefined {
    let best = FREE
    for (let slot = 1; slot < this.slots; slot++) {
      if (this.#host(slot) >= 0 && (best === FREE || this.#preferred(slot, best))) best = slot
    }
    if (best === FREE) return undefined
    Atomics.add(this.#cells, best * STRIDE + LOAD, 1)
    return this.holder(best)
  }

  #preferred(slot: number, other: number): boolean {
    const ready = this.isReady(slot)
    if (ready !== this.isReady(other)) return ready
    return this.load(slot) < this.load(other)
  }

  /**
   * The worker scheduler a key belongs to: keys stay with a slot, so a replacement takes over its keys. Between two holders
   * there is none: elsewhere it would stay for good, apart from whoever looks for it where it belongs.
   */
  ofKey(key: string): number | undefined {
    const threads = this.slots - 1
    const host = threads < 1 ? -1 : this.#host(1 + (hash32(key) % threads))
    return host < 0 ? undefined : host
  }
}
