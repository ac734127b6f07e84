/**
 * Registered names. They are node-wide: scheduler 0 is the authority, the others hold replicas that arrive on main's port
 * before anything that depends on them. A process that ends tells every thread that its name is free ahead of its DOWNs.
 */
import { BeamishError } from '../errors.ts'
import { safeText } from '../exit/reason.ts'
import {
  formatDestination,
  formatPid,
  isKey,
  KEY_SEPARATOR,
  NO_PID,
  type Pid,
  schedulerOf,
} from '../process/pid.ts'
import { type Process, Status } from '../process/process.ts'
import { Op } from './ops.ts'
import { ask } from './queries.ts'
import type { Scheduler } from './scheduler.ts'

const MAX_NAME = 255

export interface RegisterRequest {
  readonly name: string
  readonly pid: Pid
  /** An owner the asking thread knows to be dead, ahead of main. */
  readonly dead: Pid
}

export class Names {
  readonly #scheduler: Scheduler
  readonly #pids = new Map<string, Pid>()
  /** Owners known to be dead before main said so. */
  readonly #dead = new Map<string, Pid>()
  /** Processes whose register is on its way: they are about to have a name. */
  readonly #registering = new Map<Process, string>()
  /** Values of keys that are being claimed, by process and key: with the key its value is known. */
  readonly #values = new Map<Process, Map<string, unknown>>()

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  get size(): number {
    return this.#pids.size
  }

