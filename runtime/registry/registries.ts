/**
 * The registries of one scheduler: duplicate keys in tables here, unique keys in the node's name table with their values in
 * the processes that own them.
 */
import { KEY_SEPARATOR, type Pid, schedulerOf } from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import { send } from '../scheduler/calls.ts'
import { Op } from '../scheduler/ops.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import { DuplicateTable } from './duplicateTable.ts'

export type RegistryKey = string | number

export interface RegistryEntry<V = unknown> {
  readonly pid: Pid
  readonly value: V
}

/** An entry with its key. */
export interface KeyedEntry<V = unknown> extends RegistryEntry<V> {
  readonly key: RegistryKey
}

/** What a registry with listeners tells those processes. Nothing is told of an entry that ends with its process. */
export interface RegistryMessage {
  readonly type: 'register' | 'unregister'
  readonly registry: string
  readonly key: RegistryKey
  readonly pid: Pid
  readonly value: unknown
}

/** What one scheduler asks another about its entries; `meta` is main's. */
export type RegistryQuery = { readonly registry: string } & (
  | { readonly ask: 'entries'; readonly unique: boolean; readonly key: RegistryKey }
  | { readonly ask: 'all' | 'count'; readonly unique: boolean }
  | { readonly ask: 'keysOf'; readonly unique: boolean; readonly pid: Pid }
  | { readonly ask: 'meta'; readonly key: string }
  | { readonly ask: 'putMeta'; readonly key: string; readonly value: unknown }
)

/** A key of a unique registry as the name table has it: what `via` makes. */
export const fullKey = (registry: string, key: RegistryKey): string =>
  `${registry}${KEY_SEPARATOR}${typeof key === 'number' ? '#' : '$'}${key}`

function keyOf(full: string, registry: string): RegistryKey {
  const key = full.slice(registry.length + 2)
  return full[registry.length + 1] === '#' ? Number(key) : key
}

const registryOf = (full: string): string => full.slice(0, full.indexOf(KEY_SEPARATOR))

/** Names of the processes that listen to a registry: known where its module is loaded, as behaviours are. */
const listeners = new Map<string, readonly string[]>()

export function listenTo(registry: string, names: readonly string[]): void {
  listeners.set(registry, names)
}

