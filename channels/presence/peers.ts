/** The trackers of the other threads: what they have told, what is asked of them, and what they are told. */
import type { Pid, Self } from '../../runtime/index.ts'
import type { Hello } from './forms.ts'
import { endOrphans, succeeded } from './orphans.ts'
import type { Delta } from './orswot.ts'
import { note, type State } from './state.ts'
import type { Tracked } from './store.ts'

/** What is known of another tracker. */
export interface Peer {
  /** Up to which clock it is known to have operations. */
  heard: number
  /** It tells what is missing, or was asked to: whether that has come is looked at a while later. */
  telling: boolean
  /** Up to here stands what it has taken over from the one before. */
  inherited: number | undefined
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

/** A request after which something is missing still is made again, this much later. */
const ASK_AGAIN_MS = 1_000

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
