/**
 * The set of presences: an observed-remove set without tombstones. Each entry carries the dot of the operation that made it;
 * a copy that has seen a dot but does not hold its entry knows that it was removed. So deltas may come in any order, more than
 * once or not at all, and copies that exchange all they know are equal. Pure: no clock, no random, no process.
 *
 * A replica changes entries of its own only, and each change takes its next clock, removals too: with that a gap shows. Never
 * is a removal parted from the clock it took; else one could believe to know all up to a clock and hold what is gone.
 */
import type { Pid } from '../../runtime/index.ts'
import { Dots, type ReplicaId, type Seen } from './dots.ts'
import { Rows } from './rows.ts'

export type { ReplicaId } from './dots.ts'

/** One presence. */
export interface Entry<M> {
  readonly topic: string
  readonly pid: Pid
  readonly key: string
  readonly meta: M
  readonly replica: ReplicaId
  readonly clock: number
}

/** What a merge or an operation did: an update is both, in one. */
export interface Change<M> {
  readonly join?: Entry<M>
  readonly leave?: Entry<M>
}

/**
 * Operations of one replica from after `from` up to `to`: what of them is there still, and which earlier entries they removed.
 * A `transfer` says nothing of removals: it is all that is there of these clocks, and counts in an unbroken line from 0 only.
 */
export interface Delta<M> {
  readonly replica: ReplicaId
  readonly from: number
  readonly to: number
  readonly entries: readonly Entry<M>[]
  readonly removed: readonly number[]
  readonly transfer: boolean
}

/** All that a copy knows, as plain data. */
export interface Snapshot<M> {
  readonly seen: Seen
  /** Clocks of entries known as removed, by operations that came before those that made them. */
  readonly gone: readonly (readonly [ReplicaId, readonly number[]])[]
  readonly entries: readonly Entry<M>[]
}

export class Orswot<M> {
  readonly replica: ReplicaId
  #seen = new Dots()
  /** Not among those seen: an operation that is missing may have removed an entry, too. */
  readonly #gone = new Map<ReplicaId, Set<number>>()
  readonly #rows = new Rows<M>()
  readonly #down = new Set<ReplicaId>()
  /** The own operations after #logFrom: 0, or the clock of the entry it removed. */
  #log: number[] = []
  #logFrom = 0
  readonly #maxLog: number
  /** Replicas whose transfer is under way, and how far it is. */
  readonly #transfers = new Map<ReplicaId, number>()

  /** @param maxLog own operations remembered for those that missed some; one that missed more gets a transfer */
  constructor(replica: ReplicaId, maxLog = 10_000) {
    this.replica = replica
    this.#maxLog = maxLog
  }

  /** Clock of the last own operation. */
  get clock(): number {
    return this.#seen.clock(this.replica)
  }

  get size(): number {
    return this.#rows.size
  }

  get cloudSize(): number {
    return this.#seen.cloudSize
  }

  /** How far another replica is known without a gap. */
  clockOf(replica: ReplicaId): number {
    return this.#seen.clock(replica)
  }

