/** What every kind of supervisor does alike: which message means what, starting, stopping, counting and reporting. */
import { BeamishError } from '../errors.ts'
import { publish, type SupervisorReport } from '../events.ts'
import { type ExitReason, plain, reasonOf } from '../exit/reason.ts'
import type { Behaviour } from '../process/behaviour.ts'
import { CallMessage, ExitMessage, KernelMessage, StopMessage } from '../process/messages.ts'
import { formatPid, type Pid } from '../process/pid.ts'
import { type Process, type StartResult, Status } from '../process/process.ts'
import { answer } from '../scheduler/calls.ts'
import { isPinned, place } from '../scheduler/placement.ts'
import { start } from '../scheduler/starts.ts'
import type { ChildSpec } from './childSpec.ts'
import { Intensity } from './intensity.ts'
import { Losses } from './losses.ts'
import { isShutdownError } from './policy.ts'
import { stopChild } from './stopChild.ts'

export interface Child {
  readonly spec: ChildSpec
  /** undefined: it has no process now. */
  pid: Pid | undefined
  /** Its start failed and is tried again by this message. */
  retry: Retry | undefined
}

/** A start that failed. */
export type Failure = StartResult & { readonly ok: false }

/** Tries again to start a child: a message of the supervisor to itself, so that other requests come in between. */
export class Retry extends KernelMessage {
  readonly child: Child
  /** How the last attempt failed. */
  readonly failure: Failure
  /** For a child that waits for its thread: what its restart has yet to start, itself first. */
  readonly rest: readonly Child[]
  constructor(child: Child, failure: Failure, rest: readonly Child[] = []) {
    super()
    this.child = child
    this.failure = failure
    this.rest = rest
  }
}

/** How often a child that waits for its thread is tried again. */
const WAIT_MS = 50

/** No thread runs now that could take it: nobody's fault, so it waits and nothing counts. Told by identity. */
export const NOBODY: Failure = { ok: false, reason: 'noproc' }

/**
 * The thread it is pinned to was lost, and its id is never used again: it is reported once and not tried again. Told by
 * identity.
 */
export const GONE: Failure = { ok: false, reason: 'noproc' }

export class Bookkeeping {
  readonly intensity: Intensity
  readonly losses: Losses = new Losses()
  constructor({ maxRestarts, maxSeconds }: { maxRestarts: number; maxSeconds: number }) {
    this.intensity = new Intensity(maxRestarts, maxSeconds)
  }
}

export abstract class Supervising implements Behaviour {
  readonly delivery = 'handle'
  readonly trapExit = true
  abstract readonly name: string

  abstract start(process: Process, argument: unknown): unknown
  /** Its children as they are written down now, those without a process too; for who looks on from outside. */
  abstract kept(process: Process): Iterable<Child>
  /** A link partner ended. */
  protected abstract childExited(process: Process, pid: Pid, reason: ExitReason): unknown
  /** Answers a call; what it throws is the reason of a refusal. */
  protected abstract called(process: Process, event: string, payload: unknown): unknown
  /** Starts a child again that ended or did not start, for a reason that counts or not. */
  protected abstract restart(process: Process, child: Child, counts: boolean): unknown
  /** Goes on with a restart that waited for a thread. */
  protected abstract resume(process: Process, retry: Retry): unknown
  protected abstract stopAll(process: Process): Promise<void>

  handle(process: Process, message: unknown): unknown {
    if (message instanceof ExitMessage) {
      if (message.from === process.parent) return this.stop(process, message.reason)
      return this.childExited(process, message.from, message.reason)
    }
    if (message instanceof StopMessage) return this.stop(process, message.reason)
    if (message instanceof CallMessage) return this.#answer(process, message)
    if (message instanceof Retry) {
      const { child, failure } = message
      // Stopped, or started by another restart, while its retry was waiting.
      if (child.retry !== message) return undefined
      if (failure === NOBODY) return this.resume(process, message)
      return this.restart(process, child, this.counts(process, failure.reason))
    }
    publish('notice', () => ({
      level: 'warn',
      code: 'unhandled_info',
      message: `supervisor ${formatPid(process.pid)} got a message it has no use for: dropped`,
    }))
    return undefined
  }

