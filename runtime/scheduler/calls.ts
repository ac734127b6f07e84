/**
 * Calls and replies. A call monitors its target under the call's own reference, so that the end of the target, of its
 * thread, or the timeout each end the call once; a late reply finds no pending call and vanishes (otp 73).
 */
import { Exit, type ExitReason } from '../exit/reason.ts'
import { afterDeath } from '../process/afterDeath.ts'
import {
  CallMessage,
  CastMessage,
  type From,
  SystemMessage,
  type SystemRequest,
} from '../process/messages.ts'
import {
  type Alias,
  type Destination,
  formatDestination,
  type Pid,
  type Ref,
  schedulerOf,
} from '../process/pid.ts'
import { type Pending, type Process, Status } from '../process/process.ts'
import { rejectAs } from '../process/strays.ts'
import { systemDelivered } from '../sys/attended.ts'
import { sendToAlias } from './aliases.ts'
import { checkDelay } from './delay.ts'
import { isolate } from './isolate.ts'
import { Op } from './ops.ts'
import type { Scheduler } from './scheduler.ts'
import type { TimerEntry } from './timers.ts'

/** OTP's default for gen_server:call. */
export const CALL_TIMEOUT_MS = 5_000

class PendingCall implements Pending {
  readonly scheduler: number
  readonly #caller: Process
  readonly #target: Pid
  readonly #to: Destination
  readonly #event: string
  readonly #ref: Ref
  readonly #resolve: (value: unknown) => void
  readonly #reject: (reason: unknown) => void
  #timer: TimerEntry | undefined

