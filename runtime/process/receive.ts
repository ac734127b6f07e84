/**
 * Selective receive: scans the mailbox oldest first and leaves what does not match, in order (otp 54 to 56). The process
 * goes through the run queue like any other, so that two raw processes talking to each other cannot starve I/O.
 */
import { BeamishError } from '../errors.ts'
import { formatPid, type Ref } from './pid.ts'
import { type Process, Status } from './process.ts'
import { rejectAs } from './strays.ts'

const any = (): boolean => true

export function receive(
  process: Process,
  match: (message: unknown) => boolean = any,
  timeoutMs: number = Number.POSITIVE_INFINITY,
): Promise<unknown> {
  if (process.status === Status.Dead) return new Promise(() => {})
  const { mailbox, scheduler } = process
  if (process.receiver !== undefined) {
    throw new BeamishError('BEAMISH_RECEIVE_PENDING', { pid: formatPid(process.pid) })
  }
  const found = mailbox.find(match)
  // Taken at once it never leaves the microtasks: past the budget it waits for a turn, so that I/O has its chance.
  if (found >= 0 && scheduler.receivesLeft-- > 0) {
    const message = mailbox.take(found)
    process.lastMessage = message
    scheduler.journal.runs(process)
    scheduler.journal.handles(message)
    scheduler.tracer?.handles(process, message)
    return Promise.resolve(message)
  }
  if (found < 0 && timeoutMs === 0) return Promise.resolve(undefined)
  return new Promise((resolve, reject) => {
    let timer: Ref | undefined
    // Everything before this index was refused already.
    let seen = found >= 0 ? 0 : mailbox.length
    let takes = mailbox.takes
    const done = (): void => {
      process.receiver = undefined
      if (timer !== undefined) scheduler.clock.cancelRef(timer)
    }
    process.receiver = () => {
      try {
        const at = mailbox.find(match, mailbox.takes === takes ? seen : 0)
        seen = mailbox.length
        takes = mailbox.takes
        if (at < 0) return
        const message = mailbox.take(at)
        process.lastMessage = message
        scheduler.journal.handles(message)
        scheduler.tracer?.handles(process, message)
        done()
        scheduler.awaited = true
        resolve(message)
      } catch (error) {
        done()
        rejectAs(process, reject, error)
      }
    }
    if (found >= 0) scheduler.enqueue(process)
    if (timeoutMs !== Number.POSITIVE_INFINITY) {
      timer = scheduler.clock.after(process, timeoutMs, () => {
        // On a busy thread the timer may ring before the process had its turn with what arrived in time.
        if (process.receiver !== undefined) scheduler.runCode(process, process.receiver)
        if (process.receiver === undefined) return
        process.receiver = undefined
        resolve(undefined)
      })
    }
  })
}
