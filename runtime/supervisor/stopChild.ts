/** Stopping a child the way OTP does: monitor, exit(shutdown), wait, kill, wait; then its EXIT is taken out of the mailbox. */
import type { ExitReason } from '../exit/reason.ts'
import { ExitMessage } from '../process/messages.ts'
import { type Pid, schedulerOf } from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import { monitor, sendExit, unlink } from '../scheduler/signals.ts'
import type { Shutdown } from './childSpec.ts'

/** Resolves with the reason the child ended for. */
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
  forgetExit(supervisor, pid)
  return actual
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

/** Unlinks and takes a queued EXIT away. */
export function forgetExit(supervisor: Process, pid: Pid): void {
  unlink(supervisor.scheduler, supervisor, pid)
  const { mailbox } = supervisor
  const at = mailbox.find((message) => message instanceof ExitMessage && message.from === pid)
  if (at >= 0) mailbox.take(at)
}
