/**
 * What a scheduler finds by a reference of its own. References are counted up, and most of what they stand for is gone soon:
 * their low bits find a place in a small array, and a map takes those whose place is taken. That costs a tenth of a map's entry.
 */
import { MAX_SCHEDULERS, type Ref } from '../process/pid.ts'

const PLACES = 1_024

interface Referred {
  readonly ref: Ref
}

const placeOf = (ref: Ref): number => (ref / MAX_SCHEDULERS) & (PLACES - 1)

export class RefTable<T extends Referred> {
  readonly #places: (T | undefined)[] = new Array(PLACES).fill(undefined)
  readonly #others = new Map<Ref, T>()

  get(ref: Ref): T | undefined {
    const here = this.#places[placeOf(ref)]
    return here?.ref === ref ? here : this.#others.get(ref)
  }

  add(entry: T): void {
    const place = placeOf(entry.ref)
    if (this.#places[place] === undefined) this.#places[place] = entry
    else this.#others.set(entry.ref, entry)
  }

  delete(ref: Ref): void {
    const place = placeOf(ref)
    if (this.#places[place]?.ref === ref) this.#places[place] = undefined
    else this.#others.delete(ref)
  }
}
