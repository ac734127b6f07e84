/**
 * The process table of one scheduler: slots with generations and a free list, so that looking a pid up is one array
 * access and one comparison. Creating and deleting a record costs no hashing (measured: 33 M/s against 2.1 M/s for a Map).
 */
import {
  generationOf,
  MAX_GENERATION,
  MAX_SLOTS,
  makePid,
  NO_PID,
  type Pid,
  slotOf,
} from './pid.ts'

interface Occupant {
  readonly pid: Pid
}

export interface SlotLimits {
  readonly maxSlots?: number
  readonly maxGeneration?: number
}

export class Slots<T extends Occupant> {
  readonly #scheduler: number
  readonly #maxSlots: number
  readonly #maxGeneration: number
  readonly #table: (T | undefined)[] = []
  readonly #generations: number[] = []
  readonly #free: number[] = []
  /** Slots whose generations are used up, oldest first: touched again only when nothing else is left. */
  readonly #spent: number[] = []
  #spentHead = 0
  #size = 0
  #wraps = 0

  constructor(scheduler: number, limits: SlotLimits = {}) {
    this.#scheduler = scheduler
    this.#maxSlots = limits.maxSlots ?? MAX_SLOTS
    this.#maxGeneration = limits.maxGeneration ?? MAX_GENERATION
  }

  get size(): number {
    return this.#size
  }

  /** How often a spent slot had to be used again. */
  get wraps(): number {
    return this.#wraps
  }

  /** Reserves a pid, or answers NO_PID when every slot is taken. */
  reserve(): Pid {
    let slot = this.#free.pop()
    if (slot === undefined) {
      if (this.#table.length < this.#maxSlots) {
        slot = this.#table.length
        this.#table.push(undefined)
        this.#generations.push(0)
      } else if (this.#spentHead < this.#spent.length) {
        slot = this.#spent[this.#spentHead++] as number
        this.#generations[slot] = 0
        this.#wraps++
      } else {
        return NO_PID
      }
    }
    const generation = (this.#generations[slot] as number) + 1
    this.#generations[slot] = generation
    return makePid(this.#scheduler, slot, generation)
  }

  put(occupant: T): void {
    this.#table[slotOf(occupant.pid)] = occupant
    this.#size++
  }

  get(pid: Pid): T | undefined {
    const occupant = this.#table[slotOf(pid)]
    return occupant !== undefined && occupant.pid === pid ? occupant : undefined
  }

  remove(pid: Pid): void {
    const slot = slotOf(pid)
    if (this.#table[slot]?.pid !== pid) return
    this.#table[slot] = undefined
    this.#size--
    if (generationOf(pid) < this.#maxGeneration) this.#free.push(slot)
    else this.#spent.push(slot)
  }

  /** Slots there have ever been: what at() may be asked for, from 0 on. */
  get slots(): number {
    return this.#table.length
  }

  /** Who is in a slot. */
  at(slot: number): T | undefined {
    return this.#table[slot]
  }

  *[Symbol.iterator](): Generator<T> {
    for (const occupant of this.#table) if (occupant !== undefined) yield occupant
  }
}