  /** The other replicas of which something is known. */
  replicas(): ReplicaId[] {
    return [...this.#seen.replicas()].filter((replica) => replica !== this.replica)
  }

  /** Whether a transfer of that replica has begun and not come to an end. */
  isTransferring(replica: ReplicaId): boolean {
    return this.#transfers.has(replica)
  }

  /** The own entry of a process. */
  own(topic: string, pid: Pid, key: string): Entry<M> | undefined {
    return this.#rows.find(this.replica, topic, pid, key)
  }

  /** Whether a process has entries of this replica. */
  hasOwn(pid: Pid): boolean {
    return this.#rows.hasPid(this.replica, pid)
  }

  /** The own entries of a process. */
  ownOf(pid: Pid): Entry<M>[] {
    return this.#rows.ofPid(this.replica, pid)
  }

  /** Whether an entry is there, and of a replica that is up. */
  has({ replica, clock }: Entry<M>): boolean {
    return this.#rows.at(replica, clock) !== undefined && !this.#down.has(replica)
  }

  /** Entries of a topic, of replicas that are up. */
  list(topic: string): Entry<M>[] {
    const rows = [...this.#rows.ofTopic(topic)]
    return this.#down.size === 0 ? rows : rows.filter(({ replica }) => !this.#down.has(replica))
  }

  getByKey(topic: string, key: string): Entry<M>[] {
    const rows = this.#rows.ofKey(topic, key)
    return rows.filter(({ replica }) => !this.#down.has(replica))
  }

  /** All entries of replicas that are up. */
  all(): Entry<M>[] {
    return [...this.#rows.all()].filter(({ replica }) => !this.#down.has(replica))
  }

  /** Adds an own entry, or replaces it: `leave` is the one before. */
  put(topic: string, pid: Pid, key: string, meta: M): Change<M> & { readonly join: Entry<M> } {
    const old = this.own(topic, pid, key)
    if (old !== undefined) this.#rows.delete(old)
    const clock = this.#operation(old?.clock ?? 0)
    const join: Entry<M> = { topic, pid, key, meta, replica: this.replica, clock }
    this.#rows.add(join)
    return old === undefined ? { join } : { join, leave: old }
  }

  remove(topic: string, pid: Pid, key: string): Change<M> | undefined {
    const old = this.own(topic, pid, key)
    if (old === undefined) return undefined
    this.#rows.delete(old)
    this.#operation(old.clock)
    return { leave: old }
  }

  #operation(removed: number): number {
    const clock = this.clock + 1
    this.#seen.add(this.replica, clock)
    this.#log.push(removed)
    // In large steps: moving the rest down at each operation would cost as much as it has entries.
    if (this.#log.length >= 2 * this.#maxLog) {
      const spare = this.#log.length - this.#maxLog
      this.#log = this.#log.slice(spare)
      this.#logFrom += spare
    }
    return clock
  }

  /**
   * The own operations after a clock, at most `max` of them; undefined where they are no longer remembered, or were never
   * made: a transfer is due.
   */
  deltaSince(from: number, max: number): Delta<M> | undefined {
    if (from < this.#logFrom || from > this.clock) return undefined
    const to = Math.min(this.clock, from + max)
    const entries: Entry<M>[] = []
    const removed: number[] = []
    for (let clock = from + 1; clock <= to; clock++) {
      const entry = this.#rows.at(this.replica, clock)
      if (entry !== undefined) entries.push(entry)
      const gone = this.#log[clock - this.#logFrom - 1] as number
      if (gone > 0 && gone <= from) removed.push(gone)
    }
    return { replica: this.replica, from, to, entries, removed, transfer: false }
  }

  /**
   * The next piece of all own entries after a clock, at most `max` of them. The last piece ends at `upTo`, the own clock when
   * the first was made: what was removed since may stand in a piece that has left.
   */
  transferSince(from: number, upTo: number, max: number): Delta<M> {
    const entries: Entry<M>[] = []
    let to = upTo
    for (const entry of this.#rows.inOrder(this.replica)) {
      if (entry.clock <= from) continue
      if (entry.clock > upTo) break
      if (entries.length === max) {
        to = (entries.at(-1) as Entry<M>).clock
        break
      }
      entries.push(entry)
    }
    return { replica: this.replica, from, to, entries, removed: [], transfer: true }
  }

  /**
   * Takes the operations of another replica in. Where some before them are missing, what came is kept, and `clockOf` stays
   * behind: what is missing should be asked for.
   */
  applyDelta(delta: Delta<M>): Change<M>[] {
    const { replica, from, to } = delta
    if (replica === this.replica) return []
    if (delta.transfer) {
      const expected = from === 0 ? 0 : this.#transfers.get(replica)
      // A piece is missing: what it would have said of removals cannot be made good by those after it.
      if (expected !== from) return []
      this.#transfers.set(replica, to)
    }
    const joins = delta.entries.filter((entry) => !this.#isKnown(entry))
    const live = new Set(delta.entries.map(({ clock }) => clock))
    const leaves: Entry<M>[] = []
    for (const clock of delta.removed) this.#collect(leaves, replica, clock)
    for (const entry of this.#rows.between(replica, from, to)) {
      if (!live.has(entry.clock)) leaves.push(entry)
    }
    this.#seen.addRange(replica, from, to)
    this.#bury(replica, delta.removed)
    return this.#change(joins, leaves)
  }

  /** Whether an entry is there, or was and is no more. */
  #isKnown({ replica, clock }: Entry<M>): boolean {
    return this.#seen.has(replica, clock) || this.#gone.get(replica)?.has(clock) === true
  }

  /** Keeps in mind which entries are not to come any more, as long as they could. */
  #bury(replica: ReplicaId, removed: readonly number[]): void {
    const gone = this.#gone.get(replica) ?? new Set<number>()
    for (const clock of removed) gone.add(clock)
    for (const clock of gone) if (this.#seen.has(replica, clock)) gone.delete(clock)
    if (gone.size === 0) this.#gone.delete(replica)
    else this.#gone.set(replica, gone)
  }

  #collect(into: Entry<M>[], replica: ReplicaId, clock: number): void {
    const entry = this.#rows.at(replica, clock)
    if (entry !== undefined) into.push(entry)
  }

  /** That was the last piece of a transfer. */
  transferDone(replica: ReplicaId): void {
    this.#transfers.delete(replica)
  }

  /** All that this copy knows, of all replicas, or of all but one. */
  snapshot(but?: ReplicaId): Snapshot<M> {
    const isMeant = ([replica]: readonly [ReplicaId, unknown]) => replica !== but
    const { context, clouds } = this.#seen.toSeen()
    const gone = [...this.#gone].map(([replica, clocks]) => [replica, [...clocks]] as const)
    return {
      seen: { context: context.filter(isMeant), clouds: clouds.filter(isMeant) },
      gone: gone.filter(isMeant),
      entries: [...this.#rows.all()].filter(({ replica }) => replica !== but),
    }
  }

  /** Takes all in that another copy knows. */
  merge(snapshot: Snapshot<M>): Change<M>[] {
    const theirs = Dots.of(snapshot.seen)
    const gone = new Map(snapshot.gone.map(([replica, clocks]) => [replica, new Set(clocks)]))
    const joins = snapshot.entries.filter((entry) => !this.#isKnown(entry))
    const held = new Set(snapshot.entries.map(({ replica, clock }) => `${replica}:${clock}`))
    const leaves = [...this.#rows.all()].filter(
      ({ replica, clock }) =>
        (theirs.has(replica, clock) || gone.get(replica)?.has(clock)) &&
        !held.has(`${replica}:${clock}`),
    )
    for (const [replica, clock] of snapshot.seen.context) this.#seen.addRange(replica, 0, clock)
    for (const [replica, clocks] of snapshot.seen.clouds) {
      for (const clock of clocks) this.#seen.add(replica, clock)
    }
    for (const replica of new Set([...this.#gone.keys(), ...gone.keys()])) {
      this.#bury(replica, [...(gone.get(replica) ?? [])])
    }
    return this.#change(joins, leaves)
  }

  /** Applies both; answers what of it shows. */
  #change(joins: readonly Entry<M>[], leaves: readonly Entry<M>[]): Change<M>[] {
    for (const entry of leaves) this.#rows.delete(entry)
    for (const entry of joins) this.#rows.add(entry)
    const shows = ({ replica }: Entry<M>) => !this.#down.has(replica)
    return paired(joins.filter(shows), leaves.filter(shows))
  }

  /** A replica cannot be reached: its entries are kept and do not show, until it is up or forgotten. */
  replicaDown(replica: ReplicaId): Change<M>[] {
    if (this.#down.has(replica)) return []
    this.#down.add(replica)
    return this.#rows.ofReplica(replica).map((leave) => ({ leave }))
  }

  replicaUp(replica: ReplicaId): Change<M>[] {
    if (!this.#down.delete(replica)) return []
    return this.#rows.ofReplica(replica).map((join) => ({ join }))
  }

  /** An entry has joined in place of one of a replica that is gone: takes that one away, if it is there, and answers it. */
  supersede(gone: ReplicaId, { topic, pid, key }: Entry<M>): Entry<M> | undefined {
    const old = this.#rows.find(gone, topic, pid, key)
    if (old !== undefined) this.#rows.delete(old)
    return old
  }

  /** A replica is gone for good: nothing of it is kept. */
  forget(replica: ReplicaId): Change<M>[] {
    const leaves = this.replicaDown(replica)
    this.#rows.deleteReplica(replica)
    this.#seen.forget(replica)
    this.#gone.delete(replica)
    this.#down.delete(replica)
    this.#transfers.delete(replica)
    return leaves
  }
}

/** Joins and leaves of the same process, topic and key belong together. */
function paired<M>(joins: readonly Entry<M>[], leaves: readonly Entry<M>[]): Change<M>[] {
  if (leaves.length === 0) return joins.map((join) => ({ join }))
  const left = new Map<string, Entry<M>>()
  const changes: Change<M>[] = []
  for (const leave of leaves) {
    const at = identity(leave)
    // Across a gap an entry may have joined beside the one it replaced, and now both are gone.
    const other = left.get(at)
    if (other !== undefined) changes.push({ leave: other })
    left.set(at, leave)
  }
  for (const join of joins) {
    const leave = left.get(identity(join))
    if (leave === undefined) changes.push({ join })
    else {
      left.delete(identity(join))
      changes.push({ join, leave })
    }
  }
  for (const leave of left.values()) changes.push({ leave })
  return changes
}

const identity = ({ replica, topic, pid, key }: Entry<unknown>): string =>
  `${replica} ${pid} ${topic.length} ${topic}${key}`
