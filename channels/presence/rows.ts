/** The entries of a set and their indexes: by dot, by topic and key, by process. Each question costs what it answers. */
import type { Pid } from '../../runtime/index.ts'
import type { ReplicaId } from './dots.ts'
import type { Entry } from './orswot.ts'

/** Entries of a topic by key; most keys have one. */
type Keys<M> = Map<string, Set<Entry<M>>>

export class Rows<M> {
  readonly #dots = new Map<ReplicaId, Map<number, Entry<M>>>()
  readonly #topics = new Map<string, Keys<M>>()
  readonly #pids = new Map<Pid, Map<string, Entry<M>>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  at(replica: ReplicaId, clock: number): Entry<M> | undefined {
    return this.#dots.get(replica)?.get(clock)
  }

  add(entry: Entry<M>): void {
    const { replica, clock, topic, key, pid } = entry
    const dots = this.#dots.get(replica)
    if (dots?.has(clock)) return
    if (dots === undefined) this.#dots.set(replica, new Map([[clock, entry]]))
    else dots.set(clock, entry)
    const keys = this.#topics.get(topic)
    if (keys === undefined) this.#topics.set(topic, new Map([[key, new Set([entry])]]))
    else put(keys, key, entry)
    const owned = this.#pids.get(pid)
    if (owned === undefined) this.#pids.set(pid, new Map([[identity(entry), entry]]))
    else owned.set(identity(entry), entry)
    this.#size++
  }

  delete({ replica, clock }: Entry<M>): void {
    const dots = this.#dots.get(replica)
    const entry = dots?.get(clock)
    if (dots === undefined || entry === undefined) return
    dots.delete(clock)
    if (dots.size === 0) this.#dots.delete(replica)
    const keys = this.#topics.get(entry.topic)
    if (keys !== undefined) {
      take(keys, entry.key, entry)
      if (keys.size === 0) this.#topics.delete(entry.topic)
    }
    const owned = this.#pids.get(entry.pid)
    if (owned?.get(identity(entry)) === entry) owned.delete(identity(entry))
    if (owned?.size === 0) this.#pids.delete(entry.pid)
    this.#size--
  }

  deleteReplica(replica: ReplicaId): void {
    for (const entry of this.ofReplica(replica)) this.delete(entry)
  }

  *all(): Generator<Entry<M>> {
    for (const dots of this.#dots.values()) yield* dots.values()
  }

  ofReplica(replica: ReplicaId): Entry<M>[] {
    return [...this.inOrder(replica)]
  }

  /** In the order they were added: for a replica's own entries that of their clocks. */
  inOrder(replica: ReplicaId): Iterable<Entry<M>> {
    return this.#dots.get(replica)?.values() ?? []
  }

  /** Of one replica from after a clock up to another, by whichever way is shorter: through the clocks or the entries. */
  between(replica: ReplicaId, from: number, to: number): Entry<M>[] {
    const dots = this.#dots.get(replica)
    const found: Entry<M>[] = []
    if (dots === undefined) return found
    if (to - from > dots.size) {
      for (const entry of dots.values()) {
        if (entry.clock > from && entry.clock <= to) found.push(entry)
      }
      return found
    }
    for (let clock = from + 1; clock <= to; clock++) {
      const entry = dots.get(clock)
      if (entry !== undefined) found.push(entry)
    }
    return found
  }

  *ofTopic(topic: string): Generator<Entry<M>> {
    for (const entries of this.#topics.get(topic)?.values() ?? []) yield* entries
  }

  ofKey(topic: string, key: string): Entry<M>[] {
    return [...(this.#topics.get(topic)?.get(key) ?? [])]
  }

  hasPid(replica: ReplicaId, pid: Pid): boolean {
    for (const entry of this.#pids.get(pid)?.values() ?? []) {
      if (entry.replica === replica) return true
    }
    return false
  }

  ofPid(replica: ReplicaId, pid: Pid): Entry<M>[] {
    return [...(this.#pids.get(pid)?.values() ?? [])].filter((entry) => entry.replica === replica)
  }

  find(replica: ReplicaId, topic: string, pid: Pid, key: string): Entry<M> | undefined {
    return this.#pids.get(pid)?.get(identity({ replica, topic, key }))
  }
}

/** A replica holds one entry of a process per topic and key. */
const identity = ({ replica, topic, key }: Pick<Entry<unknown>, 'replica' | 'topic' | 'key'>) =>
  `${replica} ${topic.length} ${topic}${key}`

function put<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  const set = sets.get(key)
  if (set === undefined) sets.set(key, new Set([value]))
  else set.add(value)
}

function take<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  const set = sets.get(key)
  if (set === undefined) return
  set.delete(value)
  if (set.size === 0) sets.delete(key)
}
