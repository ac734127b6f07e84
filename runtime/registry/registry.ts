/**
 * Registries: processes found by key (Elixir's Registry). `unique` maps a key to one process on the whole node; `duplicate`
 * keeps any number of entries per key, on the threads of their processes. Entries have values, and end with their process,
 * ahead of its DOWN.
 */
import { BeamishError } from '../errors.ts'
import { Exit } from '../exit/reason.ts'
import { afterDeath } from '../process/afterDeath.ts'
import { type Destination, formatPid, type Name, type Pid, schedulerOf } from '../process/pid.ts'
import { type Process, Status } from '../process/process.ts'
import { Self } from '../process/self.ts'
import { call, cast } from '../scheduler/calls.ts'
import { checkDelay } from '../scheduler/delay.ts'
import { isolate } from '../scheduler/isolate.ts'
import { checkName, NameTaken } from '../scheduler/names.ts'
import { ask } from '../scheduler/queries.ts'
import { type Acquire, LOCKS_NAME } from './locks.ts'
import {
  fullKey,
  type KeyedEntry,
  listenTo,
  type RegistryEntry,
  type RegistryKey,
  type RegistryQuery,
} from './registries.ts'

export interface RegistryOptions {
  /** Registered names of processes that are told of each entry: `{ type: 'register' | 'unregister', registry, key, pid, value }`. */
  readonly listeners?: readonly string[]
}

const isDead = (process: Process): boolean => process.status === Status.Dead

/** What both kinds do. */
abstract class Registry<V> {
  readonly name: string
  protected abstract readonly unique: boolean

  constructor(name: string, options: RegistryOptions = {}) {
    checkName(name)
    this.name = name
    const { listeners = [] } = options
    for (const listener of listeners) checkName(listener)
    if (listeners.length > 0) listenTo(name, listeners)
  }

  /** Asks one scheduler; one that is lost meanwhile has nothing. */
  protected async asked<R>(
    process: Process,
    id: number,
    query: RegistryQuery,
    none: R,
  ): Promise<R> {
    if (id === process.scheduler.id) return process.scheduler.registries.answer(query) as R
    try {
      return (await ask(process.scheduler, process, id, 'registry', query)) as R
    } catch (error) {
      if (error instanceof Exit) return none
      throw error
    }
  }

  /** Asks all schedulers, in order of their ids. */
  protected askedAll<R>(process: Process, query: RegistryQuery, none: R): Promise<R[]> {
    const { peers, id } = process.scheduler
    const ids = [...peers.ids(), id].sort((a, b) => a - b)
    return Promise.all(ids.map((one) => this.asked(process, one, query, none)))
  }

  protected query(ask: 'all' | 'count'): RegistryQuery {
    return { ask, unique: this.unique, registry: this.name }
  }

  /** A value as the registry keeps it. */
  protected kept(process: Process, value: unknown): unknown {
    return process.scheduler.development ? isolate(value, process.pid, this.name) : value
  }

  /** How many entries there are, on all threads. */
  async count(self: Self): Promise<number> {
    const process = Self.processOf(self)
    if (isDead(process)) return afterDeath(process)
    const counts = await this.askedAll(process, this.query('count'), 0)
    return counts.reduce((sum, n) => sum + n, 0)
  }

  /** All entries, on all threads, that `match` accepts: each crosses to the caller's thread, so this is for looking around. */
  async select(
    self: Self,
    match: (entry: KeyedEntry<V>) => boolean = () => true,
  ): Promise<KeyedEntry<V>[]> {
    const process = Self.processOf(self)
    if (isDead(process)) return afterDeath(process)
    const all = await this.askedAll<KeyedEntry<V>[]>(process, this.query('all'), [])
    return all.flat().filter(match)
  }

  /** The keys of a process (default: the caller), in order of registration; one that has several entries stands several times. */
  async keys(self: Self, pid: Pid = self.pid): Promise<RegistryKey[]> {
    return (await this.#of(self, pid)).map(({ key }) => key)
  }

  /** The values a process (default: the caller) has under a key. */
  async values(self: Self, key: RegistryKey, pid: Pid = self.pid): Promise<V[]> {
    const entries = await this.#of(self, pid)
    return entries.flatMap((entry) => (entry.key === key ? [entry.value] : []))
  }

  async #of(self: Self, pid: Pid): Promise<KeyedEntry<V>[]> {
    const process = Self.processOf(self)
    if (isDead(process)) return afterDeath(process)
    const query: RegistryQuery = { ask: 'keysOf', unique: this.unique, registry: this.name, pid }
    return this.asked<KeyedEntry<V>[]>(process, schedulerOf(pid), query, [])
  }

