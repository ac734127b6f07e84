/** The end of a channel by its own doing, or because it is told to. */
import { type ExitReason, isShutdown } from '../../runtime/exit/reason.ts'
import { endWithTerminate } from '../../runtime/genServer/ending.ts'
import type { Process } from '../../runtime/process/process.ts'
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
  const { terminate } = (process.behaviour as ChannelBehaviour).definition.callbacks
  if (terminate === undefined || !socket.joined) {
    return endWithTerminate(process, reason, { terminate: undefined, message, beforeExit })
  }
  // Its supervisor's shutdown must not cut off what runs because of one; its kill does, when its time is up.
  const ending = (): unknown => {
    process.trapExit = true
    return terminate(reason, socket)
  }
  return endWithTerminate(process, reason, { terminate: ending, message, beforeExit })
}
