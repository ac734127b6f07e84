/**
 * A server's timeout while it waits for a message (`timeoutMs` beside an answer). Any message cancels it; a request of sys
 * starts it anew, in full (otp 83 to 85).
 */
import type { Ref } from './pid.ts'
import { type Process, Status } from './process.ts'

export interface Waiting {
  readonly timeoutMs: number
  /** undefined: it has rung while a message was waiting, or is held. */
  timer: Ref | undefined
}

export function awaitMessage(process: Process, timeoutMs: number): void {
  process.waiting = { timeoutMs, timer: undefined }
  restartTimeout(process)
}

/** A message is here: nothing is waited for any more. */
export function messageCame(process: Process): void {
  holdTimeout(process)
  process.waiting = undefined
}

/** Stops the clock; restartTimeout() goes on. */
export function holdTimeout(process: Process): void {
  const { waiting } = process
  if (waiting?.timer === undefined) return
  process.scheduler.clock.cancelRef(waiting.timer)
  waiting.timer = undefined
}

export function restartTimeout(process: Process): void {
  const { waiting } = process
  if (waiting === undefined) return
  holdTimeout(process)
  waiting.timer = process.scheduler.clock.after(process, waiting.timeoutMs, () => {
    waiting.timer = undefined
    // A message that is already waiting wins; the timeout is lost then, unless it is one of sys (OTP).
    if (process.status !== Status.Idle || process.mailbox.length > 0) return
    process.waiting = undefined
    process.scheduler.deliver(process, 'timeout')
  })
}
