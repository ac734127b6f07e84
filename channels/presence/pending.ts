/** Changes that nobody has been told of yet, by topic, so that they go out in batches of a bounded size. Pure. */
import type { Change, Entry } from './orswot.ts'

/** Changes of one topic, in their order. */
export type Changes<M> = readonly Change<M>[]

const dot = ({ replica, clock }: Entry<unknown>): string => `${replica}:${clock}`

export const joinsOf = <M>(changes: Changes<M>): Entry<M>[] =>
  changes.flatMap(({ join }) => (join === undefined ? [] : [join]))

export const leavesOf = <M>(changes: Changes<M>): Entry<M>[] =>
  changes.flatMap(({ leave }) => (leave === undefined ? [] : [leave]))

export class Pending<M> {
  readonly #topics = new Map<string, Change<M>[]>()

  get isEmpty(): boolean {
    return this.#topics.size === 0
  }

  /** Changes of a topic that wait. */
  count(topic: string): number {
    return this.#topics.get(topic)?.length ?? 0
  }

  topics(): string[] {
    return [...this.#topics.keys()]
  }

  add(change: Change<M>): void {
    const { topic } = (change.join ?? change.leave) as Entry<M>
    const waiting = this.#topics.get(topic)
    if (waiting === undefined) this.#topics.set(topic, [change])
    else waiting.push(change)
  }

  addAll(changes: Changes<M>): void {
    for (const change of changes) this.add(change)
  }

  /** For those who begin anew, and are to hear of a join before its leave. */
  addAsNew(left: Entry<M>): void {
    this.add({ join: left })
    this.add({ leave: left })
  }

  /** The first changes of all topics, at most `max`. */
  take(max: number): Map<string, Changes<M>> {
    const taken = new Map<string, Changes<M>>()
    let left = max
    for (const topic of this.#topics.keys()) {
      const changes = this.takeOf(topic, left)
      taken.set(topic, changes)
      left -= changes.length
      if (left === 0) break
    }
    return taken
  }

  /**
   * The first changes of one topic, at most `max`, for one diff: its joins count before its leaves, so one that came and went
   * is in both, but one that left and is back waits for the next.
   */
  takeOf(topic: string, max: number): Changes<M> {
    const waiting = this.#topics.get(topic) ?? []
    const left = new Set<string>()
    let count = 0
    for (const { join, leave } of waiting) {
      if (count === max || (join !== undefined && left.size > 0 && left.has(dot(join)))) break
      if (leave !== undefined) left.add(dot(leave))
      count++
    }
    if (count < waiting.length) return waiting.splice(0, count)
    this.#topics.delete(topic)
    return waiting
  }

  takeAll(): Change<M>[] {
    const all = [...this.#topics.values()].flat()
    this.#topics.clear()
    return all
  }
}
