/** Presences in the form the official client expects: `{ [key]: { metas: [{ …, phx_ref }] } }`. Pure. */
import type { Entry } from './orswot.ts'
import type { Tracked } from './store.ts'

/** One key: what its processes are tracked with, and what fetch added. */
export interface PresenceEntry<M> {
  readonly metas: readonly Tracked<M>[]
  readonly [added: string]: unknown
}

/** Presences by key. It has no prototype: keys are anything, `__proto__` too. */
export type Presences<M> = Readonly<Record<string, PresenceEntry<M>>>

/** What `presence_diff` carries. */
export interface PresenceDiff<M> {
  readonly joins: Presences<M>
  readonly leaves: Presences<M>
}

/** Entries by their keys, in their order. */
export function grouped<M>(entries: Iterable<Entry<Tracked<M>>>): Presences<M> {
  const presences: Record<string, { metas: Tracked<M>[] }> = Object.create(null)
  for (const { key, meta } of entries) {
    const known = presences[key]
    if (known === undefined) presences[key] = { metas: [meta] }
    else known.metas.push(meta)
  }
  return presences
}

/** What fetch made of presences, with the keys and metas as they were: clients tell presences by them. */
export function withFetched<M>(presences: Presences<M>, fetched: unknown): Presences<M> {
  const result: Record<string, PresenceEntry<M>> = Object.create(null)
  const from = typeof fetched === 'object' && fetched !== null ? fetched : {}
  for (const key of Object.keys(presences)) {
    const entry = presences[key] as PresenceEntry<M>
    const more: unknown = Object.hasOwn(from, key) ? (from as Record<string, unknown>)[key] : {}
    result[key] =
      typeof more === 'object' && more !== null ? { ...more, metas: entry.metas } : entry
  }
  return result
}
