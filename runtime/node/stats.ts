/** Counts of one scheduler: what it runs and everything it holds for others, so that what is left over can be seen. */
import type { ThreadStats } from '../edge/control.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'

export function threadStats(scheduler: Scheduler): ThreadStats {
  let links = 0
  let monitors = 0
  let watchers = 0
  let pending = 0
  let keys = 0
  let queued = 0
  for (const process of scheduler.slots) {
    links += process.links?.size ?? 0
    monitors += process.monitors?.size ?? 0
    watchers += process.watchers?.size ?? 0
    for (const one of process.pending?.values() ?? []) if (one.standing !== true) pending++
    keys += process.keys?.size ?? 0
    queued += process.mailbox.length
  }
  return {
    scheduler: scheduler.id,
    processes: scheduler.processCount,
    hibernated: scheduler.sleepers.sleeping,
    messages: scheduler.handled,
    batches: scheduler.peers.batches,
    timers: scheduler.clock.size - scheduler.sleepers.timers,
    topics: scheduler.pubsub.topics,
    subscriptions: scheduler.pubsub.subscriptions,
    names: scheduler.names.size,
    keys,
    entries: scheduler.registries.entries,
    links,
    monitors,
    watchers,
    pending,
    queued,
    dropped: scheduler.dropped,
    peers: scheduler.peers.ids().length,
    resources: countEach(process.getActiveResourcesInfo()),
    heapUsedBytes: process.memoryUsage().heapUsed,
  }
}

function countEach(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}
