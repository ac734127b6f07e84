/** observe(): main's side. It asks every thread at once and waits for none longer than it was told to. */
import { type EventLoopUtilization, performance } from 'node:perf_hooks'
import type { Ran } from '../events.ts'
import { formatPid } from '../process/pid.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import { assemble } from './assemble.ts'
import type { NodeReport, ThreadFigures } from './figures.ts'
import { look, type ThreadLook } from './look.ts'
import type { LookOptions, ObserveSettings } from './options.ts'

/** A thread, as far as it is looked at. */
export interface Observed {
  readonly scheduler: number
  utilization(): EventLoopUtilization
  look(options: LookOptions, timeoutMs: number): Promise<ThreadLook>
  /** What is known of one that does not answer. */
  processes(): number
  ranLast(): Ran | undefined
}

/** Main as one of them. */
export function observedMain(scheduler: Scheduler): Observed {
  return {
    scheduler: scheduler.id,
    utilization: () => performance.eventLoopUtilization(),
    look: (options) => look(scheduler, options),
    processes: () => scheduler.processCount,
    ranLast: () => ranLastOf(scheduler),
  }
}

export function ranLastOf({ journal }: Pick<Scheduler, 'journal'>): Ran | undefined {
  const last = journal.ranLast()
  if (last === undefined) return undefined
  return { process: formatPid(last.pid), behaviour: last.behaviour, message: last.message }
}

export class Observer {
  /** What each thread's loop had done when it was looked at last. */
  #before = new Map<number, EventLoopUtilization>()

  async observe(threads: readonly Observed[], settings: ObserveSettings): Promise<NodeReport> {
    const { windowMs, timeoutMs } = settings
    // A window is its own, whoever else looks meanwhile.
    const atFirst = new Map(threads.map((one) => [one.scheduler, one.utilization()]))
    const looks = await Promise.all(
      threads.map((one) => one.look(settings, windowMs + timeoutMs).catch(() => undefined)),
    )
    const before = windowMs > 0 ? atFirst : this.#before
    this.#before = new Map()
    const figures = threads.map((one, i): ThreadFigures => {
      const now = one.utilization()
      this.#before.set(one.scheduler, now)
      const was = before.get(one.scheduler)
      const found = looks[i]
      return {
        scheduler: one.scheduler,
        status: found === undefined ? 'silent' : 'running',
        utilization: share(now, was),
        processes: found?.processes ?? one.processes(),
        ranLast: found === undefined ? one.ranLast() : undefined,
        counts: found?.counts,
      }
    })
    const silent = figures.reduce(
      (sum, { status, processes }) => sum + (status === 'silent' ? processes : 0),
      0,
    )
    return {
      at: Date.now(),
      pid: process.pid,
      upMs: Math.round(process.uptime() * 1_000),
      rssBytes: process.memoryUsage.rss(),
      windowMs,
      threads: figures,
      ...assemble(
        looks.filter((one) => one !== undefined),
        silent,
        settings,
      ),
    }
  }
}

/** Node counts nothing for a loop that has not begun. */
function share(now: EventLoopUtilization, was: EventLoopUtilization | undefined): number {
  const active = now.active - (was?.active ?? 0)
  const all = active + now.idle - (was?.idle ?? 0)
  return all <= 0 ? 0 : Math.max(0, Math.min(1, active / all))
}
