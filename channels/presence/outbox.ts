/**
 * What subscribers are to be told of the presences of one thread: fetched first, one topic beside the other, the diffs of a topic
 * in their order. The process it belongs to waits for nothing. It outlives that process: what had not been said is said by the next.
 */
import { formatReason } from '../../runtime/exit/reason.ts'
import { type Ref, type Self, type TaskMessage, task } from '../../runtime/index.ts'
import type { Fetching } from './fetching.ts'
import type { Entry } from './orswot.ts'
import { type Changes, joinsOf, leavesOf, Pending } from './pending.ts'
import { grouped, type PresenceDiff } from './shape.ts'
import type { Tracked } from './store.ts'

interface Running<M> {
  readonly topic: string
  readonly changes: Changes<Tracked<M>>
}

/** Tells subscribers, and the application. */
export type Say<M> = (topic: string, diff: PresenceDiff<M>) => void

export interface OutboxLimits {
  readonly maxDiffSize: number
  /** Changes of a topic that may wait behind a fetch. */
  readonly maxWaiting: number
}

const diffOf = <M>(changes: Changes<Tracked<M>>): PresenceDiff<M> => ({
  joins: grouped(joinsOf(changes)),
  leaves: grouped(leavesOf(changes)),
})

export class Outbox<M> {
  readonly #waiting = new Pending<Tracked<M>>()
  readonly #running = new Map<Ref, Running<M>>()
  readonly #busy = new Map<string, Ref>()

  /** The process it belonged to is gone, and its tasks will not be heard: who left, and of whom that has not been said. */
  leavesUnsaid(): Entry<Tracked<M>>[] {
    const running = [...this.#running.values()].flatMap(({ changes }) => changes)
    return leavesOf([...running, ...this.#waiting.takeAll()])
  }

  /** Changes of several topics. */
  add(
    diff: ReadonlyMap<string, Changes<Tracked<M>>>,
    fetching: Fetching<M> | undefined,
    limits: OutboxLimits,
    self: Self,
    say: Say<M>,
  ): void {
    for (const [topic, changes] of diff) {
      this.#waiting.addAll(changes)
      if (this.#waiting.count(topic) > limits.maxWaiting) this.#giveUp(topic, fetching, limits, say)
    }
    for (const topic of this.#waiting.topics()) {
      if (!this.#busy.has(topic)) this.#next(topic, fetching, limits, self, say)
    }
  }

  #next(
    topic: string,
    fetching: Fetching<M> | undefined,
    { maxDiffSize }: OutboxLimits,
    self: Self,
    say: Say<M>,
  ): void {
    if (fetching === undefined) {
      while (this.#waiting.count(topic) > 0) {
        say(topic, diffOf(this.#waiting.takeOf(topic, maxDiffSize)))
      }
      return
    }
    if (this.#waiting.count(topic) === 0) return
    const changes = this.#waiting.takeOf(topic, maxDiffSize)
    const diff = diffOf(changes)
    const one = task.asyncNoLink(self, (own) => fetching.diff(topic, diff, own))
    this.#running.set(one.ref, { topic, changes })
    this.#busy.set(topic, one.ref)
    task.deliver(self, one)
  }

  /** A fetch has come to its end. */
  fetched(
    { ref, result }: TaskMessage,
    fetching: Fetching<M>,
    limits: OutboxLimits,
    self: Self,
    say: Say<M>,
  ): void {
    const running = this.#running.get(ref)
    // Given up meanwhile: it was said without.
    if (running === undefined) return
    const { topic, changes } = running
    this.#running.delete(ref)
    this.#busy.delete(topic)
    if (!('ok' in result)) fetching.failed(topic, formatReason(result.exit))
    say(topic, 'ok' in result ? (result.ok as PresenceDiff<M>) : diffOf(changes))
    this.#next(topic, fetching, limits, self, say)
  }

  /** Too much waits behind a fetch: all of it is said as it is, in order. */
  #giveUp(
    topic: string,
    fetching: Fetching<M> | undefined,
    { maxDiffSize }: OutboxLimits,
    say: Say<M>,
  ): void {
    const ref = this.#busy.get(topic)
    const running = ref === undefined ? undefined : this.#running.get(ref)
    if (ref === undefined || running === undefined) return
    fetching?.failed(topic, 'too many changes wait behind it')
    this.#running.delete(ref)
    this.#busy.delete(topic)
    say(topic, diffOf(running.changes))
    while (this.#waiting.count(topic) > 0) {
      say(topic, diffOf(this.#waiting.takeOf(topic, maxDiffSize)))
    }
  }
}
