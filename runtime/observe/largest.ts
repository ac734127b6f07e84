/** The n items with the largest values, pure: most items cost one comparison. */
export interface Weighed<T> {
  readonly value: number
  readonly item: T
}

export class Largest<T> {
  readonly #max: number
  /** Largest first. */
  readonly #items: Weighed<T>[] = []

  constructor(max: number) {
    this.#max = max
  }

  get items(): readonly Weighed<T>[] {
    return this.#items
  }

  /** Nothing of it is no place in the list; of equals the one that came first stays. */
  offer(value: number, item: T): void {
    const items = this.#items
    const last = items.length === this.#max ? (items[this.#max - 1]?.value ?? Infinity) : 0
    if (value <= last) return
    if (items.length === this.#max) items.pop()
    let at = items.length
    while (at > 0 && (items[at - 1] as Weighed<T>).value < value) at--
    items.splice(at, 0, { value, item })
  }
}
