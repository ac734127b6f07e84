/**
 * Trackers that have ended while their threads live, and what they had told of: it stays as it is until the successor has told of
 * the same processes, so that clients of other threads hear of an update.
 */
import type { ExitReason, Pid, Self } from '../../runtime/index.ts'
import { schedulerOf } from '../../runtime/process/pid.ts'
import type { Change } from './orswot.ts'
import type { Peer } from './peers.ts'
import { note, type State } from './state.ts'
import { schedulersNear, type Tracked } from './store.ts'

/** A tracker that has ended on a thread that lives. */
export interface Orphan {
  readonly untilMs: number
}

export const ORPHAN = 'tracker.orphan'

/** For a successor to start. */
const SUCCESSOR_MS = 2_000
/** The thread of one that is waited for may be lost: nobody on it is monitored from here. */
const LOOK_AGAIN_MS = 100

/**
 * A tracker has ended. With its thread all that it told of is gone. Else they live on, and its successor will say so: until
 * then they stay as they are, so that their clients hear of an update and nobody leaves.
 */
export function ended(state: State, self: Self, pid: Pid, reason: ExitReason): void {
  state.peers.delete(pid)
  state.outgoing.delete(pid)
  state.orphans.set(pid, { untilMs: self.now() + SUCCESSOR_MS })
  const gone = typeof reason === 'object' && reason !== null && 'noconnection' in reason
  if (gone) forgetOrphans(state, self, schedulerOf(pid))
  else {
    for (const [other, peer] of state.peers) endOrphans(state, self, other, peer)
    lookAtOrphan(state, self, pid)
  }
}

export function lookAtOrphan(state: State, self: Self, pid: Pid): void {
  const orphan = state.orphans.get(pid)
  if (orphan === undefined) return
  if (self.now() >= orphan.untilMs && !isSucceeding(state, schedulerOf(pid))) {
    forgetOrphan(state, self, pid)
  } else if (!schedulersNear(self).includes(schedulerOf(pid))) forgetOrphan(state, self, pid)
  else self.sendAfter(LOOK_AGAIN_MS, { type: ORPHAN, pid })
}

/** A successor is there, and tells of what it took over: however much that is. */
const isSucceeding = ({ peers }: State, scheduler: number): boolean =>
  [...peers].some(
    ([pid, { inherited }]) => schedulerOf(pid) === scheduler && inherited !== undefined,
  )

/** The successor has told of all it took over: whom it did not name is gone. */
export function endOrphans(state: State, self: Self, pid: Pid, { inherited }: Peer): void {
  if (state.orphans.size === 0 || inherited === undefined) return
  if (state.set.clockOf(pid) >= inherited) forgetOrphans(state, self, schedulerOf(pid), pid)
}

function forgetOrphans(state: State, self: Self, scheduler: number, but?: Pid): void {
  for (const pid of state.orphans.keys()) {
    if (schedulerOf(pid) === scheduler && pid !== but) forgetOrphan(state, self, pid)
  }
}

function forgetOrphan(state: State, self: Self, pid: Pid): void {
  state.orphans.delete(pid)
  note(state, self, state.set.forget(pid))
}

/** Who joins where one that has ended had tracked the same process is an update of that. */
export function succeeded(
  state: State,
  pid: Pid,
  changes: readonly Change<Tracked<object>>[],
): readonly Change<Tracked<object>>[] {
  const before = [...state.orphans.keys()].filter(
    (orphan) => orphan !== pid && schedulerOf(orphan) === schedulerOf(pid),
  )
  if (before.length === 0) return changes
  return changes.map((change) => {
    const { join, leave } = change
    if (join === undefined || leave !== undefined) return change
    for (const orphan of before) {
      const replaced = state.set.supersede(orphan, join)
      if (replaced !== undefined) return { join, leave: replaced }
    }
    return change
  })
}
