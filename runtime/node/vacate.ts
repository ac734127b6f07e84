/** The last step before a thread is replaced in order: what others have placed here ends, as its parent would end it. */
import type { ExitReason } from '../exit/reason.ts'
import { formatPid, NO_PID, schedulerOf } from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import { exitSignal } from '../scheduler/signals.ts'

/**
 * Sends every process with a parent on another thread the reason that its thread's planned end has: one that traps exits runs
 * terminate, and no supervisor counts it. Resolves with those that have not ended after `timeoutMs`, as text.
 */
export async function vacate(scheduler: Scheduler, timeoutMs: number): Promise<string[]> {
  const reason: ExitReason = { noconnection: { scheduler: scheduler.id, cause: 'stopped' } }
  const left = new Set<Process>()
  const placed = [...scheduler.slots].filter(
    ({ parent }) => parent !== NO_PID && schedulerOf(parent) !== scheduler.id,
  )
  await new Promise<void>((resolve) => {
    const timer = scheduler.clock.set(timeoutMs, resolve)
    const ended = (): void => {
      if (left.size > 0) return
      scheduler.clock.cancel(timer)
      resolve()
    }
    for (const process of placed) {
      left.add(process)
      process.onExit(() => {
        left.delete(process)
        ended()
      })
      exitSignal(scheduler, process, process.parent, reason, 'exit')
    }
    ended()
  })
  return [...left].map((process) => process.name ?? formatPid(process.pid))
}
