import type { Each } from '../template/rendered.ts'

// Lists mostly grow at the end and shrink at the front: the next row is nearly always the old row
// after the last match or a few further on, which spares building a map of all keys.
const LOOKAHEAD = 8

/**
 * For every row of a list, the index it had in the old list, or -1 for a new row.
 *
 * Every old row is used once at most. Returns undefined if the old rows are the first rows of the
 * new list in the same order, or the other way round, so that no row moved.
 */
export function matchRows(old: Each, next: Each): Int32Array | undefined {
  const oldKeys = old.keys
  const keys = next.keys
  const shorter = Math.min(oldKeys.length, keys.length)
  let prefix = 0
  while (prefix < shorter && oldKeys[prefix] === keys[prefix]) prefix++
  if (prefix === shorter) return undefined

  const sources = new Int32Array(keys.length).fill(-1)
  const used = new Uint8Array(oldKeys.length)
  for (let i = 0; i < prefix; i++) {
    sources[i] = i
    used[i] = 1
  }
  let index: KeyIndex | undefined
  let cursor = prefix
  for (let i = prefix; i < keys.length; i++) {
    const key = keys[i]
    let from = ahead(oldKeys, used, cursor, key)
    if (from === -1) {
      index ??= new KeyIndex(oldKeys, prefix)
      from = index.take(key, used)
    }
    if (from === -1) continue
    sources[i] = from
    used[from] = 1
    cursor = from + 1
  }
  if (!next.explicit) adoptPlaces(sources, used)
  return sources
}

/**
 * Pairs a new row with the old row at its own place if nothing else claimed that.
 *
 * Items replaced by copies lose their identity; comparing in place sends only what differs. With
 * explicit keys a new key means a new row, which must not inherit its predecessor's elements.
 */
function adoptPlaces(sources: Int32Array, used: Uint8Array): void {
  const shorter = Math.min(sources.length, used.length)
  for (let i = 0; i < shorter; i++) {
    if (sources[i] === -1 && used[i] === 0) sources[i] = i
  }
}

function ahead(
  oldKeys: readonly unknown[],
  used: Uint8Array,
  cursor: number,
  key: unknown,
): number {
  const end = Math.min(cursor + LOOKAHEAD, oldKeys.length)
  for (let at = cursor; at < end; at++) {
    if (oldKeys[at] === key && used[at] === 0) return at
  }
  return -1
}

/** Finds unused old rows by key, lowest index first; repeats of a key are chained. */
class KeyIndex {
  readonly #first = new Map<unknown, number>()
  readonly #following: Int32Array

  constructor(keys: readonly unknown[], start: number) {
    this.#following = new Int32Array(keys.length)
    for (let i = keys.length - 1; i >= start; i--) {
      this.#following[i] = this.#first.get(keys[i]) ?? -1
      this.#first.set(keys[i], i)
    }
  }

  take(key: unknown, used: Uint8Array): number {
    const first = this.#first.get(key)
    if (first === undefined) return -1
    let at = first
    while (at !== -1 && used[at] === 1) at = this.#following[at] as number
    // Remembering how far the chain is spent keeps a list of equal items linear.
    if (at === -1) this.#first.delete(key)
    else if (at !== first) this.#first.set(key, at)
    return at
  }
}
