/**
 * A scheduler whose run queue is in other hands: what is ready waits in a set, and the simulation says which process has its
 * turn next. Everything else is the real one.
 */
import type { Behaviour } from '../process/behaviour.ts'
import type { Pid, Ref } from '../process/pid.ts'
import { type Process, Status } from '../process/process.ts'
import { Scheduler, type SchedulerOptions, type SpawnRequest } from '../scheduler/scheduler.ts'

/** Comes between a message and its mailbox, and between a spawn and its behaviour: where faults are made. */
export interface Interference {
  /** Whether the message is taken in hand; `pass` puts it into the mailbox, now or later, as often as it is called. */
  takes(process: Process, message: unknown, pass: () => void): boolean
  /** An answer is there; `pass` hands it over. `watched`: who gave it is monitored for it still. */
  answers(to: Process | undefined, ref: Ref, watched: boolean, pass: () => void): void
  /** The behaviour to run in its place. */
  instead(behaviour: Behaviour): Behaviour
}

export interface SimSchedulerOptions extends SchedulerOptions {
  readonly interference?: Interference | undefined
  /** There is something to do. */
  readonly stirred: () => void
}

export class SimScheduler extends Scheduler {
  /** In the order they became so. */
  readonly ready: Set<Process> = new Set()
  readonly #interference: Interference | undefined
  readonly #stirred: () => void

  constructor(options: SimSchedulerOptions) {
    super(options)
    this.#interference = options.interference
    this.#stirred = options.stirred
  }

  override enqueue(process: Process): void {
    if (process.queued) return
    this.ready.add(process)
    this.#stirred()
  }

  /** Hands a ready process to the next turn. */
  release(process: Process): void {
    this.ready.delete(process)
    super.enqueue(process)
  }

  override deliver(process: Process, message: unknown): void {
    const pass = (): void => super.deliver(process, message)
    if (process.status === Status.Dead) return
    if (this.#interference?.takes(process, message, pass) !== true) pass()
  }

  override answered(to: Pid, ref: Ref, value: unknown, watched: boolean): void {
    const pass = (): void => super.answered(to, ref, value, watched)
    if (this.#interference === undefined) pass()
    else this.#interference.answers(this.find(to), ref, watched, pass)
  }

  override spawn(behaviour: Behaviour, argument: unknown, request: SpawnRequest): Process {
    const run = this.#interference?.instead(behaviour) ?? behaviour
    return super.spawn(run, argument, request)
  }
}
