/**
 * Who has been idle for long, as a pure structure: a wheel whose spokes are looked at in turn, each once per round. Nothing
 * is noted per message and no timer is armed: a look compares what an item did last (its mark) with what it was at the look
 * before. An item is found idle after one to two rounds.
 */

export const SPOKES = 8

/** What becomes of an item after a look: its mark until the next one, or undefined: it leaves the wheel. */
export type Look<T> = (item: T, mark: number) => number | undefined

export class IdleWheel<T> {
  readonly #spokes: readonly Map<T, number>[] = Array.from({ length: SPOKES }, () => new Map())
  #at = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Joins it, to be looked at in a full round from now. */
  add(item: T, mark: number): void {
    this.remove(item)
    this.#spokes[this.#at]?.set(item, mark)
    this.#size++
  }

  remove(item: T): void {
    for (const spoke of this.#spokes) {
      if (!spoke.delete(item)) continue
      this.#size--
      return
    }
  }

  /** Turns by one spoke, and looks at those who are there. */
  turn(look: Look<T>): void {
    this.#at = (this.#at + 1) % SPOKES
    const spoke = this.#spokes[this.#at] as Map<T, number>
    for (const [item, mark] of spoke) {
      const next = look(item, mark)
      if (next === mark) continue
      if (next !== undefined) spoke.set(item, next)
      else if (spoke.delete(item)) this.#size--
    }
  }
}