  constructor(
    caller: Process,
    target: Pid,
    to: Destination,
    event: string,
    ref: Ref,
    timeoutMs: number,
    resolve: (value: unknown) => void,
    reject: (reason: unknown) => void,
  ) {
    this.scheduler = schedulerOf(target)
    this.#caller = caller
    this.#target = target
    this.#to = to
    this.#event = event
    this.#ref = ref
    this.#resolve = resolve
    this.#reject = reject
    if (timeoutMs !== Number.POSITIVE_INFINITY) {
      this.#timer = caller.scheduler.clock.set(timeoutMs, () => {
        this.abandon(ref)
        this.down('timeout')
      })
    }
  }

  reply(value: unknown, watched: boolean): void {
    this.#settle()
    if (watched) this.#unwatch()
    this.#caller.scheduler.awaited = true
    this.#resolve(value)
  }

  down(reason: ExitReason): void {
    this.#settle()
    rejectAs(this.#caller, this.#reject, callFailed(this.#to, this.#event, reason))
  }

  abandon(_ref: Ref): void {
    if (this.#timer !== undefined) this.#caller.scheduler.clock.cancel(this.#timer)
    this.#unwatch()
  }

  #settle(): void {
    this.#caller.pending?.delete(this.#ref)
    if (this.#timer !== undefined) this.#caller.scheduler.clock.cancel(this.#timer)
  }

  #unwatch(): void {
    const { scheduler } = this.#caller
    if (this.scheduler === scheduler.id) {
      scheduler.find(this.#target)?.watchers?.delete(this.#ref)
    } else {
      scheduler.peers.push4(this.scheduler, Op.Demonitor, this.#caller.pid, this.#target, this.#ref)
    }
  }
}

/** The exit of a caller whose call failed: OTP's {Why, {gen_server, call, …}}. */
export function callFailed(to: Destination, event: string, reason: ExitReason): Exit {
  return new Exit({ call: { to: formatDestination(to), event }, reason })
}

export function call(
  scheduler: Scheduler,
  caller: Process,
  to: Destination,
  event: string,
  payload: unknown,
  timeoutMs: number,
  request?: SystemRequest,
): Promise<unknown> {
  checkDelay(timeoutMs)
  if (caller.status === Status.Dead) return afterDeath(caller)
  const known = typeof to === 'number' ? to : scheduler.names.findAfterDrain(to)
  if (known !== undefined) {
    return callPid(scheduler, caller, known, to, event, payload, timeoutMs, request)
  }
  return scheduler.names.whereis(caller, to as string).then((pid) => {
    if (caller.status === Status.Dead) return afterDeath(caller)
    if (pid === undefined) throw callFailed(to, event, 'noproc')
    return callPid(scheduler, caller, pid, to, event, payload, timeoutMs, request)
  })
}

/** A call of sys: the kernel serves it, whatever the behaviour. Functions reach a process of the caller's thread alone. */
export function callSystem(
  caller: Process,
  to: Destination,
  request: SystemRequest,
  argument: unknown,
  timeoutMs: number,
): Promise<unknown> {
  return call(caller.scheduler, caller, to, `sys.${request}`, argument, timeoutMs, request)
}

function callPid(
  scheduler: Scheduler,
  caller: Process,
  pid: Pid,
  to: Destination,
  event: string,
  payload: unknown,
  timeoutMs: number,
  request: SystemRequest | undefined,
): Promise<unknown> {
  const whole =
    !scheduler.development || (request !== undefined && schedulerOf(pid) === scheduler.id)
  const sent = whole ? payload : isolate(payload, caller.pid, to)
  return callIsolated(scheduler, caller, pid, to, event, sent, timeoutMs, request)
}

/** call of a process by its pid, with what is the callee's own already. */
export function callIsolated(
  scheduler: Scheduler,
  caller: Process,
  pid: Pid,
  to: Destination,
  event: string,
  sent: unknown,
  timeoutMs: number,
  request?: SystemRequest,
): Promise<unknown> {
  if (pid === caller.pid) return Promise.reject(callFailed(to, event, 'calling_self'))
  const here = schedulerOf(pid) === scheduler.id
  return new Promise((resolve, reject) => {
    const ref = scheduler.refs.next()
    scheduler.tracer?.calls(caller.pid, pid, ref, event, sent)
    const target = here ? scheduler.find(pid) : undefined
    if (here && target === undefined) {
      reject(callFailed(to, event, 'noproc'))
      return
    }
    const pending = new PendingCall(caller, pid, to, event, ref, timeoutMs, resolve, reject)
    caller.pendingOrNew().set(ref, pending)
    if (target !== undefined) {
      target.watchersOrNew().set(ref, caller.pid)
      if (request === undefined) {
        scheduler.deliver(target, new CallMessage(caller.pid, ref, event, sent))
      } else systemDelivered(target, new SystemMessage({ pid: caller.pid, ref }, request, sent))
    } else if (request === undefined) {
      scheduler.peers.push6(pending.scheduler, Op.Call, caller.pid, pid, ref, event, sent)
    } else scheduler.peers.push6(pending.scheduler, Op.System, caller.pid, pid, ref, request, sent)
  })
}

/** Answers a call, from any process. A second answer, or one that comes too late, goes nowhere. */
export function reply(scheduler: Scheduler, by: Process, from: From, value: unknown): void {
  if (by.status === Status.Dead) return
  answer(scheduler, by, from, value)
}

/** The answer of a process that is about to end, or of the kernel. */
export function answer(scheduler: Scheduler, by: Process, from: From, value: unknown): void {
  const sent = scheduler.development ? isolate(value, by.pid, from.pid) : value
  scheduler.tracer?.replies(by.pid, from.pid, from.ref, sent)
  const unwatched = by.watchers?.delete(from.ref) === true
  if (schedulerOf(from.pid) === scheduler.id) {
    scheduler.answered(from.pid, from.ref, sent, !unwatched)
  } else {
    const home = schedulerOf(from.pid)
    scheduler.peers.push6(home, Op.Reply, by.pid, from.pid, from.ref, sent, unwatched ? 0 : 1)
  }
}

export function cast(
  scheduler: Scheduler,
  by: Pid,
  to: Destination,
  event: string,
  payload: unknown,
): void {
  const pid = typeof to === 'number' ? to : scheduler.names.findAfterDrain(to)
  if (pid === undefined) return
  const sent = scheduler.development ? isolate(payload, by, to) : payload
  scheduler.tracer?.casts(by, pid, event, sent)
  if (schedulerOf(pid) === scheduler.id) {
    const target = scheduler.find(pid)
    if (target !== undefined) scheduler.deliver(target, new CastMessage(event, sent))
  } else scheduler.peers.push5(schedulerOf(pid), Op.Cast, by, pid, event, sent)
}

export function send(
  scheduler: Scheduler,
  by: Pid,
  to: Destination | Alias,
  message: unknown,
): void {
  sendIsolated(scheduler, by, to, scheduler.development ? isolate(message, by, to) : message)
}

/** send, of what is the receiver's own already. */
export function sendIsolated(
  scheduler: Scheduler,
  by: Pid,
  to: Destination | Alias,
  sent: unknown,
): void {
  if (typeof to === 'object') {
    sendToAlias(scheduler, by, to, sent)
    return
  }
  const pid = typeof to === 'number' ? to : scheduler.names.findAfterDrain(to)
  if (pid === undefined) return
  scheduler.tracer?.sends(by, pid, sent)
  if (schedulerOf(pid) === scheduler.id) {
    const target = scheduler.find(pid)
    if (target !== undefined) scheduler.deliver(target, sent)
  } else scheduler.peers.push4(schedulerOf(pid), Op.Send, by, pid, sent)
}
