/**
 * What a replica has seen: for each replica all clocks up to one, and a cloud of single clocks beyond it that came early. A
 * pair of replica and clock, a dot, names one operation.
 */

/** Who makes operations: the pid of a tracker, as a number. */
export type ReplicaId = number

/** Dots as plain data. */
export interface Seen {
  readonly context: readonly (readonly [ReplicaId, number])[]
  readonly clouds: readonly (readonly [ReplicaId, readonly number[]])[]
}

export class Dots {
  readonly #context = new Map<ReplicaId, number>()
  readonly #clouds = new Map<ReplicaId, Set<number>>()

  /** Every clock of that replica up to this one has been seen. */
  clock(replica: ReplicaId): number {
    return this.#context.get(replica) ?? 0
  }

  has(replica: ReplicaId, clock: number): boolean {
    return clock <= this.clock(replica) || this.#clouds.get(replica)?.has(clock) === true
  }

  /** Clocks that wait beyond a gap, of all replicas. */
  get cloudSize(): number {
    let size = 0
    for (const cloud of this.#clouds.values()) size += cloud.size
    return size
  }

  replicas(): IterableIterator<ReplicaId> {
    return new Set([...this.#context.keys(), ...this.#clouds.keys()]).values()
  }

  add(replica: ReplicaId, clock: number): void {
    if (this.has(replica, clock)) return
    if (clock === this.clock(replica) + 1) {
      this.#context.set(replica, clock)
      this.#collapse(replica)
    } else this.#cloud(replica).add(clock)
  }

  /** All clocks from after `from` up to `to`. */
  addRange(replica: ReplicaId, from: number, to: number): void {
    const clock = this.clock(replica)
    if (to <= clock) return
    if (from <= clock) {
      this.#context.set(replica, to)
      this.#collapse(replica)
      return
    }
    const cloud = this.#cloud(replica)
    for (let one = from + 1; one <= to; one++) cloud.add(one)
  }

  /** What it had seen is as new. */
  forget(replica: ReplicaId): void {
    this.#context.delete(replica)
    this.#clouds.delete(replica)
  }

  toSeen(): Seen {
    return {
      context: [...this.#context],
      clouds: [...this.#clouds].map(([replica, cloud]) => [replica, [...cloud]] as const),
    }
  }

  static of({ context, clouds }: Seen): Dots {
    const dots = new Dots()
    for (const [replica, clock] of context) dots.addRange(replica, 0, clock)
    for (const [replica, clocks] of clouds) for (const clock of clocks) dots.add(replica, clock)
    return dots
  }

  #cloud(replica: ReplicaId): Set<number> {
    const known = this.#clouds.get(replica)
    if (known !== undefined) return known
    const cloud = new Set<number>()
    this.#clouds.set(replica, cloud)
    return cloud
  }

  /** What was early is in line now: memory is for gaps only. */
  #collapse(replica: ReplicaId): void {
    const cloud = this.#clouds.get(replica)
    if (cloud === undefined) return
    let clock = this.clock(replica)
    while (cloud.delete(clock + 1)) clock++
    for (const one of cloud) if (one <= clock) cloud.delete(one)
    this.#context.set(replica, clock)
    if (cloud.size === 0) this.#clouds.delete(replica)
  }
}
