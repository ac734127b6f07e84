/** Messages to aliases: at once within a thread, in order with everything else to another one. */
import { BeamishError } from '../errors.ts'
import { safeText } from '../exit/reason.ts'
import { takeMessage } from '../process/aliases.ts'
import { type Alias, type Pid, type Ref, schedulerOf } from '../process/pid.ts'
import { Op } from './ops.ts'
import type { Scheduler } from './scheduler.ts'
import { demonitor } from './signals.ts'

export function sendToAlias(scheduler: Scheduler, by: Pid, to: Alias, sent: unknown): void {
  const { pid, ref } = to ?? {}
  if (typeof pid !== 'number' || typeof ref !== 'number') {
    throw new BeamishError('BEAMISH_BAD_DESTINATION', { got: safeText(to, 100) })
  }
  scheduler.tracer?.sends(by, pid, sent)
  const home = schedulerOf(pid)
  if (home === scheduler.id) aliasReceived(scheduler, pid, ref, sent)
  else scheduler.peers.push5(home, Op.SendAlias, by, pid, ref, sent)
}

/** A message for an alias of a process of this thread: dropped in silence when it is not active (otp 43 to 47). */
export function aliasReceived(scheduler: Scheduler, to: Pid, ref: Ref, message: unknown): void {
  const process = scheduler.find(to)
  if (process === undefined) return
  const answer = takeMessage(process.aliases, ref)
  if (answer === 'drop') return
  if (answer === 'deliver_and_demonitor') demonitor(scheduler, process, ref)
  scheduler.deliver(process, message)
}
