/** Errors where a tracker is asked for on a thread that has none. */
import { Exit, formatPid, type Pid } from '../../runtime/index.ts'
import { schedulerOf } from '../../runtime/process/pid.ts'
import { ChannelError } from '../errors.ts'

/** The thread of main, which runs no children of the app. */
export const MAIN = 0

/** Whether a call failed because nobody was there. */
export const isNoproc = (error: unknown): boolean =>
  error instanceof Exit &&
  typeof error.reason === 'object' &&
  error.reason !== null &&
  'reason' in error.reason &&
  error.reason.reason === 'noproc'

export function noTracker(
  name: string,
  scheduler: number | undefined,
  cause?: unknown,
): ChannelError {
  const where = scheduler === undefined ? 'any thread' : `thread ${scheduler}`
  return new ChannelError(
    'CHN_TRACKER',
    `"${name}" does not run on ${where}: put its child() into the children of the root supervisor. If it is there, it is being restarted: try again.`,
    { cause },
  )
}

export function untrackable(name: string, pid: Pid): ChannelError {
  const why = schedulerOf(pid) === MAIN ? 'on the main thread' : 'gone with its thread'
  return new ChannelError(
    'CHN_TRACKER',
    `${formatPid(pid)} cannot be tracked by "${name}": it is ${why}. Track a process that lives on a scheduler thread.`,
  )
}
