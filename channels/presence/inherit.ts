/**
 * What a tracker takes over from the one before on its thread: whom that had tracked, who live on and join anew, and what it
 * knew of the others, which is as true as it was.
 */
import type { Pid, Self } from '../../runtime/index.ts'
import type { Orswot } from './orswot.ts'
import { meet } from './peers.ts'
import { leavesOf } from './pending.ts'
import { makeRef } from './ref.ts'
import { flushSoon, renew, type State, watch } from './state.ts'
import type { Tracked } from './store.ts'

export function inherit(state: State, self: Self, before: Orswot<Tracked<object>>): void {
  const { store, set, prefix } = state
  const { pending } = store
  // What joined and had not been told is among the entries below.
  const untold = leavesOf(pending.takeAll())
  set.merge(before.snapshot(before.replica))
  for (const replica of set.replicas())
    meet(state, self, replica as Pid).heard = set.clockOf(replica)
  // The layer above begins anew, too.
  for (const entry of before.all()) {
    pending.add({ join: entry })
    if (entry.replica !== before.replica) continue
    const { topic, pid, key, meta } = entry
    const renewed = renew(meta, makeRef(prefix, set.clock + 1), meta.phx_ref)
    pending.add({ join: set.put(topic, pid, key, renewed).join, leave: entry })
    watch(state, self, pid)
  }
  // Last: who has left in an update is there before.
  for (const entry of untold) if (!before.has(entry)) pending.addAsNew(entry)
  flushSoon(state, self)
}
