/**
 * Messages that are lost, late or doubled on their way from one process to another, answers of calls and tasks among them. What
 * the runtime says itself (exit signals, links, monitors, DOWNs, stops) is not: between threads that live it always arrives.
 */
import { BeamishError } from '../errors.ts'
import { safeText } from '../exit/reason.ts'
import { type Destination, formatPid, NO_PID, type Pid, type Ref } from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import { checkDelay } from '../scheduler/delay.ts'
import { whole } from '../supervisor/spec.ts'
import type { Passing, Recorder } from './recorder.ts'

const KINDS = ['send', 'cast', 'call', 'reply', 'broadcast'] as const

/** A message that a fault can strike. `reply` is the answer of a call or a task, `broadcast` what PubSub brings. */
export type MessageKind = (typeof KINDS)[number]

export interface MessageFault {
  /** How many messages it strikes. Default: all, until it is ended. */
  readonly count?: number
  /** Only messages of these kinds. Default: all. */
  readonly kinds?: readonly MessageKind[]
}

/** Ends a fault that goes on. */
export type EndFault = () => void

/** A message at its receiver. */
interface Struck {
  readonly to: Process
  /** As the timeline has it. */
  readonly text: string
  /** It arrives, now or later, as often as it is called. */
  readonly pass: () => void
  /** It will not. */
  readonly lose: () => void
}

interface Rule {
  readonly from: Destination | 'any'
  readonly to: Destination
  readonly kinds: readonly MessageKind[]
  left: number
  readonly act: (struck: Struck) => void
}

export class MessageFaults {
  readonly #recorder: Recorder
  readonly #find: (pid: Pid) => Process | undefined
  readonly #rules = new Set<Rule>()

  constructor(recorder: Recorder, find: (pid: Pid) => Process | undefined) {
    this.#recorder = recorder
    this.#find = find
  }

  drop(from: Destination | 'any', to: Destination, options: MessageFault): EndFault {
    return this.#rule(from, to, options, ({ to: { pid }, text, lose }) => {
      this.#note(`${text} to ${formatPid(pid)} is dropped`, pid)
      this.#recorder.dropped()
      lose()
    })
  }

  delay(from: Destination | 'any', to: Destination, ms: number, options: MessageFault): EndFault {
    checkDelay(ms)
    // Of each receiver its own: a name may move to another thread, and the timers of a lost one never ring.
    const queues = new Map<Pid, (() => void)[]>()
    return this.#rule(from, to, options, ({ to: { pid, scheduler }, text, pass }) => {
      this.#note(`${text} to ${formatPid(pid)} is held back for ${ms} ms`, pid)
      const resume = this.#recorder.aside()
      const queue = queues.get(pid) ?? []
      queues.set(pid, queue)
      queue.push(() => {
        resume()
        pass()
      })
      scheduler.clock.set(ms, () => queue.shift()?.())
    })
  }

  duplicate(from: Destination | 'any', to: Destination, options: MessageFault): EndFault {
    return this.#rule(from, to, options, ({ to: { pid }, text, pass }) => {
      this.#note(`${text} to ${formatPid(pid)} is doubled`, pid)
      const again = this.#recorder.aside()
      for (let i = 0; i < 2; i++) {
        again()
        pass()
      }
    })
  }

  #note(text: string, pid: Pid): void {
    this.#recorder.note('fault', text, pid)
  }

  #rule(
    from: Destination | 'any',
    to: Destination,
    { count, kinds = KINDS }: MessageFault,
    act: Rule['act'],
  ): EndFault {
    checkTarget('from', from)
    checkTarget('to', to)
    checkKinds(kinds)
    const left = count === undefined ? Number.POSITIVE_INFINITY : whole('count', count, 1)
    const rule: Rule = { from, to, kinds, left, act }
    this.#rules.add(rule)
    return () => {
      this.#rules.delete(rule)
    }
  }

  /** A message on its way into a mailbox; see Interference. */
  takes(to: Process, message: unknown, pass: () => void): boolean {
    if (this.#rules.size === 0) return false
    const passing = this.#recorder.passing(to.pid, message)
    return this.#strikes(to, passing, pass, () => {})
  }

  /** An answer on its way to who awaits it; see Interference. */
  answers(to: Process | undefined, ref: Ref, watched: boolean, pass: () => void): void {
    const give = (): void => {
      this.#recorder.answered(to?.pending?.has(ref) === true)
      pass()
    }
    const passing = to === undefined ? undefined : this.#recorder.passing(to.pid)
    if (to === undefined || passing === undefined) {
      give()
      return
    }
    const lose = (): void => {
      if (!watched) this.#watch(passing.from, to, ref)
    }
    if (!this.#strikes(to, passing, give, lose)) give()
  }

  /** Makes the end of who answered heard again. */
  #watch(by: Pid, to: Process, ref: Ref): void {
    const process = this.#find(by)
    const end = this.#recorder.ends.get(by)
    if (process !== undefined) process.watchersOrNew().set(ref, to.pid)
    else if (end !== undefined) to.pending?.get(ref)?.down(end.reason)
  }

  /** What it is called; of one that has ended, as it was born. */
  #nameOf(pid: Pid): string | undefined {
    const process = this.#find(pid)
    return process === undefined ? this.#recorder.born.get(pid)?.name : process.name
  }

  #strikes(to: Process, passing: Passing | undefined, pass: () => void, lose: () => void): boolean {
    if (passing === undefined) return false
    const { from, kind, name } = passing
    for (const rule of this.#rules) {
      const fits =
        rule.kinds.includes(kind) &&
        isTarget(rule.to, to.pid, to.name) &&
        (rule.from === 'any' || isTarget(rule.from, from, this.#nameOf(from)))
      if (!fits) continue
      if (--rule.left <= 0) this.#rules.delete(rule)
      const text = kind === 'reply' ? `the reply to "${name}"` : `"${name}"`
      rule.act({ to, text, pass, lose })
      return true
    }
    return false
  }
}

/** Whether a fault that is for `target` strikes that process. */
export function isTarget(target: Destination, pid: Pid, name: string | undefined): boolean {
  return typeof target === 'number' ? target === pid : name !== undefined && target === name
}

export function checkTarget(option: string, target: unknown): void {
  if (typeof target === 'number' && target !== NO_PID) return
  if (typeof target === 'string' && target !== '') return
  throw badOption(option, target, 'give a pid, or the name of a process')
}

function checkKinds(kinds: readonly unknown[]): void {
  for (const kind of kinds) {
    if ((KINDS as readonly unknown[]).includes(kind)) continue
    throw badOption(
      'kinds',
      kind,
      `use some of ${KINDS.join(', ')}; exit signals, links, monitors and DOWNs always arrive while both threads live, as in OTP: faults.killThread() loses what is on its way, faults.freezeThread() holds it up`,
    )
  }
}

export function badOption(option: string, got: unknown, fix: string): BeamishError {
  return new BeamishError('BEAMISH_BAD_OPTION', { option, got: safeText(got, 50), fix })
}
