/** What a node holds, in a form that two moments can be compared in. */
import type { ThreadStats } from 'beamish'
import type { Counted } from './protocol.ts'

/** Timers of the host, which come and go by themselves: compared with a tolerance. */
const PASSING = ['Timeout', 'Immediate']

export interface Holdings {
  /** Over all threads and main: what moves from thread to thread with clients and singletons. */
  readonly total: Readonly<Record<string, number>>
  readonly main: Readonly<Record<string, number>>
  /** The same on every thread, whoever is there: names it knows, schedulers it has a port to. */
  readonly eachThread: readonly string[]
  readonly descriptors: number | undefined
}

export function holdings({ stats, descriptors }: Counted): Holdings {
  const [main, ...threads] = stats as [ThreadStats, ...ThreadStats[]]
  const total: Record<string, number> = {}
  for (const one of stats) {
    for (const [what, count] of Object.entries(counts(one))) {
      total[what] = (total[what] ?? 0) + count
    }
  }
  return {
    total,
    main: counts(main),
    eachThread: [...new Set(threads.map(({ names, peers }) => `${names} names, ${peers} peers`))],
    descriptors,
  }
}

function counts(stats: ThreadStats): Record<string, number> {
  const { scheduler, messages, batches, heapUsedBytes, hibernated, resources, ...held } = stats
  const kept = Object.entries(resources).filter(([type]) => !PASSING.includes(type))
  return { ...held, ...Object.fromEntries(kept) }
}

/** Timers and immediates of the host, over all threads and main. */
export const hostTimers = ({ stats }: Counted): number =>
  stats.reduce(
    (sum, { resources }) => sum + PASSING.reduce((all, type) => all + (resources[type] ?? 0), 0),
    0,
  )

export const mainHeap = ({ stats }: Counted): number => stats[0]?.heapUsedBytes ?? 0
export const threadsHeap = ({ stats }: Counted): number =>
  stats.slice(1).reduce((sum, one) => sum + one.heapUsedBytes, 0)
