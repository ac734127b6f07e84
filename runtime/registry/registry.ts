/**
 * Registries: processes found by key. `unique` maps a key to one process on the whole node; `duplicate` keeps any number
 * of entries per key, each with a value, on the thread of its process. Entries end with their process, ahead of its DOWN.
 */

import { BeamishError } from '../errors.ts'
import { Exit } from '../exit/reason.ts'
import { afterDeath } from '../process/afterDeath.ts'
import { formatPid, type Pid } from '../process/pid.ts'
import { type Process, Status } from '../process/process.ts'
import { Self } from '../process/self.ts'
import { isolate } from '../scheduler/isolate.ts'
import { KEY_SEPARATOR, NameTaken } from '../scheduler/names.ts'
import { ask } from '../scheduler/queries.ts'
import type { RegistryEntry } from './registries.ts'

export type RegistryKey = string | number

const isDead = (process: Process): boolean => process.status === Status.Dead

export class UniqueRegistry {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }

  #full(key: RegistryKey): string {
    return `${this.name}${KEY_SEPARATOR}${typeof key === 'number' ? '#' : '$'}${key}`
  }

  /**
   * Registers the calling process under a key, known on every thread when the promise resolves.
   * @throws BEAMISH_ALREADY_REGISTERED with the owner's pid in its fields, the caller itself included (otp 159).
   */
  async register(self: Self, key: RegistryKey): Promise<void> {
    const process = Self.processOf(self)
    if (isDead(process)) return afterDeath(process)
    try {
      await process.scheduler.names.registerKey(process, this.#full(key))
    } catch (error) {
      if (!(error instanceof NameTaken)) throw error
      const fields = { key: String(key), registry: this.name, pid: formatPid(error.pid) }
      throw new BeamishError('BEAMISH_ALREADY_REGISTERED', { ...fields, owner: error.pid })
    }
  }

  /** Gives a key up; nothing happens if the calling process does not own it. */
  unregister(self: Self, key: RegistryKey): void {
    const process = Self.processOf(self)
    if (!isDead(process)) process.scheduler.names.unregisterKey(process, this.#full(key))
  }

  /** The process of that key, or undefined. */
  whereis(self: Self, key: RegistryKey): Promise<Pid | undefined> {
    const process = Self.processOf(self)
    if (isDead(process)) return afterDeath(process)
    return process.scheduler.names.whereis(process, this.#full(key))
  }
}

export class DuplicateRegistry {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }

  /** Adds an entry for the calling process; the same key again adds a second one (otp 163). */
  register(self: Self, key: RegistryKey, value?: unknown): void {
    const process = Self.processOf(self)
    if (!isDead(process)) process.scheduler.registries.table(this.name).add(process, key, value)
  }

  /** Removes all entries of the calling process under a key. */
  unregister(self: Self, key: RegistryKey): void {
    const process = Self.processOf(self)
    if (!isDead(process)) process.scheduler.registries.table(this.name).removeKey(process, key)
  }

  /** All entries of a key, over all threads; threads in order of their ids, entries in order of registration. */
  async lookup(self: Self, key: RegistryKey): Promise<RegistryEntry[]> {
    const process = Self.processOf(self)
    if (isDead(process)) return afterDeath(process)
    const { scheduler } = process
    const argument = { registry: this.name, key }
    const ofThread = (id: number): Promise<unknown> | RegistryEntry[] => {
      if (id === scheduler.id) return scheduler.registries.localEntries(this.name, key)
      return ask(scheduler, process, id, 'registry', argument).catch((error: unknown) => {
        // A thread that is lost while we ask has no entries.
        if (error instanceof Exit) return []
        throw error
      })
    }
    const ids = [...scheduler.peers.ids(), scheduler.id].sort((a, b) => a - b)
    return ((await Promise.all(ids.map(ofThread))) as RegistryEntry[][]).flat()
  }

  /** Sends a message to every entry of a key, on every thread. */
  dispatch(self: Self, key: RegistryKey, message: unknown): void {
    const process = Self.processOf(self)
    if (isDead(process)) return
    const { scheduler } = process
    const sent = scheduler.development
      ? isolate(message, process.pid, `${this.name} ${key}`)
      : message
    scheduler.registries.dispatch(process.pid, this.name, key, sent)
  }
}

/**
 * Names a registry with unique keys.
 *
 * @example
 * ```ts
 * import { uniqueRegistry } from 'beamish'
 * const rooms = uniqueRegistry('rooms')   // in a process: await rooms.register(self, 'lobby')
 * console.assert(rooms.name === 'rooms')
 * ```
 */
export const uniqueRegistry = (name: string): UniqueRegistry => new UniqueRegistry(name)

/**
 * Names a registry with duplicate keys.
 *
 * @example
 * ```ts
 * import { duplicateRegistry } from 'beamish'
 * const listeners = duplicateRegistry('listeners') // in a process: listeners.register(self, 'news', { since: 1 })
 * console.assert(listeners.name === 'listeners')
 * ```
 */
export const duplicateRegistry = (name: string): DuplicateRegistry => new DuplicateRegistry(name)
