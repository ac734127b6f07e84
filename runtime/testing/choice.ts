/** Seeded choice: what the semantics leave open is drawn from one stream of numbers, so that a seed is a whole schedule. */

/** One of `count`, from 0. */
export type Choose = (count: number) => number

/** 0 <= x < 1, the same sequence for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The first `draws` choices are drawn, the rest are the first that offers itself. */
export class DrawnChoice {
  drawn = 0
  readonly #draws: number
  readonly #random: () => number

  constructor(seed: number, draws: number) {
    this.#draws = draws
    this.#random = seededRandom(seed)
  }

  readonly choose: Choose = (count) => {
    if (this.drawn >= this.#draws) return 0
    this.drawn++
    return Math.floor(this.#random() * count)
  }
}

/** Always the first: processes in the order they became ready, threads in the order of their ids. */
export const inOrder: Choose = () => 0
