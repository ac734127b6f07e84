/** The application's fetch, kept to its limits: what it fails to add is not added, and a notice says so. */
import { publish } from '../../runtime/events.ts'
import { formatReason, reasonOf } from '../../runtime/exit/reason.ts'
import { type Self, task } from '../../runtime/index.ts'
import { encodePayload } from '../wire/serializerV2.ts'
import { type PresenceDiff, type Presences, withFetched } from './shape.ts'

/** Adds to each key what clients should know of it, from a database say: one query for all of them. */
export type Fetch<M> = (
  topic: string,
  presences: Presences<M>,
  self: Self,
) => Readonly<Record<string, object>> | Promise<Readonly<Record<string, object>>>

const LATE: unique symbol = Symbol('late')

const isEmpty = (presences: object): boolean => Object.keys(presences).length === 0

/** A copy of what subscribers and clients can be told. @throws for anything else */
function told<M>(presences: Presences<M>): Presences<M> {
  encodePayload(presences)
  return Object.assign(Object.create(null), structuredClone(presences)) as Presences<M>
}

export class Fetching<M> {
  readonly #name: string
  readonly #fetch: Fetch<M>
  readonly #timeoutMs: number

  constructor(name: string, fetch: Fetch<M>, timeoutMs: number) {
    this.#name = name
    this.#fetch = fetch
    this.#timeoutMs = timeoutMs
  }

  /** The presences of a list, fetched; as they are if that fails or takes too long. */
  async list(topic: string, presences: Presences<M>, self: Self): Promise<Presences<M>> {
    // In a task: what it leaves behind is not the caller's, and its timer ends with it.
    const one = task.asyncNoLink(self, (own) => this.#bounded(topic, presences, own))
    try {
      return await task.await(self, one, { timeoutMs: Number.POSITIVE_INFINITY })
    } catch (error) {
      this.failed(topic, formatReason(reasonOf(error)))
      return presences
    }
  }

  /** Joins and leaves apart: a key may be in both. Runs in a task of its own. */
  async diff(
    topic: string,
    { joins, leaves }: PresenceDiff<M>,
    own: Self,
  ): Promise<PresenceDiff<M>> {
    const [joined, left] = await Promise.all([
      this.#bounded(topic, joins, own),
      this.#bounded(topic, leaves, own),
    ])
    return { joins: joined, leaves: left }
  }

  async #bounded(topic: string, presences: Presences<M>, own: Self): Promise<Presences<M>> {
    if (isEmpty(presences)) return presences
    try {
      const asked = Promise.resolve(this.#fetch(topic, presences, own))
      const late = own.sleep(this.#timeoutMs).then(() => LATE)
      const fetched = await Promise.race([asked, late])
      if (fetched !== LATE) return told(withFetched(presences, fetched))
      this.failed(topic, `no answer within ${this.#timeoutMs} ms`)
    } catch (error) {
      this.failed(topic, formatReason(reasonOf(error)))
    }
    return presences
  }

  failed(topic: string, why: string): void {
    publish('notice', () => ({
      level: 'error',
      code: 'presence_unfetched',
      message: `fetch of presence "${this.#name}" failed: presences of "${topic}" go out with their metas alone: ${why}`,
    }))
  }
}
