/** What callbacks answer, looked at: payloads, options, and what is none of what they may. */
import { Exit, safeText } from '../../runtime/exit/reason.ts'
import { type Process, Status } from '../../runtime/process/process.ts'
import { awaitMessage } from '../../runtime/process/waiting.ts'
import type { Payload } from '../wire/serializer.ts'
import type { AfterOptions } from './results.ts'

export const isPayload = (value: unknown): value is Payload =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function idle(process: Process, options: AfterOptions | undefined): undefined {
  if (options === undefined || process.status === Status.Dead) return undefined
  const { timeoutMs, hibernate } = options
  if (timeoutMs !== undefined && timeoutMs !== Number.POSITIVE_INFINITY) {
    if (!(timeoutMs >= 0)) throw badReturn('timeoutMs', timeoutMs)
    awaitMessage(process, timeoutMs)
  }
  if (hibernate === true) process.scheduler.sleepers.soon(process)
  return undefined
}

/** Goes on at once after a synchronous callback, later after an asynchronous one. */
export function after(result: unknown, next: (value: unknown) => unknown): unknown {
  return result instanceof Promise ? result.then(next) : next(result)
}

export const badReturn = (callback: string, value: unknown): Exit =>
  new Exit({ badReturn: { callback, value: safeText(value, 200) } })
