/**
 * Entries under keys that need not be unique, with what a death must cost in mind: a process that ends pays for its own
 * keys, never for the size of a bucket (OTP's duplicate registry is quadratic there).
 */
import type { Process } from '../process/process.ts'

export interface Entry<V> {
  readonly process: Process
  readonly key: string | number
  readonly value: V
}

export class DuplicateTable<V> {
  readonly #buckets = new Map<string | number, Set<Entry<V>>>()
  readonly #owned = new Map<Process, Entry<V>[]>()

  get keys(): number {
    return this.#buckets.size
  }

  get owners(): number {
    return this.#owned.size
  }

  /** Entries under all keys. */
  get size(): number {
    let size = 0
    for (const bucket of this.#buckets.values()) size += bucket.size
    return size
  }

  add(process: Process, key: string | number, value: V): Entry<V> {
    const entry: Entry<V> = { process, key, value }
    const bucket = this.#buckets.get(key)
    if (bucket === undefined) this.#buckets.set(key, new Set([entry]))
    else bucket.add(entry)
    const owned = this.#owned.get(process)
    if (owned === undefined) this.#owned.set(process, [entry])
    else owned.push(entry)
    return entry
  }

  /** In order of registration. */
  entries(key: string | number): ReadonlySet<Entry<V>> | undefined {
    return this.#buckets.get(key)
  }

  /** Under all keys. */
  *all(): Iterable<Entry<V>> {
    for (const bucket of this.#buckets.values()) yield* bucket
  }

  /** Those of a process, in order of registration. */
  owned(process: Process): readonly Entry<V>[] {
    return this.#owned.get(process) ?? []
  }

  /** Takes the entries of a process under a key away, all or those whose value `match` accepts; those it took. */
  removeKey(
    process: Process,
    key: string | number,
    match: (value: V) => boolean = () => true,
  ): readonly Entry<V>[] {
    const owned = this.#owned.get(process)
    if (owned === undefined) return []
    const removed = owned.filter((entry) => entry.key === key && match(entry.value))
    if (removed.length === 0) return removed
    for (const entry of removed) this.#drop(entry)
    const gone = new Set(removed)
    const kept = owned.filter((entry) => !gone.has(entry))
    if (kept.length === 0) this.#owned.delete(process)
    else this.#owned.set(process, kept)
    return removed
  }

  /** Takes everything of a process away; the entries it had. */
  forget(process: Process): readonly Entry<V>[] {
    const owned = this.#owned.get(process)
    if (owned === undefined) return []
    this.#owned.delete(process)
    for (const entry of owned) this.#drop(entry)
    return owned
  }

  #drop(entry: Entry<V>): void {
    const bucket = this.#buckets.get(entry.key)
    if (bucket === undefined) return
    bucket.delete(entry)
    if (bucket.size === 0) this.#buckets.delete(entry.key)
  }
}