  async #answer(process: Process, call: CallMessage): Promise<void> {
    let value: unknown
    try {
      value = await this.called(process, call.event, call.payload)
    } catch (thrown) {
      value = { ok: false, reason: reasonOf(thrown) } satisfies StartResult
    }
    answer(process.scheduler, process, call, value)
  }

  crashed(process: Process, thrown: unknown): unknown {
    const reason = plain(reasonOf(thrown))
    process.scheduler.report(process, reason, process.lastMessage)
    return this.stop(process, reason)
  }

  protected async stop(process: Process, reason: ExitReason): Promise<void> {
    await this.stopAll(process)
    process.scheduler.exit(process, plain(reason))
  }

  /** Starts the process of a spec; what keeps it from starting is an answer, never a throw. */
  protected async launch(process: Process, spec: ChildSpec): Promise<StartResult> {
    try {
      return await this.startPlaced(process, spec)
    } catch (thrown) {
      return { ok: false, reason: reasonOf(thrown) }
    }
  }

  /** Where it goes is the one thing the root does differently. It may throw, too. */
  protected startPlaced(process: Process, spec: ChildSpec): Promise<StartResult> {
    if (spec.place === 'each') {
      throw new BeamishError('BEAMISH_BAD_CHILD', {
        child: `"${spec.id}"`,
        fix: 'place "each" works at the root of an app only',
      })
    }
    return this.startOn(process, spec, place(process.scheduler, spec.place))
  }

  /** Not on a thread that still boots or is about to be replaced, unless this one or the one it is pinned to. */
  protected startOn(process: Process, spec: ChildSpec, target: number): Promise<StartResult> {
    const { id, board } = process.scheduler
    const may = target === id || isPinned(spec.place) || board.runs(target)
    return may ? this.startAt(process, spec, target) : Promise.resolve(NOBODY)
  }

  protected startAt(
    process: Process,
    { behaviour, argument, name, place, flags }: ChildSpec,
    target: number,
  ): Promise<StartResult> {
    const { scheduler } = process
    const options = { link: true, ack: true, name, ...flags }
    return start(scheduler, process, target, behaviour, argument, options).result.then((result) => {
      if (result.ok || result.reason !== 'noproc') return result
      if (isPinned(place)) return scheduler.peers.isGone(target) ? GONE : result
      // The thread chosen for it was lost on the way; the next choice is another one.
      return target === scheduler.id || scheduler.peers.has(target) ? result : NOBODY
    })
  }

  /** Ends the process of a child, if it has one. */
  protected async end(process: Process, child: Child): Promise<void> {
    const { pid, spec } = child
    if (pid === undefined) return
    const reason = await stopChild(process, pid, spec.shutdown)
    child.pid = undefined
    if (this.isUnexpected(spec, reason)) {
      this.report(process, 'shutdown_error', child, pid, reason)
    }
  }

  protected isUnexpected({ restart, shutdown }: ChildSpec, reason: ExitReason): boolean {
    return isShutdownError(restart, shutdown, reason)
  }

  /** Whether a restart for this reason counts. */
  protected counts(process: Process, reason: ExitReason): boolean {
    return (process.state as Bookkeeping).losses.counts(reason)
  }

  /** Counts a restart; false, and a report, when it is one too many. */
  protected mayRestart(process: Process, child: Child, counts: boolean): boolean {
    const { intensity } = process.state as Bookkeeping
    if (!counts || intensity.add(process.scheduler.host.now())) return true
    this.report(process, 'shutdown', child, undefined, 'reached_max_restart_intensity')
    return false
  }

  protected tryAgain(process: Process, child: Child, failure: Failure): void {
    if (process.status === Status.Dead) return
    this.report(process, 'start_error', child, undefined, failure.reason)
    child.retry = new Retry(child, failure)
    process.scheduler.deliver(process, child.retry)
  }

  /** Its place is taken by a thread that is not there yet. */
  protected awaitPlace(process: Process, child: Child, rest: readonly Child[]): void {
    const retry = new Retry(child, NOBODY, rest)
    child.retry = retry
    const { scheduler } = process
    scheduler.clock.after(process, WAIT_MS, () => scheduler.deliver(process, retry))
  }

  /** Resolves when it is worth another look for the thread of a child. */
  protected placeMayBe(process: Process): Promise<void> {
    return new Promise((resolve) => {
      process.scheduler.clock.after(process, WAIT_MS, resolve)
    })
  }

  protected report(
    process: Process,
    context: SupervisorReport['context'],
    child: Child,
    pid: Pid | undefined,
    reason: ExitReason,
    initial = false,
  ): void {
    publish('supervisor', () => ({
      initial,
      supervisor: process.name ?? formatPid(process.pid),
      context,
      child: child.spec.id,
      pid,
      reason,
    }))
  }
}
