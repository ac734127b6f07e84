/** What sys.getStatus tells of a process, as plain data. */
import { plain } from '../exit/reason.ts'
import { describeMessage } from '../process/messages.ts'
import type { Process } from '../process/process.ts'
import { type ProcessInfo, processInfo } from '../scheduler/info.ts'
import type { Attended } from './attended.ts'
import type { Statistics } from './statistics.ts'

export interface ProcessStatus {
  readonly info: ProcessInfo
  readonly suspended: boolean
  readonly hibernated: boolean
  /** While it is counted. */
  readonly statistics: Statistics | undefined
  /** Events its trace has left; 0: it is not traced. */
  readonly traceLeft: number
  /** As the behaviour's formatStatus shows it; what cannot be sent is told as text. */
  readonly state: unknown
  /** The message handled last, as formatStatus shows it. */
  readonly lastMessage: unknown
}

export function statusOf(process: Process, attended: Attended, state: unknown): ProcessStatus {
  const { behaviour, lastMessage, scheduler } = process
  const message = lastMessage === undefined ? undefined : describeMessage(lastMessage)
  const shown = behaviour.formatStatus?.({ state, message }) ?? { state, message }
  return {
    info: processInfo(process),
    suspended: attended.suspended,
    hibernated: attended.hibernated,
    statistics: attended.counting?.at(scheduler.host.now()),
    traceLeft: attended.traceLeft,
    state: shown.state === undefined ? undefined : plain(shown.state),
    lastMessage: shown.message === undefined ? undefined : plain(shown.message),
  }
}
