/**
 * Whose code runs: what a process leaves behind (a promise nobody awaits, a timer, an emitter) carries it as its
 * asynchronous context, so that an error there finds its way back. The kernel's own continuations carry nobody.
 */
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import type { Process } from './process.ts'

/** How an error came up outside of any handler. */
export type Stray = 'uncaughtException' | 'unhandledRejection' | 'process.exit'

export interface StrayOptions {
  /**
   * What its code leaves behind belongs to the process: a promise nobody awaits that rejects, a throw in a timer or an
   * emitter, a process.exit() in one of these end the process with that error as reason, without terminate, and a crash
   * report that has `stray`; without this they end its thread. What it sets up for others too, such as a pool of
   * connections, counts as its own. Costs 30 to 90 ns each time the process gets its turn, and 300 bytes. Default false.
   */
  readonly containStrays?: boolean
}

const owner = new AsyncLocalStorage<Process | undefined>()

/** The process whose code runs now, or left behind what runs now; only of behaviours that contain their strays. */
export const currentOwner = (): Process | undefined => owner.getStore()

/** A context in which code is that process's: kept with it, since to make one costs more than to enter one. */
const contextOf = (process: Process): AsyncResource =>
  asNobody(() => owner.run(process, () => new AsyncResource('BEAMISH_PROCESS')))

/** Runs one function as a process's, whatever runs around it. */
export function runAs<R, A>(process: Process, run: (argument: A) => R, argument: A): R {
  if (owner.getStore() === process) return run(argument)
  process.ownContext ??= contextOf(process)
  return process.ownContext.runInAsyncScope(run, undefined, argument)
}

/** The same for a process that does so once: nothing is kept for the next time. */
export const runOnceAs = <R>(process: Process, run: () => R): R => owner.run(process, run)

/** Rejects a promise that `process` was given: if nobody handles it, that is its own stray, not of whoever ran just now. */
export function rejectAs(
  process: Process,
  reject: (reason: unknown) => void,
  reason: unknown,
): void {
  owner.run(process.containStrays ? process : undefined, reject, reason)
}

/** Runs `run` as nobody's: for what the kernel sets up and other processes will run in. */
export const asNobody: <R, A extends readonly unknown[]>(run: (...args: A) => R, ...args: A) => R =
  AsyncLocalStorage.snapshot()
