/** What main does when a thread is gone: hears what it said last, frees its names, and tells everybody in that order. */
import type { ExitReason, LostCause } from '../exit/reason.ts'
import { NO_PID } from '../process/pid.ts'
import { Op } from '../scheduler/ops.ts'
import { lost } from '../scheduler/receive.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'

export function forgetThread(main: Scheduler, id: number, slot: number, cause: LostCause): void {
  main.peers.port(id)?.drain()
  main.board.clear(slot)
  main.names.releaseScheduler(id)
  const reason: ExitReason = { noconnection: { scheduler: id, cause } }
  for (const other of main.peers.ids()) {
    if (other !== id) main.peers.push4(other, Op.Lost, NO_PID, id, reason)
  }
  lost(main, id, reason)
  main.peers.flush()
}
