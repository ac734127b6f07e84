/**
 * Who may come in when: a token bucket with a line before it. In the line clients take turns, each client's own are first
 * come, first served, and it is no longer than what can be let in within the wait. Time is passed in, in milliseconds of any
 * clock that does not go back.
 */
import type { UpgradeLimits } from '../transport/limits.ts'

interface Client<Item> {
  readonly key: string
  /** Oldest first: a Set keeps the order, and lets one leave from anywhere. */
  readonly items: Set<Item>
}

interface Place<Item> {
  readonly client: Client<Item>
  readonly arrivedMs: number
}

export class Admission<Item> {
  readonly #limits: UpgradeLimits
  /** All who wait, oldest first. */
  readonly #line = new Map<Item, Place<Item>>()
  /** Who has somebody in the line; the first has the next turn. */
  readonly #turns = new Map<string, Client<Item>>()
  /** The same by how many they have there: an arrival that finds no place must not cost a look at all of them. */
  readonly #holders = new Map<number, Set<Client<Item>>>()
  #most = 0
  #tokens: number
  #filledMs: number

  constructor(limits: UpgradeLimits, nowMs: number) {
    this.#limits = limits
    this.#tokens = limits.maxUpgradeBurst
    this.#filledMs = nowMs
  }

  /** How many wait. */
  get waiting(): number {
    return this.#line.size
  }

  /**
   * Whether it may come in now, has to wait, or finds the line full: its turn would come after the wait. Nobody passes those
   * who wait. Where a client has at least two places more than this one's, its newest is displaced instead.
   */
  arrive(
    item: Item,
    client: string,
    nowMs: number,
    displaced: (item: Item) => void,
  ): 'admitted' | 'waits' | 'full' {
    this.#fill(nowMs)
    if (this.#line.size === 0 && this.#tokens >= 1) {
      this.#tokens--
      return 'admitted'
    }
    if (this.#turnMs(this.#line.size + 1) > this.#limits.maxUpgradeWaitMs) {
      const held = this.#turns.get(client)?.items.size ?? 0
      // With one place more, taking it would only swap the two.
      if (held + 1 >= this.#most) return 'full'
      const newest = this.#newestOfMost()
      this.leave(newest)
      displaced(newest)
    }
    this.#enter(item, client, nowMs)
    return 'waits'
  }

  /** It does not wait any more; false if it did not. */
  leave(item: Item): boolean {
    const place = this.#line.get(item)
    if (place === undefined) return false
    this.#line.delete(item)
    const { client } = place
    this.#uncount(client)
    client.items.delete(item)
    this.#count(client)
    if (client.items.size === 0) this.#turns.delete(client.key)
    return true
  }

  /** Takes out of the line whose turn has come, then who has waited too long. */
  due(nowMs: number, admit: (item: Item) => void, late: (item: Item) => void): void {
    this.#fill(nowMs)
    // Who is moved to the end while this runs is come by again.
    for (const client of this.#turns.values()) {
      if (this.#tokens < 1) break
      this.#tokens--
      const item = client.items.values().next().value as Item
      this.leave(item)
      if (this.#turns.delete(client.key)) this.#turns.set(client.key, client)
      admit(item)
    }
    for (const [item, { arrivedMs }] of this.#line) {
      if (nowMs - arrivedMs < this.#limits.maxUpgradeWaitMs) return
      this.leave(item)
      late(item)
    }
  }

  /** Milliseconds until `due` has something to do; undefined while nobody waits. */
  nextMs(nowMs: number): number | undefined {
    for (const { arrivedMs } of this.#line.values()) {
      this.#fill(nowMs)
      return Math.max(
        0,
        Math.min(this.#turnMs(1), arrivedMs + this.#limits.maxUpgradeWaitMs - nowMs),
      )
    }
    return undefined
  }

  /** Empties the line, oldest first. */
  clear(gone: (item: Item) => void): void {
    for (const item of this.#line.keys()) {
      this.leave(item)
      gone(item)
    }
  }

  /** Seconds after which those who wait now are in. */
  get lineSeconds(): number {
    return Math.max(1, Math.ceil(this.#line.size / this.#limits.maxUpgradesPerSecond))
  }

  #enter(item: Item, key: string, arrivedMs: number): void {
    let client = this.#turns.get(key)
    if (client === undefined) {
      client = { key, items: new Set() }
      this.#turns.set(key, client)
    }
    this.#line.set(item, { client, arrivedMs })
    this.#uncount(client)
    client.items.add(item)
    this.#count(client)
  }

  #newestOfMost(): Item {
    const [client] = this.#holders.get(this.#most) ?? []
    let newest: Item | undefined
    for (const item of client?.items ?? []) newest = item
    return newest as Item
  }

  #uncount(client: Client<Item>): void {
    const count = client.items.size
    const holders = this.#holders.get(count)
    if (holders?.delete(client) && holders.size === 0) this.#holders.delete(count)
  }

  /** After each place that was given or given up: the most is off by one at the most. */
  #count(client: Client<Item>): void {
    const count = client.items.size
    if (count > 0) {
      const holders = this.#holders.get(count)
      if (holders === undefined) this.#holders.set(count, new Set([client]))
      else holders.add(client)
    }
    if (count > this.#most) this.#most = count
    else if (!this.#holders.has(this.#most)) this.#most = count
  }

  /** Until the n-th token from now. */
  #turnMs(n: number): number {
    return Math.max(0, ((n - this.#tokens) * 1_000) / this.#limits.maxUpgradesPerSecond)
  }

  #fill(nowMs: number): void {
    const passedMs = nowMs - this.#filledMs
    const { maxUpgradeBurst, maxUpgradesPerSecond } = this.#limits
    this.#tokens = Math.min(
      maxUpgradeBurst,
      this.#tokens + (passedMs * maxUpgradesPerSecond) / 1_000,
    )
    this.#filledMs = nowMs
  }
}
