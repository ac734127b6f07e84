/**
 * A map by pid or reference, in the order of insertion, for tables that mostly hold one entry or a few: those stand in a list,
 * and only a longer one has an index. Setting and deleting such an entry costs a fifth of what it costs in a Map, which makes
 * itself anew every few of them (`bench/runtime`, spawn).
 */

/** So many are found by looking through them. */
const MAX_UNINDEXED = 8

export class RefEntry<K, V> {
  readonly key: K
  value: V
  /** The one set before it. */
  before: RefEntry<K, V> | undefined
  /** The one set after it; stays when it is deleted, so that who stands here can go on. */
  next: RefEntry<K, V> | undefined = undefined

  constructor(key: K, value: V, before: RefEntry<K, V> | undefined) {
    this.key = key
    this.value = value
    this.before = before
  }
}

export class RefMap<K extends number, V> {
  /** The oldest entry; `next` leads through them all. */
  first: RefEntry<K, V> | undefined = undefined
  size = 0
  #last: RefEntry<K, V> | undefined = undefined
  #index: Map<K, RefEntry<K, V>> | undefined = undefined

  #find(key: K): RefEntry<K, V> | undefined {
    if (this.#index !== undefined) return this.#index.get(key)
    for (let entry = this.first; entry !== undefined; entry = entry.next) {
      if (entry.key === key) return entry
    }
    return undefined
  }

  get(key: K): V | undefined {
    return this.#find(key)?.value
  }

  has(key: K): boolean {
    return this.#find(key) !== undefined
  }

  set(key: K, value: V): void {
    const known = this.#find(key)
    if (known !== undefined) {
      known.value = value
      return
    }
    const entry = new RefEntry(key, value, this.#last)
    if (this.#last === undefined) this.first = entry
    else this.#last.next = entry
    this.#last = entry
    this.size++
    if (this.#index !== undefined) this.#index.set(key, entry)
    else if (this.size > MAX_UNINDEXED) this.#index = this.#indexed()
  }

  #indexed(): Map<K, RefEntry<K, V>> {
    const index = new Map<K, RefEntry<K, V>>()
    for (let entry = this.first; entry !== undefined; entry = entry.next) {
      index.set(entry.key, entry)
    }
    return index
  }

  delete(key: K): boolean {
    const entry = this.#find(key)
    if (entry === undefined) return false
    const { before, next } = entry
    if (before === undefined) this.first = next
    else before.next = next
    if (next === undefined) this.#last = before
    else next.before = before
    this.size--
    if (this.size === 0) this.#index = undefined
    else this.#index?.delete(key)
    return true
  }

  /** What is deleted before its turn is passed over. */
  *[Symbol.iterator](): Generator<[K, V]> {
    for (let entry = this.first; entry !== undefined; entry = entry.next) {
      if (this.#find(entry.key) === entry) yield [entry.key, entry.value]
    }
  }

  keys(): K[] {
    return Array.from(this, ([key]) => key)
  }

  values(): V[] {
    return Array.from(this, ([, value]) => value)
  }
}