export class Registries {
  readonly #scheduler: Scheduler
  readonly #tables = new Map<string, DuplicateTable<unknown>>()
  /** Which tables a process is in: its end costs nothing to the others. */
  readonly #holders = new Map<Process, Set<DuplicateTable<unknown>>>()
  /** On main: what the registries are told of themselves. */
  readonly #meta = new Map<string, Map<string, unknown>>()

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  /** Entries of this thread in all duplicate registries. */
  get entries(): number {
    let entries = 0
    for (const table of this.#tables.values()) entries += table.size
    return entries
  }

  add(process: Process, registry: string, key: RegistryKey, value: unknown): void {
    let table = this.#tables.get(registry)
    if (table === undefined) {
      table = new DuplicateTable()
      this.#tables.set(registry, table)
    }
    table.add(process, key, value)
    const held = this.#holders.get(process)
    if (held === undefined) this.#holders.set(process, new Set([table]))
    else held.add(table)
    this.tellOf('register', process, registry, key, value)
  }

  /** Takes the entries of a process under a key away whose value `match` accepts. */
  remove(
    process: Process,
    registry: string,
    key: RegistryKey,
    match?: (value: unknown) => boolean,
  ): void {
    const removed = this.#tables.get(registry)?.removeKey(process, key, match) ?? []
    for (const { value } of removed) this.tellOf('unregister', process, registry, key, value)
  }

  /** A process has ended. */
  forget(process: Process): void {
    const held = this.#holders.get(process)
    if (held === undefined) return
    this.#holders.delete(process)
    for (const table of held) table.forget(process)
  }

  /** tellOf for a key of a unique registry. */
  tell(type: RegistryMessage['type'], process: Process, full: string, value: unknown): void {
    if (listeners.size === 0) return
    const registry = registryOf(full)
    this.tellOf(type, process, registry, keyOf(full, registry), value)
  }

  tellOf(
    type: RegistryMessage['type'],
    { pid }: Process,
    registry: string,
    key: RegistryKey,
    value: unknown,
  ): void {
    const names = listeners.get(registry)
    if (names === undefined) return
    const message: RegistryMessage = { type, registry, key, pid, value }
    for (const name of names) send(this.#scheduler, pid, name, message)
  }

  answer(query: RegistryQuery): unknown {
    const { registry } = query
    switch (query.ask) {
      case 'entries':
        return query.unique
          ? this.#ownerOf(registry, query.key)
          : this.localEntries(registry, query.key)
      case 'all':
        return query.unique ? this.#unique(registry) : this.#duplicates(registry)
      case 'count':
        return query.unique
          ? this.#unique(registry).length
          : (this.#tables.get(registry)?.size ?? 0)
      case 'keysOf':
        return query.unique
          ? this.#uniqueOf(registry, query.pid)
          : this.#duplicatesOf(registry, query.pid)
      case 'meta':
        return this.#meta.get(registry)?.get(query.key)
      case 'putMeta': {
        const meta = this.#meta.get(registry) ?? new Map<string, unknown>()
        this.#meta.set(registry, meta.set(query.key, query.value))
        return undefined
      }
    }
  }

  localEntries(registry: string, key: RegistryKey): RegistryEntry[] {
    const entries = this.#tables.get(registry)?.entries(key)
    return [...(entries ?? [])].map(({ process, value }) => ({ pid: process.pid, value }))
  }

  #duplicates(registry: string): KeyedEntry[] {
    const entries = this.#tables.get(registry)?.all() ?? []
    return [...entries].map(({ process, key, value }) => ({ key, pid: process.pid, value }))
  }

  #duplicatesOf(registry: string, pid: Pid): KeyedEntry[] {
    const process = this.#scheduler.find(pid)
    const owned = process && this.#tables.get(registry)?.owned(process)
    return (owned ?? []).map(({ key, value }) => ({ key, pid, value }))
  }

  #ownerOf(registry: string, key: RegistryKey): RegistryEntry[] {
    const full = fullKey(registry, key)
    const pid = this.#scheduler.names.find(full)
    const keys = pid === undefined ? undefined : this.#scheduler.find(pid)?.keys
    return pid !== undefined && keys?.has(full) ? [{ pid, value: keys.get(full) }] : []
  }

  #uniqueOf(registry: string, pid: Pid): KeyedEntry[] {
    const keys = this.#scheduler.find(pid)?.keys
    return [...(keys ?? [])].flatMap(([full, value]) =>
      registryOf(full) === registry ? [{ key: keyOf(full, registry), pid, value }] : [],
    )
  }

  /** The unique keys that processes of this thread own. */
  #unique(registry: string): KeyedEntry[] {
    const start = `${registry}${KEY_SEPARATOR}`
    return this.#scheduler.names.entries().flatMap(([full, pid]) => {
      if (!full.startsWith(start) || schedulerOf(pid) !== this.#scheduler.id) return []
      const value = this.#scheduler.find(pid)?.keys?.get(full)
      return [{ key: keyOf(full, registry), pid, value }]
    })
  }

  /** To the entries of this thread. */
  dispatchHere(registry: string, key: RegistryKey, message: unknown): void {
    const entries = this.#tables.get(registry)?.entries(key)
    if (entries === undefined) return
    for (const { process } of entries) this.#scheduler.deliver(process, message)
  }

  /** To the entries of every thread. */
  dispatch(from: Pid, registry: string, key: RegistryKey, message: unknown): void {
    for (const id of this.#scheduler.peers.ids()) {
      this.#scheduler.peers.push5(id, Op.Dispatch, from, registry, key, message)
    }
    this.dispatchHere(registry, key, message)
  }
}