  entries(): [string, Pid][] {
    return [...this.#pids]
  }

  /** What this thread knows. */
  find(name: string): Pid | undefined {
    return this.#pids.get(name)
  }

  /** What this thread knows once main's port is empty: for sends, which must not ask and wait. */
  findAfterDrain(name: string): Pid | undefined {
    if (typeof name !== 'string') {
      throw new BeamishError('BEAMISH_BAD_DESTINATION', { got: safeText(name, 100) })
    }
    const known = this.#pids.get(name)
    if (known !== undefined) return known
    this.#scheduler.peers.drainMain()
    return this.#pids.get(name)
  }

  /** Asks main on a local miss. An owner known to be dead here is nobody, even if main has yet to hear of its end. */
  async whereis(asker: Process, name: string): Promise<Pid | undefined> {
    const known = this.findAfterDrain(name)
    if (known !== undefined || this.#scheduler.id === 0) return known
    const dead = this.#dead.get(name)
    const pid = (await ask(this.#scheduler, asker, 0, 'whereis', name)) as Pid | undefined
    return pid === dead ? undefined : pid
  }

  /**
   * Gives a name to a process, on every thread before the promise resolves.
   * @throws BEAMISH_NAME_INVALID, BEAMISH_NAME_DEAD, BEAMISH_NAME_SECOND, BEAMISH_NAME_TAKEN
   */
  async register(process: Process, name: string): Promise<void> {
    // A key of a unique registry, from `via`: a process may have many.
    if (typeof name === 'string' && isKey(name)) {
      return this.registerKey(process, name, undefined)
    }
    checkName(name)
    if (process.status === Status.Dead) {
      throw new BeamishError('BEAMISH_NAME_DEAD', { pid: formatPid(process.pid) })
    }
    const first = process.name ?? this.#registering.get(process)
    if (first !== undefined) {
      throw new BeamishError('BEAMISH_NAME_SECOND', { pid: formatPid(process.pid), name: first })
    }
    this.#registering.set(process, name)
    try {
      await this.#claim(process, name)
    } finally {
      this.#registering.delete(process)
    }
  }

  /** Gives a key of a unique registry to a process, which may own many. */
  async registerKey(process: Process, key: string, value: unknown): Promise<void> {
    if (process.keys?.has(key)) throw new NameTaken(key, process.pid)
    const values = this.#values.get(process) ?? new Map<string, unknown>()
    if (values.has(key)) throw new NameTaken(key, process.pid)
    this.#values.set(process, values.set(key, value))
    try {
      await this.#claim(process, key)
    } finally {
      values.delete(key)
      if (values.size === 0) this.#values.delete(process)
    }
    this.#scheduler.registries.tell('register', process, key, value)
  }

  async #claim(process: Process, name: string): Promise<void> {
    const request: RegisterRequest = {
      name,
      pid: process.pid,
      dead: this.#dead.get(name) ?? NO_PID,
    }
    const owner = (
      this.#scheduler.id === 0
        ? await this.#claimHere(request)
        : await ask(this.#scheduler, process, 0, 'register', request)
    ) as Pid
    if (owner !== process.pid) throw new NameTaken(name, owner)
  }

  /** Answers once the name is on every port, as the answer to another thread does. */
  async #claimHere(request: RegisterRequest): Promise<Pid> {
    const owner = this.claim(request)
    await new Promise<void>((resolve) => this.#scheduler.peers.afterFlush(resolve))
    return owner
  }

  /** Frees a name of a process of this thread. */
  unregister(process: Process): void {
    const { name } = process
    if (name === undefined) return
    process.name = undefined
    this.#givenUp(name, process.pid)
  }

  /**
   * By a process that lives on and may claim it again: only main tells the others, in order with that claim. Word from here
   * could arrive after it and take the new claim for the old one.
   */
  #givenUp(name: string, pid: Pid): void {
    if (this.#scheduler.id === 0) {
      this.gone(name, pid)
      return
    }
    if (this.#pids.get(name) === pid) this.#pids.delete(name)
    this.#dead.set(name, pid)
    this.#scheduler.peers.push4(0, Op.NameGone, pid, name, pid)
  }

  unregisterKey(process: Process, key: string): void {
    if (process.keys === undefined || !process.keys.has(key)) return
    const value = process.keys.get(key)
    process.keys.delete(key)
    this.#givenUp(key, process.pid)
    this.#scheduler.registries.tell('unregister', process, key, value)
  }

  /** A process has ended: all it was known by is free. */
  forget(process: Process): void {
    this.#registering.delete(process)
    this.#values.delete(process)
    if (process.name !== undefined) this.gone(process.name, process.pid)
    if (process.keys !== undefined)
      for (const key of process.keys.keys()) this.gone(key, process.pid)
  }

  /** Authority only: the pid that owns the name afterwards. */
  claim(request: RegisterRequest): Pid {
    const { name, pid, dead } = request
    const owner = this.#pids.get(name)
    if (owner !== undefined && owner !== dead && this.#mayLive(owner)) return owner
    this.set(name, pid)
    for (const id of this.#scheduler.peers.ids()) {
      this.#scheduler.peers.push4(id, Op.NameSet, NO_PID, name, pid)
    }
    return pid
  }

  #mayLive(pid: Pid): boolean {
    const home = schedulerOf(pid)
    return home === this.#scheduler.id
      ? this.#scheduler.find(pid) !== undefined
      : this.#scheduler.peers.has(home)
  }

  /** A name that main has given. */
  set(name: string, pid: Pid): void {
    if (schedulerOf(pid) === this.#scheduler.id) {
      const process = this.#scheduler.find(pid)
      if (process === undefined) {
        this.#pids.set(name, pid)
        this.gone(name, pid)
        return
      }
      if (isKey(name)) {
        process.keys ??= new Map()
        process.keys.set(name, this.#values.get(process)?.get(name))
      } else process.name = name
    }
    this.#pids.set(name, pid)
    this.#dead.delete(name)
  }

  /** A process of this thread has lost its name: all threads hear of it ahead of anything it causes. */
  gone(name: string, pid: Pid): void {
    if (this.#pids.get(name) === pid) this.#pids.delete(name)
    if (this.#scheduler.id !== 0) this.#dead.set(name, pid)
    for (const id of this.#scheduler.peers.ids()) {
      this.#scheduler.peers.push4(id, Op.NameGone, pid, name, pid)
    }
  }

  /** Another thread says that a name is free. Main's word ends the memory of the dead owner. */
  goneReceived(from: number, name: string, pid: Pid): void {
    const owned = this.#pids.get(name) === pid
    if (owned) this.#pids.delete(name)
    if (this.#scheduler.id === 0) {
      // Threads that the dead process did not know of yet hear it from here.
      for (const id of this.#scheduler.peers.ids()) {
        this.#scheduler.peers.push4(id, Op.NameGone, NO_PID, name, pid)
      }
    } else if (from === 0) {
      if (this.#dead.get(name) === pid) this.#dead.delete(name)
    } else if (owned) this.#dead.set(name, pid)
  }

  /** Authority only: frees all names of a lost thread. */
  releaseScheduler(lost: number): void {
    for (const [name, pid] of this.entries()) {
      if (schedulerOf(pid) === lost) this.goneReceived(lost, name, pid)
    }
  }
}

/** The name belongs to somebody: start() answers already started with that pid. */
export class NameTaken extends BeamishError {
  readonly pid: Pid
  constructor(name: string, pid: Pid) {
    super('BEAMISH_NAME_TAKEN', { name: formatDestination(name), pid: formatPid(pid) })
    this.pid = pid
  }
}

export function checkName(name: unknown): asserts name is string {
  if (
    typeof name !== 'string' ||
    name === '' ||
    name.length > MAX_NAME ||
    name.includes(KEY_SEPARATOR)
  ) {
    throw new BeamishError('BEAMISH_NAME_INVALID', { got: JSON.stringify(name) ?? String(name) })
  }
}
