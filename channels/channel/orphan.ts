/** A channel whose connection is gone ends by itself, by way of its mailbox. One that hangs never gets there. */
import { type Pid, schedulerOf } from '../../runtime/process/pid.ts'
import type { Process } from '../../runtime/process/process.ts'
import { monitor } from '../../runtime/scheduler/signals.ts'

/** Kills the process `afterMs` after the end of its transport; Infinity: it may take any time. */
export function endWith(process: Process, transport: Pid, afterMs: number): void {
  if (afterMs === Number.POSITIVE_INFINITY) return
  const { scheduler } = process
  const ref = scheduler.refs.next()
  process.pendingOrNew().set(ref, {
    scheduler: schedulerOf(transport),
    standing: true,
    reply: () => {},
    down: () => {
      process.pending?.delete(ref)
      process.monitors?.delete(ref)
      scheduler.clock.after(process, afterMs, () => scheduler.exit(process, 'killed'))
    },
    abandon: () => {},
  })
  monitor(scheduler, process, transport, ref)
}
