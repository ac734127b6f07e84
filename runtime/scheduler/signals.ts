/**
 * Links, monitors and exit signals. Within a thread they act at once; to another thread they are queued in order with
 * everything else that goes there (OTP: signals of all kinds between two processes keep their order).
 */

import { BeamishError } from '../errors.ts'
import { Exit, type ExitReason, plain } from '../exit/reason.ts'
import { type SignalKind, signalEffect } from '../exit/rules.ts'
import { monitorEnded } from '../process/aliases.ts'
import { applyUnlink, covers, type Link, type LinkView, LOCAL_LINK } from '../process/links.ts'
import { DownMessage, ExitMessage } from '../process/messages.ts'
import { formatPid, NO_PID, type Pid, type Ref, schedulerOf } from '../process/pid.ts'
import { type MonitorTarget, type Process, Status, targetPid } from '../process/process.ts'
import { Op } from './ops.ts'
import type { Scheduler } from './scheduler.ts'

/** Delivers an exit signal to a local process by the table in exit/rules.ts. */
export function exitSignal(
  scheduler: Scheduler,
  to: Process,
  from: Pid,
  reason: ExitReason,
  kind: SignalKind,
): void {
  if (to.status === Status.Dead) return
  const effect = signalEffect(kind, reason, to.trapExit)
  scheduler.tracer?.signalled(to, from, reason, kind, effect)
  if (effect.do === 'message') {
    const message = new ExitMessage(from, reason)
    if (from === to.parent) scheduler.deliverUrgent(to, message)
    else scheduler.deliver(to, message)
  } else if (effect.do === 'die') scheduler.exit(to, effect.reason)
}

/** exit(pid, reason) by `from`. */
export function sendExit(scheduler: Scheduler, from: Pid, to: Pid, reason: ExitReason): void {
  if (schedulerOf(to) === scheduler.id) {
    const target = scheduler.find(to)
    if (target !== undefined) {
      exitSignal(scheduler, target, from, reason, from === to ? 'self' : 'exit')
    }
  } else scheduler.peers.push4(schedulerOf(to), Op.Exit, from, to, reason)
}

export function link(scheduler: Scheduler, process: Process, to: Pid): void {
  if (to === process.pid || process.links?.has(to)) return
  const home = schedulerOf(to)
  scheduler.tracer?.links(process.pid, to)
  if (home === scheduler.id) {
    const peer = scheduler.find(to)
    if (peer !== undefined) {
      process.linksOrNew().set(to, LOCAL_LINK)
      peer.linksOrNew().set(process.pid, LOCAL_LINK)
    } else if (process.trapExit) scheduler.deliver(process, new ExitMessage(to, 'noproc'))
    else {
      const error = new BeamishError('BEAMISH_NOT_LINKABLE', { pid: formatPid(to) })
      throw Object.assign(new Exit('noproc'), { message: error.message, cause: error })
    }
    return
  }
  const id = ++scheduler.linkIds
  process.linksOrNew().set(to, { mine: id, theirs: 0 })
  scheduler.peers.push4(home, Op.Link, process.pid, to, id)
}

export function unlink(scheduler: Scheduler, process: Process, to: Pid): void {
  const link = process.links?.get(to)
  if (link === undefined) return
  process.links?.delete(to)
  scheduler.tracer?.unlinks(process.pid, to)
  if (schedulerOf(to) === scheduler.id) scheduler.find(to)?.links?.delete(process.pid)
  else scheduler.peers.push5(schedulerOf(to), Op.Unlink, process.pid, to, link.mine, link.theirs)
}

/** A LINK from another thread. */
export function linkReceived(scheduler: Scheduler, to: Pid, from: Pid, id: number): void {
  const process = scheduler.find(to)
  if (process === undefined) {
    scheduler.peers.push6(schedulerOf(from), Op.LinkExit, to, from, 0, id, 'noproc')
    return
  }
  const known = process.links?.get(from)
  if (known === undefined) process.linksOrNew().set(from, { mine: 0, theirs: id })
  else known.theirs = id
}

export function unlinkReceived(scheduler: Scheduler, to: Pid, from: Pid, view: LinkView): void {
  const process = scheduler.find(to)
  const known = process?.links?.get(from)
  if (known !== undefined && applyUnlink(known, view)) process?.links?.delete(from)
}

/** The link partner on another thread ended. */
export function linkExitReceived(
  scheduler: Scheduler,
  to: Pid,
  from: Pid,
  view: LinkView,
  reason: ExitReason,
): void {
  const process = scheduler.find(to)
  const known = process?.links?.get(from)
  if (process === undefined || known === undefined || !covers(known, view)) return
  process.links?.delete(from)
  exitSignal(scheduler, process, from, reason, 'link')
}

/** Starts to monitor; `ref` may be a call's. A target that does not exist answers DOWN with noproc. */
export function monitor(
  scheduler: Scheduler,
  process: Process,
  target: MonitorTarget,
  ref: Ref,
): void {
  const pid = targetPid(target)
  if (pid === NO_PID) {
    down(scheduler, process, ref, target, 'noproc')
    return
  }
  process.monitorsOrNew().set(ref, target)
  scheduler.tracer?.monitors(process.pid, pid, ref)
  if (schedulerOf(pid) !== scheduler.id) {
    scheduler.peers.push4(schedulerOf(pid), Op.Monitor, process.pid, pid, ref)
    return
  }
  const peer = scheduler.find(pid)
  if (peer !== undefined) peer.watchersOrNew().set(ref, process.pid)
  else downReceived(scheduler, process.pid, ref, 'noproc')
}

