import { Exit, type ExitReason } from '../exit/reason.ts'
import { afterDeath } from '../process/afterDeath.ts'
import { StopMessage } from '../process/messages.ts'
import { type Destination, type Pid, type Ref, schedulerOf } from '../process/pid.ts'
import { type Pending, type Process, Status } from '../process/process.ts'
import { rejectAs } from '../process/strays.ts'
import { callFailed } from './calls.ts'
import { checkDelay } from './delay.ts'
import { Op } from './ops.ts'
import type { Scheduler } from './scheduler.ts'
import { downReceived } from './signals.ts'

/** gen_server:stop: asks, then waits for the DOWN of the one asked. */
export async function stop(
  scheduler: Scheduler,
  caller: Process,
  to: Destination,
  reason: ExitReason,
  timeoutMs: number,
): Promise<void> {
  checkDelay(timeoutMs)
  if (caller.status === Status.Dead) return afterDeath(caller)
  const pid = typeof to === 'number' ? to : await scheduler.names.whereis(caller, to)
  if (pid === undefined) throw callFailed(to, 'stop', 'noproc')
  if (pid === caller.pid) throw callFailed(to, 'stop', 'calling_self')
  return new Promise((resolve, reject) => {
    const ref = scheduler.refs.next()
    const settle = (): void => {
      caller.pending?.delete(ref)
      if (timer !== undefined) scheduler.clock.cancelRef(timer)
    }
    const fail = (exit: Exit): void => rejectAs(caller, reject, exit)
    const unwatch = (): void => {
      if (schedulerOf(pid) === scheduler.id) scheduler.find(pid)?.watchers?.delete(ref)
      else scheduler.peers.push4(schedulerOf(pid), Op.Demonitor, caller.pid, pid, ref)
    }
    const pending: Pending = {
      scheduler: schedulerOf(pid),
      reply: () => {},
      down: (actual) => {
        settle()
        if (sameReason(actual, reason)) resolve()
        else fail(actual === 'noproc' ? callFailed(to, 'stop', 'noproc') : new Exit(actual))
      },
      abandon: unwatch,
    }
    // On timeout the stop stays queued: only the waiting ends (otp 97).
    const timer =
      timeoutMs === Number.POSITIVE_INFINITY
        ? undefined
        : scheduler.clock.after(caller, timeoutMs, () => {
            unwatch()
            settle()
            fail(callFailed(to, 'stop', 'timeout'))
          })
    caller.pendingOrNew().set(ref, pending)
    ask(scheduler, caller, pid, ref, reason)
  })
}

function ask(scheduler: Scheduler, caller: Process, pid: Pid, ref: Ref, reason: ExitReason): void {
  if (schedulerOf(pid) !== scheduler.id) {
    scheduler.peers.push5(schedulerOf(pid), Op.Stop, caller.pid, pid, ref, reason)
    return
  }
  const target = scheduler.find(pid)
  if (target === undefined) {
    downReceived(scheduler, caller.pid, ref, 'noproc')
    return
  }
  target.watchersOrNew().set(ref, caller.pid)
  scheduler.deliverUrgent(target, new StopMessage({ pid: caller.pid, ref }, reason))
}

function sameReason(a: ExitReason, b: ExitReason): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b)
}
