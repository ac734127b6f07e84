/**
 * Faults on demand. Each is written into the timeline when it strikes, so that a failure shows what was done to the node beside
 * what the node made of it.
 */
import { Exit, type ExitReason, formatReason, type LostCause, reasonOf } from '../exit/reason.ts'
import type { Behaviour } from '../process/behaviour.ts'
import { messageName } from '../process/messages.ts'
import { type Destination, formatPid, NO_PID, type Pid } from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import type { Recorder } from './recorder.ts'
import type { Interference } from './simScheduler.ts'
import type { Simulation } from './simulation.ts'

export interface AtMessage {
  /** 1: the next message it is given; 2: the one after it … Default 1. */
  readonly atMessage?: number
}

export interface MessageFault {
  /** How many messages it strikes. Default: all, until it is ended. */
  readonly count?: number
}

/** Ends a fault that goes on. */
export type EndFault = () => void

interface Strike {
  readonly target: Destination
  left: number
  readonly act: (process: Process, message: unknown) => void
}

interface Rule {
  readonly from: Destination | 'any'
  readonly to: Destination
  left: number
  readonly act: (process: Process, message: unknown, pass: () => void) => void
}

interface FailingInit {
  left: number
  readonly reason: ExitReason
}

export class Faults implements Interference {
  readonly #recorder: Recorder
  readonly #simulation: () => Simulation
  readonly #strikes = new Set<Strike>()
  readonly #rules = new Set<Rule>()
  readonly #inits = new Map<string, FailingInit>()

  /** Made by testNode(). */
  constructor(recorder: Recorder, simulation: () => Simulation) {
    this.#recorder = recorder
    this.#simulation = simulation
    recorder.onHandle = (process, message) => this.#strike(process, message)
  }

  /** A process throws in place of handling its nth message: its own crash, terminate included. */
  crash(target: Destination, options: AtMessage & { readonly error?: unknown } = {}): void {
    const { error = new Error('a fault of the test') } = options
    this.#strikes.add({
      target,
      left: options.atMessage ?? 1,
      act: ({ pid }, message) => {
        const why = formatReason(reasonOf(error))
        this.#note(`${formatPid(pid)} crashes at "${messageName(message)}": ${why}`, pid)
        throw error
      },
    })
  }

  /** A process is killed in place of handling its nth message: no terminate. */
  kill(target: Destination, options: AtMessage = {}): void {
    this.#strikes.add({
      target,
      left: options.atMessage ?? 1,
      act: (process, message) => {
        const { pid, scheduler } = process
        this.#note(`${formatPid(pid)} is killed at "${messageName(message)}"`, pid)
        scheduler.exit(process, 'killed')
        // It is dead: this only keeps the handler from running.
        throw new Exit('killed')
      },
    })
  }

  /** Messages, casts and calls from one process to another are lost on the way. */
  drop(from: Destination | 'any', to: Destination, options: MessageFault = {}): EndFault {
    return this.#rule(from, to, options, ({ pid }, message) => {
      this.#note(`"${messageName(message)}" to ${formatPid(pid)} is dropped`, pid)
      this.#recorder.dropped()
    })
  }

  /**
   * Messages, casts and calls from one process to another arrive so much later, in their order. Exit signals, links and monitors
   * do not wait: they overtake, which without a fault they never do.
   */
  delay(
    from: Destination | 'any',
    to: Destination,
    ms: number,
    options: MessageFault = {},
  ): EndFault {
    const queue: (() => void)[] = []
    return this.#rule(from, to, options, (process, message, pass) => {
      const { pid, scheduler } = process
      this.#note(`"${messageName(message)}" to ${formatPid(pid)} is held back for ${ms} ms`, pid)
      const resume = this.#recorder.aside()
      queue.push(() => {
        resume()
        pass()
      })
      scheduler.clock.set(ms, () => queue.shift()?.())
    })
  }

  /** Messages, casts and calls from one process to another arrive twice. */
  duplicate(from: Destination | 'any', to: Destination, options: MessageFault = {}): EndFault {
    return this.#rule(from, to, options, ({ pid }, message, pass) => {
      this.#note(`"${messageName(message)}" to ${formatPid(pid)} is doubled`, pid)
      const again = this.#recorder.aside()
      for (let i = 0; i < 2; i++) {
        again()
        pass()
      }
    })
  }

  /** The init of a behaviour fails, so many times; its own does not run then. Default once. */
  failInit(
    behaviour: Behaviour | string,
    options: { readonly times?: number; readonly reason?: ExitReason } = {},
  ): EndFault {
    const name = typeof behaviour === 'string' ? behaviour : behaviour.name
    const { times = 1, reason = 'init_failed_by_test' } = options
    this.#inits.set(name, { left: times, reason })
    return () => {
      this.#inits.delete(name)
    }
  }

  /** A thread ends as in an accident, without a word; main hears of it and replaces it, as on a real node. */
  killThread(scheduler: number, cause: LostCause = 'exit'): void {
    this.#note(`thread ${scheduler} ends (${cause})`)
    this.#simulation().kill(scheduler, cause)
  }

  /** A thread stands still: it runs nothing, hears nothing, and no timer of it fires; nobody is told. */
  freezeThread(scheduler: number): void {
    this.#note(`thread ${scheduler} stands still`)
    this.#simulation().freeze(scheduler, true)
  }

  /** A thread that stood still goes on; timers that were due meanwhile fire now. */
  unfreezeThread(scheduler: number): void {
    this.#note(`thread ${scheduler} goes on`)
    this.#simulation().freeze(scheduler, false)
  }

  #note(text: string, pid: Pid = NO_PID): void {
    this.#recorder.note('fault', text, pid)
  }

  #rule(
    from: Destination | 'any',
    to: Destination,
    { count = Number.POSITIVE_INFINITY }: MessageFault,
    act: Rule['act'],
  ): EndFault {
    const rule: Rule = { from, to, left: count, act }
    this.#rules.add(rule)
    return () => {
      this.#rules.delete(rule)
    }
  }

  #strike(process: Process, message: unknown): void {
    for (const strike of this.#strikes) {
      if (!isTarget(strike.target, process.pid, process.name)) continue
      if (--strike.left > 0) continue
      this.#strikes.delete(strike)
      strike.act(process, message)
    }
  }

  takes(process: Process, message: unknown, pass: () => void): boolean {
    if (this.#rules.size === 0) return false
    const sender = this.#recorder.sender(process.pid)
    if (sender === NO_PID) return false
    for (const rule of this.#rules) {
      const { from, to } = rule
      const fits =
        isTarget(to, process.pid, process.name) &&
        (from === 'any' || isTarget(from, sender, this.#recorder.born.get(sender)?.name))
      if (!fits) continue
      if (--rule.left <= 0) this.#rules.delete(rule)
      rule.act(process, message, pass)
      return true
    }
    return false
  }

  instead(behaviour: Behaviour): Behaviour {
    const failing = this.#inits.get(behaviour.name)
    if (failing === undefined) return behaviour
    const { reason } = failing
    if (--failing.left <= 0) this.#inits.delete(behaviour.name)
    this.#note(`init of ${behaviour.name} fails: ${formatReason(reason)}`)
    const { name, delivery, trapExit, containStrays } = behaviour
    return {
      name,
      delivery,
      trapExit,
      containStrays,
      start: () => {
        throw new Exit(reason)
      },
      handle: () => {},
    }
  }
}

function isTarget(target: Destination, pid: Pid, name: string | undefined): boolean {
  return typeof target === 'number' ? target === pid : name !== undefined && target === name
}
