/**
 * A thread whose heap stays nearly full after a collection ends by itself, while it still can: at the very limit V8 may end the
 * whole process instead (measured on Node 24 and 26, when the last collection runs between two turns of the loop).
 */
import { constants, PerformanceObserver } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import { resourceLimits } from 'node:worker_threads'

/** The part of the limit that may be in use after a major collection. */
const MAX_LIVE = 0.85

/** Calls `full` with the bytes in use and the limit, once, when a major collection has left too much. */
export function watchHeap(full: (usedBytes: number, limitBytes: number) => void): void {
  const observer = new PerformanceObserver((list) => {
    const major = list.getEntries().some((entry) => (entry as GcEntry).detail?.kind === MAJOR)
    if (!major) return
    const { used_heap_size: used, heap_size_limit: both } = getHeapStatistics()
    // The limit counts room for young objects, too, which the old cannot have.
    const limit = both - (resourceLimits.maxYoungGenerationSizeMb ?? 0) * 2 ** 20
    if (used < limit * MAX_LIVE) return
    observer.disconnect()
    full(used, limit)
  })
  observer.observe({ entryTypes: ['gc'] })
}

type GcEntry = { readonly detail?: { readonly kind?: number } }

const MAJOR: number = constants.NODE_PERFORMANCE_GC_MAJOR