  /** What was put under a name for the registry as a whole; the same on every thread. */
  async meta(self: Self, key: string): Promise<unknown> {
    const process = Self.processOf(self)
    if (isDead(process)) return afterDeath(process)
    return this.asked(process, 0, { ask: 'meta', registry: this.name, key }, undefined)
  }

  /** Puts data under a name for the registry as a whole: seen by every meta() once this resolves. */
  async putMeta(self: Self, key: string, value: unknown): Promise<void> {
    const process = Self.processOf(self)
    if (isDead(process)) return afterDeath(process)
    const kept = this.kept(process, value)
    const query: RegistryQuery = { ask: 'putMeta', registry: this.name, key, value: kept }
    return this.asked<void>(process, 0, query, undefined)
  }

  /**
   * Runs `run` while no other process of the node holds the lock of that key, in the order they asked. The end of a holder
   * frees it (otp 169). One that already holds it waits for itself.
   *
   * @param options.timeoutMs to wait for it at most; then an Exit `{ call, reason: 'timeout' }`. Default Infinity
   */
  async lock<R>(
    self: Self,
    key: RegistryKey,
    run: () => R | PromiseLike<R>,
    options: { readonly timeoutMs?: number } = {},
  ): Promise<R> {
    const { timeoutMs = Number.POSITIVE_INFINITY } = options
    checkDelay(timeoutMs)
    const process = Self.processOf(self)
    if (isDead(process)) return afterDeath(process)
    const { scheduler } = process
    const request: Acquire = { key: fullKey(this.name, key), token: scheduler.refs.next() }
    const to: Destination = LOCKS_NAME
    try {
      await call(scheduler, process, to, 'acquire', request, timeoutMs)
      return await run()
    } finally {
      if (!isDead(process)) cast(scheduler, process.pid, to, 'leave', request)
    }
  }
}

export class UniqueRegistry<V = unknown> extends Registry<V> {
  protected readonly unique = true

  /**
   * Registers the calling process under a key, with a value, known on every thread when the promise resolves.
   * @throws BEAMISH_ALREADY_REGISTERED with the owner's pid in its fields, the caller itself included (otp 159).
   */
  async register(self: Self, key: RegistryKey, value?: V): Promise<void> {
    const process = Self.processOf(self)
    if (isDead(process)) return afterDeath(process)
    const { names } = process.scheduler
    try {
      await names.registerKey(process, fullKey(this.name, key), this.kept(process, value))
    } catch (error) {
      if (!(error instanceof NameTaken)) throw error
      const fields = { key: String(key), registry: this.name, pid: formatPid(error.pid) }
      throw new BeamishError('BEAMISH_ALREADY_REGISTERED', { ...fields, owner: error.pid })
    }
  }

  /** Gives a key up; nothing happens if the calling process does not own it. */
  unregister(self: Self, key: RegistryKey): void {
    const process = Self.processOf(self)
    if (!isDead(process)) process.scheduler.names.unregisterKey(process, fullKey(this.name, key))
  }

  /** unregister, if `match` accepts the value. */
  unregisterMatch(self: Self, key: RegistryKey, match: (value: V) => boolean): void {
    const full = fullKey(this.name, key)
    const { keys } = Self.processOf(self)
    if (keys?.has(full) && match(keys.get(full) as V)) this.unregister(self, key)
  }

  /**
   * The key as a name, for whatever takes one: `self.call(rooms.via('lobby'), …)`, `{ name: rooms.via('lobby') }` of a child or
   * a start. It is looked up when it is used; with nobody there a call fails with noproc (otp 113). `Room.named(rooms.via(…))`
   * makes it typed.
   */
  via<P = unknown>(key: RegistryKey): Name<P> {
    return fullKey(this.name, key) as Name<P>
  }

  /** The process of that key, or undefined. */
  whereis(self: Self, key: RegistryKey): Promise<Pid | undefined> {
    const process = Self.processOf(self)
    if (isDead(process)) return afterDeath(process)
    return process.scheduler.names.whereis(process, fullKey(this.name, key))
  }

  /** The process of that key and its value; undefined if there is none. */
  async lookup(self: Self, key: RegistryKey): Promise<RegistryEntry<V> | undefined> {
    const pid = await this.whereis(self, key)
    if (pid === undefined) return undefined
    const query: RegistryQuery = { ask: 'entries', unique: true, registry: this.name, key }
    const process = Self.processOf(self)
    const found = await this.asked<RegistryEntry<V>[]>(process, schedulerOf(pid), query, [])
    return found[0]
  }