/** Ends a monitor. False when it had fired or never was. */
export function demonitor(scheduler: Scheduler, process: Process, ref: Ref): boolean {
  const target = process.monitors?.get(ref)
  if (target === undefined) return false
  process.monitors?.delete(ref)
  if (process.aliases !== undefined) monitorEnded(process.aliases, ref)
  const pid = targetPid(target)
  if (schedulerOf(pid) === scheduler.id) scheduler.find(pid)?.watchers?.delete(ref)
  else scheduler.peers.push4(schedulerOf(pid), Op.Demonitor, process.pid, pid, ref)
  return true
}

/** A DOWN for `ref`: settles a pending call, or becomes a message if the monitor still stands. */
export function downReceived(scheduler: Scheduler, to: Pid, ref: Ref, reason: ExitReason): void {
  const process = scheduler.find(to)
  if (process === undefined) return
  const pending = process.pending?.get(ref)
  if (pending !== undefined) {
    pending.down(reason)
    return
  }
  const target = process.monitors?.get(ref)
  if (target === undefined) return
  process.monitors?.delete(ref)
  down(scheduler, process, ref, target, reason)
}

function down(
  scheduler: Scheduler,
  process: Process,
  ref: Ref,
  target: MonitorTarget,
  reason: ExitReason,
): void {
  if (process.aliases !== undefined) monitorEnded(process.aliases, ref)
  const message =
    typeof target === 'number'
      ? new DownMessage(ref, target, reason)
      : new DownMessage<string>(ref, target.name ?? target.pid, reason, target.tag)
  scheduler.deliver(process, message)
}

/**
 * Tells everyone concerned that a process is dead, in the order OTP promises: its names and subscriptions are gone
 * before the first EXIT or DOWN can be seen anywhere.
 */
export function announceExit(scheduler: Scheduler, process: Process): void {
  const { pid } = process
  const reason = plain(process.exitReason)
  scheduler.names.forget(process)
  scheduler.pubsub.forget(process)
  scheduler.registries.forget(process)
  if (process.timers !== undefined) scheduler.clock.release(process)
  const { monitors, pending, watchers, links, ack } = process
  if (pending !== undefined) {
    for (let one = pending.first; one !== undefined; one = one.next) one.value.abandon(one.key)
  }
  if (monitors !== undefined) {
    for (let one = monitors.first; one !== undefined; one = one.next) {
      const ref = one.key
      const watched = targetPid(one.value)
      if (schedulerOf(watched) === scheduler.id) scheduler.find(watched)?.watchers?.delete(ref)
      else scheduler.peers.push4(schedulerOf(watched), Op.Demonitor, pid, watched, ref)
    }
  }
  // A starter learns of a failed init from the outcome alone: the exit signal is consumed (OTP 26).
  if (ack !== undefined) {
    links?.delete(ack.pid)
    scheduler.started(process, { ok: false, reason, ignored: process.ignored })
  }
  if (links !== undefined) {
    for (let one = links.first; one !== undefined; one = one.next) {
      announceToLink(scheduler, pid, one.key, one.value, reason)
    }
  }
  if (watchers !== undefined) {
    for (let one = watchers.first; one !== undefined; one = one.next) {
      const { key: ref, value: watcher } = one
      if (schedulerOf(watcher) === scheduler.id) downReceived(scheduler, watcher, ref, reason)
      else scheduler.peers.push5(schedulerOf(watcher), Op.Down, pid, watcher, ref, reason)
    }
  }
  process.released(reason)
}

function announceToLink(
  scheduler: Scheduler,
  pid: Pid,
  to: Pid,
  known: Link,
  reason: ExitReason,
): void {
  if (schedulerOf(to) !== scheduler.id) {
    const home = schedulerOf(to)
    scheduler.peers.push6(home, Op.LinkExit, pid, to, known.mine, known.theirs, reason)
    return
  }
  const peer = scheduler.find(to)
  if (peer === undefined) return
  peer.links?.delete(pid)
  exitSignal(scheduler, peer, pid, reason, 'link')
}

/** All processes of a lost thread are gone: fires every link, monitor and call that pointed there. */
export function schedulerLost(scheduler: Scheduler, lost: number, reason: ExitReason): void {
  for (const process of [...scheduler.slots]) {
    for (const [ref, call] of [...(process.pending ?? [])]) {
      if (call.scheduler === lost) downReceived(scheduler, process.pid, ref, reason)
    }
    for (const [ref, target] of [...(process.monitors ?? [])]) {
      if (schedulerOf(targetPid(target)) === lost) {
        downReceived(scheduler, process.pid, ref, reason)
      }
    }
    for (const to of [...(process.links?.keys() ?? [])]) {
      if (schedulerOf(to) !== lost) continue
      process.links?.delete(to)
      exitSignal(scheduler, process, to, reason, 'link')
    }
    for (const [ref, watcher] of [...(process.watchers ?? [])]) {
      if (schedulerOf(watcher) === lost) process.watchers?.delete(ref)
    }
  }
}
