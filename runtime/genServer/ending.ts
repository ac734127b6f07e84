/** How a process with callbacks ends by its own doing: terminate, the report, the exit. */
import { type ExitReason, plain, reasonOf } from '../exit/reason.ts'
import { type Process, Status } from '../process/process.ts'
import { isThenable } from '../scheduler/thenable.ts'

export interface Ending {
  /** undefined: it has none, or nothing to end. */
  readonly terminate: (() => unknown) | undefined
  /** What it did last, for a report. */
  readonly message: unknown
  readonly beforeExit?: (() => void) | undefined
}

/** Runs terminate, then ends the process; an exception in terminate becomes the reason (otp 99). */
export function endWithTerminate(
  process: Process,
  reason: ExitReason,
  { terminate, message, beforeExit }: Ending,
): unknown {
  const end = (last: ExitReason): void => {
    if (process.status === Status.Dead) return
    beforeExit?.()
    const known = plain(last)
    process.scheduler.report(process, known, message)
    process.scheduler.exit(process, known)
  }
  if (terminate === undefined) {
    end(reason)
    return undefined
  }
  process.scheduler.tracer?.terminates(process, reason)
  try {
    const result = terminate()
    if (isThenable(result)) {
      return result.then(
        () => end(reason),
        (thrown: unknown) => end(reasonOf(thrown)),
      )
    }
    end(reason)
  } catch (thrown) {
    end(reasonOf(thrown))
  }
  return undefined
}
