/** The trackers of the other threads: what they have told, what is asked of them, and what becomes of it when one ends. */
import type { ExitReason, Pid, Self } from '../../runtime/index.ts'
import { schedulerOf } from '../../runtime/process/pid.ts'
import type { Hello } from './forms.ts'
import type { Change, Delta } from './orswot.ts'
import { note, type State } from './state.ts'
import { schedulersNear, type Tracked } from './store.ts'

/** What is known of another tracker. */
export interface Peer {
  /** Up to which clock it is known to have operations. */
  heard: number
  /** It tells what is missing, or was asked to: whether that has come is looked at a while later. */
  telling: boolean
  /** Up to here stands what it has taken over from the one before. */
  inherited: number | undefined
}

/** A tracker that has ended on a thread that lives: its successor will tell of the same processes. */
export interface Orphan {
  readonly untilMs: number
}

export interface Outgoing {
  readonly transfer: boolean
  readonly from: number
  readonly upTo: number
}

export const TELL = 'tracker.tell'
export const DELTA = 'tracker.delta'
export const MISSING = 'tracker.missing'
export const CHECK = 'tracker.check'
export const ORPHAN = 'tracker.orphan'

/** A request after which something is missing still is made again, this much later. */
const ASK_AGAIN_MS = 1_000
/** For a successor to start and to tell everything. */
const SUCCESSOR_MS = 2_000
/** The thread of one that is waited for may be lost: nobody on it is monitored from here. */
const LOOK_AGAIN_MS = 100

function checkLater(peer: Peer, pid: Pid, self: Self): void {
  if (peer.telling) return
  peer.telling = true
  self.sendAfter(ASK_AGAIN_MS, { type: CHECK, pid })
}

function askIfBehind(state: State, self: Self, pid: Pid, peer: Peer): void {
  const since = state.set.clockOf(pid)
  if (since >= peer.heard) return
  self.send(pid, { type: MISSING, pid: self.pid, since })
  checkLater(peer, pid, self)
}

export function meet(state: State, self: Self, pid: Pid): Peer {
  let peer = state.peers.get(pid)
  if (peer === undefined) {
    // Whoever hears the hello of this one tells it everything, unasked.
    peer = { heard: 0, telling: false, inherited: undefined }
    state.peers.set(pid, peer)
    checkLater(peer, pid, self)
    state.monitors.set(self.monitor(pid), pid)
  }
  return peer
}

export function greeted(state: State, self: Self, { pid, clock }: Hello): void {
  if (pid === self.pid) return
  const peer = meet(state, self, pid)
  peer.heard = Math.max(peer.heard, clock)
  peer.inherited = clock
  tell(state, self, pid, { transfer: true, from: 0, upTo: state.set.clock })
  endOrphans(state, self, pid, peer)
}

export function take(state: State, self: Self, delta: Delta<Tracked<object>>, last: boolean): void {
  const pid = delta.replica as Pid
  if (pid === self.pid) return
  const peer = meet(state, self, pid)
  note(state, self, succeeded(state, pid, state.set.applyDelta(delta)))
  if (last) {
    state.set.transferDone(pid)
    if (delta.transfer) peer.inherited ??= delta.to
  }
  peer.heard = Math.max(peer.heard, delta.to)
  endOrphans(state, self, pid, peer)
  if (last || !peer.telling) askIfBehind(state, self, pid, peer)
}

export function check(state: State, self: Self, pid: Pid): void {
  const peer = state.peers.get(pid)
  if (peer === undefined) return
  peer.telling = false
  askIfBehind(state, self, pid, peer)
}

export function tell(state: State, self: Self, to: Pid, outgoing: Outgoing): void {
  state.outgoing.set(to, outgoing)
  self.send(self.pid, { type: TELL, to })
}

/** Everything, to all that are known: more has changed than is remembered. */
export function tellAll(state: State, self: Self): void {
  const { peers, set } = state
  for (const pid of peers.keys()) {
    tell(state, self, pid, { transfer: true, from: 0, upTo: set.clock })
  }
}

export function tellMissing(state: State, self: Self, to: Pid, since: number): void {
  if (state.outgoing.has(to)) return
  const upTo = state.set.clock
  const known = state.set.deltaSince(since, 1) !== undefined
  tell(state, self, to, { transfer: !known, from: known ? since : 0, upTo })
}

/** The next piece. */
export function tellOn(state: State, self: Self, to: Pid): void {
  const outgoing = state.outgoing.get(to)
  if (outgoing === undefined) return
  const { set, limits } = state
  const { transfer, from, upTo } = outgoing
  const size = limits.maxDiffSize
  const delta = transfer ? set.transferSince(from, upTo, size) : set.deltaSince(from, size)
  state.outgoing.delete(to)
  // Forgotten meanwhile.
  if (delta === undefined) {
    tell(state, self, to, { transfer: true, from: 0, upTo: set.clock })
    return
  }
  const last = delta.to >= upTo
  self.send(to, { type: DELTA, delta, last })
  if (!last) tell(state, self, to, { transfer, from: delta.to, upTo })
}

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
  if (self.now() >= orphan.untilMs) forgetOrphan(state, self, pid)
  else if (!schedulersNear(self).includes(schedulerOf(pid))) forgetOrphan(state, self, pid)
  else self.sendAfter(LOOK_AGAIN_MS, { type: ORPHAN, pid })
}

/** The successor has told of all it took over: whom it did not name is gone. */
function endOrphans(state: State, self: Self, pid: Pid, { inherited }: Peer): void {
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
function succeeded(
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
