/** The metas of every topic as the diffs told so far make them: what handleMetas sees. Pure. */
import type { PresenceDiff, PresenceEntry } from './shape.ts'
import type { Tracked } from './store.ts'

export class Metas<M> {
  readonly #topics = new Map<string, Map<string, readonly Tracked<M>[]>>()

  /** Applies a diff, joins first; answers the metas of its topic by key. */
  apply(
    topic: string,
    { joins, leaves }: PresenceDiff<M>,
  ): ReadonlyMap<string, readonly Tracked<M>[]> {
    const keys = this.#topics.get(topic) ?? new Map<string, readonly Tracked<M>[]>()
    for (const key of Object.keys(joins)) {
      const { metas } = joins[key] as PresenceEntry<M>
      const refs = refsOf(metas)
      const others = (keys.get(key) ?? []).filter(({ phx_ref }) => !refs.has(phx_ref))
      keys.set(key, [...others, ...metas])
    }
    for (const key of Object.keys(leaves)) {
      const refs = refsOf((leaves[key] as PresenceEntry<M>).metas)
      const left = (keys.get(key) ?? []).filter(({ phx_ref }) => !refs.has(phx_ref))
      if (left.length > 0) keys.set(key, left)
      else keys.delete(key)
    }
    if (keys.size > 0) this.#topics.set(topic, keys)
    else this.#topics.delete(topic)
    return keys
  }
}

const refsOf = (metas: readonly { readonly phx_ref: string }[]): Set<string> =>
  new Set(metas.map(({ phx_ref }) => phx_ref))
