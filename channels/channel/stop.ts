/** The end of a channel by its own doing, or because it is told to. */
import { type ExitReason, isShutdown, plain, reasonOf } from '../../runtime/exit/reason.ts'
import { type Process, Status } from '../../runtime/process/process.ts'
import { isThenable } from '../../runtime/scheduler/thenable.ts'
import type { ChannelBehaviour } from './process.ts'
import type { State } from './state.ts'

/** How it stops. */
interface Stopping {
  /** Its client hears of an end in order. Default true. */
  readonly tells?: boolean
  /** What it did last, for a report. */
  readonly message?: unknown
  readonly beforeExit?: () => void
}

/** Tells the client, runs terminate, ends. An exception in terminate becomes the reason. */
export function stop(
  process: Process,
  { link, socket }: State,
  reason: ExitReason,
  { tells = true, message = process.lastMessage, beforeExit }: Stopping = {},
): unknown {
  if (tells && isShutdown(reason)) link.closed()
  const end = (last: ExitReason): void => {
    if (process.status === Status.Dead) return
    beforeExit?.()
    const known = plain(last)
    process.scheduler.report(process, known, message)
    process.scheduler.exit(process, known)
  }
  const { callbacks } = (process.behaviour as ChannelBehaviour).definition
  if (callbacks.terminate === undefined || !socket.joined) {
    end(reason)
    return undefined
  }
  process.scheduler.tracer?.terminates(process, reason)
  // Its supervisor's shutdown must not cut off what runs because of one; its kill does, when its time is up.
  process.trapExit = true
  try {
    const result = callbacks.terminate(reason, socket)
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
