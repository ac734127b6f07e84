/** How a server goes on when nothing comes, as its callback has answered. */
import { Exit, safeText } from '../exit/reason.ts'
import { type Process, Status } from '../process/process.ts'
import { awaitMessage } from '../process/waiting.ts'

interface Idling {
  readonly timeoutMs?: number
  readonly hibernate?: boolean
}

/** @throws badReturn for a time that is none */
export function idle(process: Process, { timeoutMs, hibernate }: Idling): undefined {
  if (process.status === Status.Dead) return undefined
  if (timeoutMs !== undefined && timeoutMs !== Number.POSITIVE_INFINITY) {
    if (!(timeoutMs >= 0)) throw badReturn('timeoutMs', timeoutMs)
    awaitMessage(process, timeoutMs)
  }
  if (hibernate === true) process.scheduler.sleepers.soon(process)
  return undefined
}

/** What a callback answered is nothing it may (OTP bad_return_value). */
export const badReturn = (callback: string, value: unknown): Exit =>
  new Exit({ badReturn: { callback, value: safeText(value, 200) } })