  /** Changes the value of a key of the calling process; undefined, and no change, if it has no such key (otp 167). */
  updateValue(
    self: Self,
    key: RegistryKey,
    update: (value: V) => V,
  ): { readonly value: V; readonly old: V } | undefined {
    const process = Self.processOf(self)
    const full = fullKey(this.name, key)
    if (isDead(process) || !process.keys?.has(full)) return undefined
    const old = process.keys.get(full) as V
    const value = this.kept(process, update(old)) as V
    process.keys.set(full, value)
    return { value, old }
  }
}

export class DuplicateRegistry<V = unknown> extends Registry<V> {
  protected readonly unique = false

  /** Adds an entry for the calling process; the same key again adds a second one (otp 163). */
  register(self: Self, key: RegistryKey, value?: V): void {
    const process = Self.processOf(self)
    if (isDead(process)) return
    process.scheduler.registries.add(process, this.name, key, this.kept(process, value))
  }

  /** Removes all entries of the calling process under a key. */
  unregister(self: Self, key: RegistryKey): void {
    const process = Self.processOf(self)
    if (!isDead(process)) process.scheduler.registries.remove(process, this.name, key)
  }

  /** unregister for the entries whose value `match` accepts. */
  unregisterMatch(self: Self, key: RegistryKey, match: (value: V) => boolean): void {
    const process = Self.processOf(self)
    if (isDead(process)) return
    const accepts = match as (value: unknown) => boolean
    process.scheduler.registries.remove(process, this.name, key, accepts)
  }

  /** All entries of a key, over all threads; threads in order of their ids, entries in order of registration. */
  async lookup(self: Self, key: RegistryKey): Promise<RegistryEntry<V>[]> {
    const process = Self.processOf(self)
    if (isDead(process)) return afterDeath(process)
    const query: RegistryQuery = { ask: 'entries', unique: false, registry: this.name, key }
    return (await this.askedAll<RegistryEntry<V>[]>(process, query, [])).flat()
  }

  /**
   * Sends a message to every entry of a key, on every thread; or runs a function with all of them, in the caller, unless there
   * are none (otp 164).
   */
  dispatch(self: Self, key: RegistryKey, run: (entries: RegistryEntry<V>[]) => void): Promise<void>
  dispatch(self: Self, key: RegistryKey, message: unknown): void
  dispatch(self: Self, key: RegistryKey, what: unknown): Promise<void> | undefined {
    if (typeof what === 'function') {
      return this.lookup(self, key).then((entries) => {
        if (entries.length > 0) what(entries)
      })
    }
    const process = Self.processOf(self)
    if (isDead(process)) return undefined
    const { scheduler } = process
    const sent = scheduler.development ? isolate(what, process.pid, `${this.name} ${key}`) : what
    scheduler.registries.dispatch(process.pid, this.name, key, sent)
    return undefined
  }
}

/**
 * Names a registry with unique keys.
 *
 * @example
 * ```ts
 * import { genServer, supervisor, uniqueRegistry } from 'beamish'
 * export const rooms = uniqueRegistry<{ seats: number }>('rooms', { listeners: ['lobby watch'] })
 * // in a process: await rooms.register(self, 'lobby', { seats: 4 }); await rooms.lookup(self, 'lobby')
 * const Room = genServer('doc-room', { init: () => [] as string[], handleCall: { seats: (names) => names.length } })
 * export const lobby = Room.named(rooms.via('lobby')) // as in: await self.call(lobby, 'seats')
 * export default supervisor({ children: [Room.child(undefined, { id: 'lobby', name: lobby })] })
 * ```
 * @throws BEAMISH_NAME_INVALID
 */
export const uniqueRegistry = <V = unknown>(
  name: string,
  options?: RegistryOptions,
): UniqueRegistry<V> => new UniqueRegistry<V>(name, options)

/**
 * Names a registry with duplicate keys.
 *
 * @example
 * ```ts
 * import { duplicateRegistry } from 'beamish'
 * const listeners = duplicateRegistry('listeners') // in a process: listeners.register(self, 'news', { since: 1 })
 * console.assert(listeners.name === 'listeners')
 * ```
 * @throws BEAMISH_NAME_INVALID
 */
export const duplicateRegistry = <V = unknown>(
  name: string,
  options?: RegistryOptions,
): DuplicateRegistry<V> => new DuplicateRegistry<V>(name, options)
