/** The state of a tracker, and what its own changes do to it. */
import type { Pid, Ref, Self } from '../../runtime/index.ts'
import type { TrackerLimits } from './options.ts'
import type { Orphan } from './orphans.ts'
import type { Change, Orswot } from './orswot.ts'
import type { Outgoing, Peer } from './peers.ts'
import { makeRef } from './ref.ts'
import type { Store, Tracked } from './store.ts'
import type { Turns } from './turns.ts'

/** Where a process is tracked. */
export interface Place {
  readonly topic: string
  readonly pid: Pid
  readonly key: string
}

export interface State {
  readonly limits: TrackerLimits
  readonly store: Store<object>
  readonly set: Orswot<Tracked<object>>
  readonly prefix: Buffer
  /** Own operations up to this one have been broadcast. */
  sent: number
  flushing: boolean
  flushedAt: number
  beating: boolean
  /** Monitors, of whom they are. */
  readonly monitors: Map<Ref, Pid>
  readonly tracked: Map<Pid, Ref>
  readonly turns: Turns
  readonly peers: Map<Pid, Peer>
  readonly orphans: Map<Pid, Orphan>
  /** What is being told in pieces to trackers that miss something. */
  readonly outgoing: Map<Pid, Outgoing>
  above: unknown
}

export const FLUSH = 'tracker.flush'

/** Sooner or later, and once: what comes until then goes along. */
export function flushSoon(state: State, self: Self): void {
  if (state.flushing) return
  state.flushing = true
  const wait = state.flushedAt + state.limits.broadcastPeriodMs - self.now()
  if (wait > 0) self.sendAfter(wait, { type: FLUSH })
  else self.send(self.pid, { type: FLUSH })
}

export function note(state: State, self: Self, changes: readonly Change<Tracked<object>>[]): void {
  if (changes.length === 0) return
  state.store.pending.addAll(changes)
  flushSoon(state, self)
}

export function watch(state: State, self: Self, pid: Pid): void {
  if (state.tracked.has(pid)) return
  const ref = self.monitor(pid)
  state.tracked.set(pid, ref)
  state.monitors.set(ref, pid)
}

export function put(
  state: State,
  self: Self,
  { topic, pid, key }: Place,
  meta: object,
  previous?: string,
): string {
  const phx_ref = makeRef(state.prefix, state.set.clock + 1)
  note(state, self, [state.set.put(topic, pid, key, renew(meta, phx_ref, previous))])
  watch(state, self, pid)
  return phx_ref
}

export function remove(state: State, self: Self, places: readonly Place[]): void {
  for (const { topic, pid, key } of places) {
    const change = state.set.remove(topic, pid, key)
    if (change === undefined) continue
    note(state, self, [change])
    const ref = state.tracked.get(pid)
    if (ref !== undefined && !state.set.hasOwn(pid)) {
      self.demonitor(ref)
      state.tracked.delete(pid)
      state.monitors.delete(ref)
    }
  }
}

/** A meta with its references; one it brought along from an earlier change counts for nothing. */
export function renew(
  meta: object,
  phx_ref: string,
  previous: string | undefined,
): Tracked<object> {
  const { phx_ref_prev: _, ...rest } = meta as { readonly phx_ref_prev?: unknown }
  return previous === undefined
    ? { ...rest, phx_ref }
    : { ...rest, phx_ref, phx_ref_prev: previous }
}
