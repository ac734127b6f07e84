/**
 * A mailbox that fills up: it is told once, and where it has a limit a policy decides. deliver() asks here only at lengths
 * that matter, so that a mailbox below its high water costs one comparison per message.
 */
import { publish } from '../events.ts'
import type { ExitReason } from '../exit/reason.ts'
import { type MailboxLimit, NO_LIMIT } from '../process/flags.ts'
import { CallMessage, KernelMessage } from '../process/messages.ts'
import { formatPid, schedulerOf } from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import { Op } from './ops.ts'
import { downReceived } from './signals.ts'

/** Whether a message is let into a mailbox that has reached its mark; makes room for it where the policy says so. */
export function admit(process: Process, message: unknown): boolean {
  const { mailbox } = process
  const limit = process.limit ?? NO_LIMIT
  if (!mailbox.isHigh) {
    mailbox.raise(limit.maxLength)
    told(process, limit)
  }
  if (mailbox.length < limit.maxLength || message instanceof KernelMessage) return true
  switch (limit.policy) {
    case 'drop_newest':
      drop(process, message)
      return false
    case 'drop_oldest': {
      const oldest = mailbox.find(isDroppable)
      drop(process, oldest < 0 ? message : mailbox.take(oldest))
      // Making room is no emptying: where few fit, each message would be told anew.
      if (!mailbox.isHigh) mailbox.raise(limit.maxLength)
      return oldest >= 0
    }
    case 'exit': {
      const reason: ExitReason = { mailboxFull: { length: mailbox.length } }
      process.scheduler.report(process, reason, message)
      process.scheduler.exit(process, reason)
      return false
    }
  }
}

const isDroppable = (message: unknown): boolean => !(message instanceof KernelMessage)

/** One who waits for an answer hears at once that none will come. */
function drop(process: Process, message: unknown): void {
  const { scheduler, pid } = process
  process.dropped++
  scheduler.dropped++
  scheduler.tracer?.drops(process, message)
  if (!(message instanceof CallMessage)) return
  const { pid: caller, ref } = message
  process.watchers?.delete(ref)
  const reason: ExitReason = { mailboxFull: { maxLength: process.limit?.maxLength } }
  const home = schedulerOf(caller)
  if (home === scheduler.id) downReceived(scheduler, caller, ref, reason)
  else scheduler.peers.push5(home, Op.Down, pid, caller, ref, reason)
}

function told(process: Process, { maxLength, policy, highWater }: MailboxLimit): void {
  const { pid, name, behaviour, scheduler, mailbox, dropped } = process
  publish('mailbox', () => ({
    pid,
    process: formatPid(pid),
    name,
    behaviour: behaviour.describe?.(process) ?? behaviour.name,
    scheduler: scheduler.id,
    length: mailbox.length,
    highWater,
    ...(maxLength === Number.POSITIVE_INFINITY ? {} : { maxLength, policy, dropped }),
  }))
}
