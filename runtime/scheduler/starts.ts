/**
 * Starting processes, here or on another thread, linked or monitored from birth, and waiting for the outcome of their
 * init. The starter of a failed init gets the outcome and no separate exit signal (OTP 26).
 */

import { Exit, type ExitReason, plain, reasonOf } from '../exit/reason.ts'
import { afterDeath } from '../process/afterDeath.ts'
import type { Behaviour } from '../process/behaviour.ts'
import { type Flags, flagsOf } from '../process/flags.ts'
import { LOCAL_LINK } from '../process/links.ts'
import { NO_PID, type Pid, type Ref, schedulerOf } from '../process/pid.ts'
import { type Pending, type Process, type StartResult, Status } from '../process/process.ts'
import { isolate } from './isolate.ts'
import { Op } from './ops.ts'
import type { Scheduler } from './scheduler.ts'
import { exitSignal, sendExit } from './signals.ts'
import type { TimerEntry } from './timers.ts'

export interface StartOptions extends Flags {
  readonly name?: string
  readonly link?: boolean
  readonly monitor?: boolean
  /** Milliseconds init may take; then the process is killed and the start answers timeout. Default Infinity. */
  readonly timeoutMs?: number
}

/** What the kernel's own starts may ask for beyond that. */
interface Asked extends StartOptions {
  readonly ack: boolean
  /** The reference of the start and its monitor, when something else has to know it before. */
  readonly ref?: Ref
  /** Takes the place of a start that is through, in the same step: a DOWN right behind it is for this one. */
  readonly heir?: Pending
  /** The argument goes by reference to a process of this thread: it is a function. */
  readonly shared?: boolean
}

/** What a Spawn signal carries. */
export interface RemoteSpawn {
  readonly behaviour: string
  readonly argument: unknown
  readonly name: string | undefined
  /** Id of the link, or 0. */
  readonly link: number
  readonly monitor: boolean
  readonly ack: boolean
  readonly ancestors: readonly Pid[]
  readonly flags: Flags | undefined
  readonly groupLeader: Pid | undefined
}

class PendingStart implements Pending {
  readonly scheduler: number
  readonly #starter: Process
  readonly #ref: Ref
  readonly #request: Asked & { linkId: number }
  readonly #resolve: (result: StartResult) => void
  #pid: Pid = NO_PID
  #timer: TimerEntry | undefined

  constructor(
    starter: Process,
    scheduler: number,
    ref: Ref,
    request: Asked & { linkId: number },
    resolve: (result: StartResult) => void,
  ) {
    this.#starter = starter
    this.scheduler = scheduler
    this.#ref = ref
    this.#request = request
    this.#resolve = resolve
    const { timeoutMs } = request
    if (timeoutMs !== undefined && timeoutMs !== Number.POSITIVE_INFINITY) {
      this.#timer = starter.scheduler.clock.set(timeoutMs, () => this.#timedOut())
    }
  }

  /** The pid is known; links and monitors hold from here on. */
  spawned(pid: Pid, reason: ExitReason): void {
    if (pid === NO_PID) {
      this.finish({ ok: false, reason })
      return
    }
    this.#pid = pid
    const { link, monitor, linkId, ack } = this.#request
    if (schedulerOf(pid) !== this.#starter.scheduler.id) {
      if (link === true) this.#starter.linksOrNew().set(pid, { mine: linkId, theirs: 0 })
      // A pending start stands under the same reference: the monitor takes over once it is through.
      if (monitor === true) this.#starter.monitorsOrNew().set(this.#ref, pid)
    }
    if (!ack) this.finish({ ok: true, pid })
  }

