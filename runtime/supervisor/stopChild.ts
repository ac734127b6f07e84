/**
 * Stopping a child the way OTP does: monitor, exit(shutdown), wait, kill, wait; then its EXIT is taken out of the mailbox,
 * so that an end we asked for is never taken for one to restart after.
 */
import type { ExitReason } from '../exit/reason.ts'
import { ExitMessage } from '../process/messages.ts'
import { type Pid, schedulerOf } from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import { monitor, sendExit, unlink } from '../scheduler/signals.ts'
import type { Shutdown } from './childSpec.ts'

/** Resolves with the reason the child ended for, be it before it was told to. */
export async function stopChild(
  supervisor: Process,
  pid: Pid,
  shutdown: Shutdown,
  reason: ExitReason = 'shutdown',
): Promise<ExitReason> {
  const ended = awaitDown(supervisor, pid)
  const { scheduler } = supervisor
  let timer: ReturnType<typeof scheduler.clock.after> | undefined
  if (shutdown === 'brutal_kill') sendExit(scheduler, supervisor.pid, pid, 'kill')
  else {
    sendExit(scheduler, supervisor.pid, pid, reason)
    if (shutdown !== Number.POSITIVE_INFINITY) {
      timer = scheduler.clock.after(supervisor, shutdown, () => {
        sendExit(scheduler, supervisor.pid, pid, 'kill')
      })
    }
  }
  const actual = await ended
  if (timer !== undefined) scheduler.clock.cancelRef(timer)
  return takeExit(supervisor, pid) ?? actual
}

/** The end of a process, whether or not it is still linked: one that unlinked cannot hang its supervisor (otp 141). */
function awaitDown(supervisor: Process, pid: Pid): Promise<ExitReason> {
  const { scheduler } = supervisor
  const ref = scheduler.refs.next()
  return new Promise((resolve) => {
    const settle = (reason: ExitReason): void => {
      supervisor.pending?.delete(ref)
      supervisor.monitors?.delete(ref)
      resolve(reason)
    }
    supervisor.pendingOrNew().set(ref, {
      scheduler: schedulerOf(pid),
      reply: () => {},
      down: settle,
      abandon: () => {},
    })
    monitor(scheduler, supervisor, pid, ref)
  })
}

/** Unlinks and takes a queued EXIT away; its reason, which one that was dead already has from nowhere else. */
function takeExit(supervisor: Process, pid: Pid): ExitReason | undefined {
  unlink(supervisor.scheduler, supervisor, pid)
  const { mailbox } = supervisor
  const at = mailbox.find((message) => message instanceof ExitMessage && message.from === pid)
  return at < 0 ? undefined : (mailbox.take(at) as ExitMessage).reason
}
