/** What is told of a process that ended by its own doing. */
import type { CrashReport } from '../events.ts'
import type { ExitReason } from '../exit/reason.ts'
import { describeMessage } from '../process/messages.ts'
import { formatPid } from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import type { Stray } from '../process/strays.ts'

export function crashReport(
  process: Process,
  reason: ExitReason,
  message: unknown,
  stray: Stray | undefined,
): CrashReport {
  const { behaviour, pid } = process
  const told = {
    reason,
    message: message === undefined ? undefined : describeMessage(message),
    state: behaviour.inspectState?.(process),
  }
  const shown = behaviour.formatStatus?.(told) ?? told
  return {
    pid,
    process: formatPid(pid),
    name: process.name,
    behaviour: behaviour.describe?.(process) ?? behaviour.name,
    scheduler: process.scheduler.id,
    reason: shown.reason ?? reason,
    lastMessage: shown.message,
    state: shown.state,
    ancestors: process.ancestors.map(formatPid),
    mailboxLength: process.mailbox.length,
    ...(stray === undefined ? {} : { stray }),
  }
}