  finish(result: StartResult): void {
    const { heir } = this.#request
    if (result.ok && heir !== undefined) this.#starter.pending?.set(this.#ref, heir)
    else this.#starter.pending?.delete(this.#ref)
    if (this.#timer !== undefined) this.#starter.scheduler.clock.cancel(this.#timer)
    if (!result.ok) {
      if (this.#pid !== NO_PID) this.#starter.links?.delete(this.#pid)
      this.#starter.monitors?.delete(this.#ref)
    }
    this.#resolve(result)
    if (!result.ok && this.#request.link === true && result.ignored !== true) {
      // start_link of a failing init takes a starter along that does not trap exits (otp 64); a taken name does not.
      if (isAlreadyStarted(result.reason)) return
      if (!this.#starter.trapExit) {
        const { scheduler } = this.#starter
        exitSignal(scheduler, this.#starter, this.#pid, result.reason, 'link')
      }
    }
  }

  reply(value: unknown): void {
    this.finish(value as StartResult)
  }

  down(reason: ExitReason): void {
    this.finish({ ok: false, reason })
  }

  abandon(): void {
    if (this.#timer !== undefined) this.#starter.scheduler.clock.cancel(this.#timer)
  }

  #timedOut(): void {
    // The answer first: within a thread the kill acts at once, and would be taken for the outcome of init.
    this.finish({ ok: false, reason: 'timeout' })
    const { scheduler, pid } = this.#starter
    if (this.#pid !== NO_PID) sendExit(scheduler, pid, this.#pid, 'kill')
  }
}

function isAlreadyStarted(reason: ExitReason): boolean {
  return typeof reason === 'object' && reason !== null && 'alreadyStarted' in reason
}

/** Spawns and, with `ack`, waits for init. On another thread the promise resolves once the pid or the outcome is known. */
export function start(
  scheduler: Scheduler,
  starter: Process,
  target: number,
  behaviour: Behaviour | string,
  argument: unknown,
  options: Asked,
): { readonly ref: Ref; readonly result: Promise<StartResult> } {
  const ref = options.ref ?? scheduler.refs.next()
  if (starter.status === Status.Dead) return { ref, result: afterDeath(starter) }
  const linkId = options.link === true && target !== scheduler.id ? ++scheduler.linkIds : 0
  const { promise, resolve } = Promise.withResolvers<StartResult>()
  const pending = new PendingStart(starter, target, ref, { ...options, linkId }, resolve)
  starter.pendingOrNew().set(ref, pending)
  const name = typeof behaviour === 'string' ? behaviour : behaviour.name
  const isolates = scheduler.development && options.shared !== true
  const sent = isolates ? isolate(argument, starter.pid, name) : argument
  if (target === scheduler.id) {
    try {
      const found = typeof behaviour === 'string' ? scheduler.behaviour(behaviour) : behaviour
      const child = spawnHere(scheduler, starter, found, sent, options, ref)
      pending.spawned(child.pid, 'normal')
    } catch (thrown) {
      pending.spawned(NO_PID, reasonOf(thrown))
    }
  } else {
    const request: RemoteSpawn = {
      behaviour: name,
      argument: sent,
      name: options.name,
      link: linkId,
      monitor: options.monitor === true,
      ack: options.ack,
      ancestors: starter.lineage,
      flags: flagsOf(options),
      groupLeader: starter.groupLeader,
    }
    scheduler.peers.push4(target, Op.Spawn, starter.pid, ref, request)
  }
  return { ref, result: promise }
}

/** A synchronous spawn on this thread; `ref` is the monitor's and the ack's. */
export function spawnHere(
  scheduler: Scheduler,
  starter: Process,
  behaviour: Behaviour,
  argument: unknown,
  options: StartOptions & { readonly ack?: boolean },
  ref: Ref,
): Process {
  const { pid } = starter
  const child = scheduler.spawn(behaviour, argument, {
    parent: pid,
    ancestors: starter.lineage,
    groupLeader: starter.groupLeader,
    link: options.link === true ? { pid, link: LOCAL_LINK } : undefined,
    watcher: options.monitor === true ? { pid, ref } : undefined,
    ack: options.ack === true ? { pid, ref } : undefined,
    name: options.name,
    flags: flagsOf(options),
  })
  if (options.link === true) starter.linksOrNew().set(child.pid, LOCAL_LINK)
  if (options.monitor === true) starter.monitorsOrNew().set(ref, child.pid)
  return child
}

/** A Spawn signal from another thread. */
export function spawnReceived(
  scheduler: Scheduler,
  from: Pid,
  ref: Ref,
  request: RemoteSpawn,
): void {
  const home = schedulerOf(from)
  try {
    const child = scheduler.spawn(scheduler.behaviour(request.behaviour), request.argument, {
      parent: from,
      ancestors: request.ancestors,
      groupLeader: request.groupLeader,
      link: request.link === 0 ? undefined : { pid: from, link: { mine: 0, theirs: request.link } },
      watcher: request.monitor ? { pid: from, ref } : undefined,
      ack: request.ack ? { pid: from, ref } : undefined,
      name: request.name,
      flags: request.flags,
    })
    scheduler.peers.push6(home, Op.Spawned, child.pid, from, ref, child.pid, null)
  } catch (thrown) {
    scheduler.peers.push6(home, Op.Spawned, NO_PID, from, ref, NO_PID, plain(reasonOf(thrown)))
  }
}

/** The pid of a process asked for on another thread. A starter that is dead by now unlinks it the way death does. */
export function spawnedReceived(
  scheduler: Scheduler,
  to: Pid,
  ref: Ref,
  pid: Pid,
  reason: ExitReason,
): void {
  const starter = scheduler.find(to)
  const pending = starter?.pending?.get(ref)
  if (pending instanceof PendingStart) {
    pending.spawned(pid, reason)
    return
  }
  if (pid === NO_PID) return
  if (starter !== undefined) {
    // Its start timed out before the pid was known: it ends now, as it would have then (otp 66).
    sendExit(scheduler, to, pid, 'kill')
    return
  }
  const home = schedulerOf(pid)
  // Everything the starter ever linked with is below this id, so the signal covers the link made at birth.
  scheduler.peers.push6(home, Op.LinkExit, to, pid, scheduler.linkIds, 0, 'noproc')
  scheduler.peers.push4(home, Op.Demonitor, to, pid, ref)
}

/**
 * What start() rejects with: `reason` says why as data.
 *
 * @example
 * ```ts
 * import { process, StartError } from 'beamish'
 * export const Starter = process('doc-starter', async (self) => {
 *   try { await self.start(Starter, undefined, { name: 'only-one' }) }
 *   catch (error) { if (error instanceof StartError) console.log(error.reason) }
 * })
 * ```
 */
export class StartError extends Exit {
  /** init answered ignore(). */
  readonly ignored: boolean
  constructor(result: StartResult & { ok: false }) {
    super(result.reason)
    this.name = 'StartError'
    this.ignored = result.ignored === true
  }
}
