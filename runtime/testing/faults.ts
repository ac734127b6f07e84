/**
 * Faults on demand. Each is written into the timeline when it strikes, so that a failure shows what was done to the node beside
 * what the node made of it.
 */
import { BeamishError } from '../errors.ts'
import { Exit, type ExitReason, formatReason, type LostCause, reasonOf } from '../exit/reason.ts'
import type { Behaviour } from '../process/behaviour.ts'
import { messageName } from '../process/messages.ts'
import {
  type Destination,
  formatPid,
  NO_PID,
  type Pid,
  type Ref,
  schedulerOf,
} from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import { whole } from '../supervisor/spec.ts'
import {
  checkTarget,
  type EndFault,
  isTarget,
  type MessageFault,
  MessageFaults,
} from './messageFaults.ts'
import { needsReal } from './notSimulated.ts'
import type { Recorder } from './recorder.ts'
import type { Interference } from './simScheduler.ts'
import type { Simulation } from './simulation.ts'

export interface AtMessage {
  /** 1: the next message it is given; 2: the one after it … Default 1. */
  readonly atMessage?: number
}

interface Strike {
  readonly target: Destination
  left: number
  readonly act: (process: Process, message: unknown) => void
}

interface FailingInit {
  left: number
  readonly reason: ExitReason
}

export class Faults implements Interference {
  readonly #recorder: Recorder
  readonly #simulation: () => Simulation
  readonly #strikes = new Set<Strike>()
  readonly #messages: MessageFaults
  readonly #inits = new Map<string, FailingInit>()

  /** Made by testNode(). */
  constructor(recorder: Recorder, simulation: () => Simulation) {
    this.#recorder = recorder
    this.#simulation = simulation
    this.#messages = new MessageFaults(recorder, (pid) =>
      simulation().scheduler(schedulerOf(pid)).find(pid),
    )
    recorder.onHandle = (process, message) => this.#strike(process, message)
  }

  /** A process throws in place of handling its nth message: its own crash, terminate included. */
  crash(target: Destination, options: AtMessage & { readonly error?: unknown } = {}): void {
    const { error = new Error('a fault of the test') } = options
    this.#at(target, options, ({ pid }, message) => {
      const why = formatReason(reasonOf(error))
      this.#note(`${formatPid(pid)} crashes at "${messageName(message)}": ${why}`, pid)
      throw error
    })
  }

  /** A process is killed in place of handling its nth message: no terminate. */
  kill(target: Destination, options: AtMessage = {}): void {
    this.#at(target, options, (process, message) => {
      const { pid, scheduler } = process
      this.#note(`${formatPid(pid)} is killed at "${messageName(message)}"`, pid)
      scheduler.exit(process, 'killed')
      // It is dead: this only keeps the handler from running.
      throw new Exit('killed')
    })
  }

  #at(target: Destination, { atMessage = 1 }: AtMessage, act: Strike['act']): void {
    checkTarget('target', target)
    this.#strikes.add({ target, left: whole('atMessage', atMessage, 1), act })
  }

  /**
   * Messages from one process to another are lost on the way: sends, casts, calls, the answers of calls and tasks, or those of
   * `kinds`; with `'any'` also what PubSub brings. A call whose answer is lost times out, or hears of the end of its server.
   * @throws BEAMISH_BAD_OPTION for the kind of a signal: those always arrive while both threads live
   */
  drop(from: Destination | 'any', to: Destination, options: MessageFault = {}): EndFault {
    return this.#messages.drop(from, to, options)
  }

  /**
   * Messages from one process to another arrive so much later, in their order; see drop. Exit signals, links and monitors do
   * not wait: they overtake, which without a fault they never do. An answer that comes after the timeout of its call goes nowhere.
   * @throws BEAMISH_BAD_OPTION, BEAMISH_BAD_TIMEOUT
   */
  delay(
    from: Destination | 'any',
    to: Destination,
    ms: number,
    options: MessageFault = {},
  ): EndFault {
    return this.#messages.delay(from, to, ms, options)
  }

  /**
   * Messages from one process to another arrive twice; see drop. The second answer of a call goes nowhere.
   * @throws BEAMISH_BAD_OPTION
   */
  duplicate(from: Destination | 'any', to: Destination, options: MessageFault = {}): EndFault {
    return this.#messages.duplicate(from, to, options)
  }

  /** The init of a behaviour fails, so many times; its own does not run then. Default once. */
  failInit(
    behaviour: Behaviour | string,
    options: { readonly times?: number; readonly reason?: ExitReason } = {},
  ): EndFault {
    const name = typeof behaviour === 'string' ? behaviour : behaviour.name
    const { reason = 'init_failed_by_test' } = options
    const times = whole('times', options.times ?? 1, 1)
    const failing: FailingInit = { left: times, reason }
    this.#inits.set(name, failing)
    return () => {
      if (this.#inits.get(name) === failing) this.#inits.delete(name)
    }
  }

  /** A thread ends as in an accident, without a word; main hears of it and replaces it, as on a real node. */
  killThread(scheduler: number, cause: LostCause = 'exit'): void {
    this.#checkThread(scheduler)
    this.#note(`thread ${scheduler} ends (${cause})`)
    this.#simulation().kill(scheduler, cause)
  }

  /** A thread stands still: it runs nothing, hears nothing, and no timer of it fires; nobody is told. */
  freezeThread(scheduler: number): void {
    this.#checkThread(scheduler)
    this.#note(`thread ${scheduler} stands still`)
    this.#simulation().freeze(scheduler, true)
  }

  /** A thread that stood still goes on; timers that were due meanwhile fire now. */
  unfreezeThread(scheduler: number): void {
    this.#checkThread(scheduler)
    this.#note(`thread ${scheduler} goes on`)
    this.#simulation().freeze(scheduler, false)
  }

  /** Main is the test's own: it neither ends nor stands still. */
  #checkThread(scheduler: number): void {
    if (!this.#simulation().live().includes(scheduler)) {
      throw new BeamishError('BEAMISH_NO_SCHEDULER', { scheduler })
    }
  }

  #note(text: string, pid: Pid = NO_PID): void {
    this.#recorder.note('fault', text, pid)
  }

  #strike(process: Process, message: unknown): void {
    let first: Strike | undefined
    for (const strike of this.#strikes) {
      if (!isTarget(strike.target, process.pid, process.name)) continue
      // Every one counts the message; two that are due at the same one are one after the other.
      if (--strike.left <= 0) first ??= strike
    }
    if (first === undefined) return
    this.#strikes.delete(first)
    first.act(process, message)
  }

  takes(process: Process, message: unknown, pass: () => void): boolean {
    return this.#messages.takes(process, message, pass)
  }

  answers(to: Process | undefined, ref: Ref, watched: boolean, pass: () => void): void {
    this.#messages.answers(to, ref, watched, pass)
  }

  instead(behaviour: Behaviour): Behaviour {
    const failing = this.#inits.get(behaviour.name)
    if (failing === undefined) {
      const error = needsReal(behaviour)
      return error === undefined ? behaviour : throwing(behaviour, error)
    }
    const { reason } = failing
    if (--failing.left <= 0) this.#inits.delete(behaviour.name)
    this.#note(`init of ${behaviour.name} fails: ${formatReason(reason)}`)
    return throwing(behaviour, new Exit(reason))
  }
}

/** A behaviour whose start throws. */
function throwing(
  { name, delivery, trapExit, containStrays }: Behaviour,
  thrown: unknown,
): Behaviour {
  const start = (): never => {
    throw thrown
  }
  return { name, delivery, trapExit, containStrays, start, handle: () => {} }
}
