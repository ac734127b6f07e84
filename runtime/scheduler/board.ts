/**
 * The board: memory that all threads of a node share. Per thread slot: which scheduler holds it, how many processes it runs,
 * and how many subscriptions it has per topic bucket. Interest must be visible to every thread before subscribe returns;
 * a message could not promise that (measured: up to 1,343 of 3,000 broadcasts lost right after a join).
 */
import { hash32 } from './hash.ts'

/** Topics share buckets; a shared bucket costs a message to a thread that drops it, never a lost one. */
export const BUCKETS: number = 2 ** 14
const TAG = 0
const LOAD = 1
const READY = 2
const HEADER = 8
const STRIDE: number = HEADER + BUCKETS
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
    Atomics.store(this.#cells, slot * STRIDE + READY, 1)
  }

  isReady(slot: number): boolean {
    return Atomics.load(this.#cells, slot * STRIDE + READY) === 1
  }

  /** The scheduler that holds a slot, or -1. */
  holder(slot: number): number {
    return Atomics.load(this.#cells, slot * STRIDE + TAG) - 1
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
      if (this.holder(slot) >= 0 && (best === FREE || this.#preferred(slot, best))) best = slot
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

  /** The worker scheduler a key belongs to: keys stay with a slot, so a replacement takes over its keys. */
  ofKey(key: string): number | undefined {
    const threads = this.slots - 1
    if (threads < 1) return undefined
    const start = hash32(key) % threads
    for (let i = 0; i < threads; i++) {
      const holder = this.holder(1 + ((start + i) % threads))
      if (holder >= 0) return holder
    }
    return undefined
  }
}
