/** The registries of one scheduler: duplicate keys in tables here, unique keys in the node's name table. */
import type { Pid } from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import { Op } from '../scheduler/ops.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import { DuplicateTable } from './duplicateTable.ts'

export interface RegistryEntry {
  readonly pid: Pid
  readonly value: unknown
}

export class Registries {
  readonly #scheduler: Scheduler
  readonly #tables = new Map<string, DuplicateTable<unknown>>()

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  /** Entries of this thread in all duplicate registries. */
  get entries(): number {
    let entries = 0
    for (const table of this.#tables.values()) entries += table.size
    return entries
  }

  table(registry: string): DuplicateTable<unknown> {
    let table = this.#tables.get(registry)
    if (table === undefined) {
      table = new DuplicateTable()
      this.#tables.set(registry, table)
    }
    return table
  }

  forget(process: Process): void {
    for (const table of this.#tables.values()) table.forget(process)
  }

  localEntries(registry: string, key: string | number): RegistryEntry[] {
    const entries = this.#tables.get(registry)?.entries(key)
    return [...(entries ?? [])].map(({ process, value }) => ({ pid: process.pid, value }))
  }

  /** To the entries of this thread. */
  dispatchHere(registry: string, key: string | number, message: unknown): void {
    const entries = this.#tables.get(registry)?.entries(key)
    if (entries === undefined) return
    for (const { process } of entries) this.#scheduler.deliver(process, message)
  }

  /** To the entries of every thread. */
  dispatch(from: Pid, registry: string, key: string | number, message: unknown): void {
    for (const id of this.#scheduler.peers.ids()) {
      this.#scheduler.peers.push5(id, Op.Dispatch, from, registry, key, message)
    }
    this.dispatchHere(registry, key, message)
  }
}
