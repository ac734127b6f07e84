/** Questions one scheduler asks another on behalf of a process: who owns a name, whether a pid lives, what it does. */

import { BeamishError } from '../errors.ts'
import { Exit, type ExitReason } from '../exit/reason.ts'
import { afterDeath } from '../process/afterDeath.ts'
import { type Pid, type Ref, schedulerOf } from '../process/pid.ts'
import { type Pending, type Process, Status } from '../process/process.ts'
import { rejectAs } from '../process/strays.ts'
import type { RegistryQuery } from '../registry/registries.ts'
import { processInfo } from './info.ts'
import type { RegisterRequest } from './names.ts'
import { Op } from './ops.ts'
import type { Scheduler } from './scheduler.ts'

export type Query = 'register' | 'whereis' | 'alive' | 'info' | 'registry'

class PendingQuery implements Pending {
  readonly scheduler: number
  readonly #process: Process
  readonly #ref: Ref
  readonly #resolve: (value: unknown) => void
  readonly #reject: (reason: unknown) => void

  constructor(
    process: Process,
    scheduler: number,
    ref: Ref,
    resolve: (value: unknown) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#process = process
    this.scheduler = scheduler
    this.#ref = ref
    this.#resolve = resolve
    this.#reject = reject
  }

  reply(value: unknown): void {
    this.#process.pending?.delete(this.#ref)
    this.#resolve(value)
  }

  down(reason: ExitReason): void {
    this.#process.pending?.delete(this.#ref)
    rejectAs(this.#process, this.#reject, new Exit(reason))
  }

  abandon(): void {}
}

/** Asks another scheduler; rejects with an Exit when that scheduler is gone. */
export function ask(
  scheduler: Scheduler,
  process: Process,
  target: number,
  query: Query,
  argument: unknown,
): Promise<unknown> {
  if (process.status === Status.Dead) return afterDeath(process)
  return new Promise((resolve, reject) => {
    const ref = scheduler.refs.next()
    process.pendingOrNew().set(ref, new PendingQuery(process, target, ref, resolve, reject))
    scheduler.peers.push5(target, Op.Query, process.pid, ref, query, argument)
  })
}

/** Answers a question from another scheduler. */
export function answerQuery(scheduler: Scheduler, query: Query, argument: unknown): unknown {
  switch (query) {
    case 'register':
      return scheduler.names.claim(argument as RegisterRequest)
    case 'whereis':
      return scheduler.names.find(argument as string)
    case 'alive':
      return scheduler.find(argument as Pid) !== undefined
    case 'info': {
      const process = scheduler.find(argument as Pid)
      return process === undefined ? undefined : processInfo(process)
    }
    case 'registry':
      return scheduler.registries.answer(argument as RegistryQuery)
    default:
      throw new BeamishError('BEAMISH_BAD_OPTION', {
        option: 'query',
        got: String(query satisfies never),
        fix: 'all threads must run the same version of beamish',
      })
  }
}

/** alive(): at once for a process here, by question elsewhere; a lost thread's processes are dead. */
export async function alive(scheduler: Scheduler, asker: Process, pid: Pid): Promise<boolean> {
  if (schedulerOf(pid) === scheduler.id) return scheduler.find(pid) !== undefined
  try {
    return (await ask(scheduler, asker, schedulerOf(pid), 'alive', pid)) === true
  } catch (error) {
    if (error instanceof Exit) return false
    throw error
  }
}
