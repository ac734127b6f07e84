/**
 * The process of a tracker, one per thread: the replica of that thread. It monitors whom it tracks and the trackers of the other
 * threads, tells those of its changes, and those above of everybody's. Each thread speaks for its own processes only, so what
 * is gone with a thread cannot come back through another.
 */
import {
  type BroadcastMessage,
  type DownMessage,
  genServer,
  type Pid,
  type Ref,
  type Self,
  type TaskMessage,
  uniqueRegistry,
} from '../../runtime/index.ts'
import type { TrackerLimits } from './options.ts'
import { type Change, type Delta, Orswot } from './orswot.ts'
import { type Changes, leavesOf } from './pending.ts'
import { makeRef, refPrefix } from './ref.ts'
import { type Store, storeOf, type Tracked } from './store.ts'

/** What a layer above makes of the changes. Its state lives as long as the process. */
export interface Above<M> {
  init(self: Self): unknown
  /** Answers the next state, or undefined if it stays. */
  diff(changes: ReadonlyMap<string, Changes<Tracked<M>>>, state: never, self: Self): unknown
  task?(message: TaskMessage, state: never, self: Self): unknown
}

export interface TrackArgument {
  readonly topic: string
  readonly pid: Pid
  readonly key: string
  readonly meta: object
  /** Of an update: it counts only while this is the reference. */
  readonly expected?: string
}
export type Place = Pick<TrackArgument, 'topic' | 'pid' | 'key'>

export interface Updated {
  readonly ref?: string
  /** Of the meta that stands in its place, if any does. */
  readonly found?: boolean
}

/** What is known of another tracker. */
interface Peer {
  /** Up to which clock it is known to have operations. */
  heard: number
  /** It tells what is missing, or was asked to: whether that has come is looked at a while later. */
  telling: boolean
}

interface Outgoing {
  readonly transfer: boolean
  readonly from: number
  readonly upTo: number
}

interface State {
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
  readonly peers: Map<Pid, Peer>
  /** What is being told in pieces to trackers that miss something. */
  readonly outgoing: Map<Pid, Outgoing>
  above: unknown
}

const FLUSH = 'tracker.flush'
const BEAT = 'tracker.beat'
const TELL = 'tracker.tell'
const DELTA = 'tracker.delta'
const MISSING = 'tracker.missing'
const CHECK = 'tracker.check'
const HELLO = 'hello'
const CHANGES = 'changes'

/** A request after which something is missing still is made again, this much later. */
const ASK_AGAIN_MS = 1_000

/** Names of the trackers by thread. */
export const trackerRegistry = (name: string) => uniqueRegistry(`tracker ${name}`)

export function trackerServer<M extends object>(
  name: string,
  limits: TrackerLimits,
  above: Above<M>,
) {
  const registry = trackerRegistry(name)
  const topic = `beamish.tracker:${name}`
  const layer = above as unknown as Above<object> & { diff: (...args: unknown[]) => unknown }

  /** Sooner or later, and once: what comes until then goes along. */
  function flushSoon(state: State, self: Self): void {
    if (state.flushing) return
    state.flushing = true
    const wait = state.flushedAt + limits.broadcastPeriodMs - self.now()
    if (wait > 0) self.sendAfter(wait, { type: FLUSH })
    else self.send(self.pid, { type: FLUSH })
  }

  function note(state: State, self: Self, changes: readonly Change<Tracked<object>>[]): void {
    if (changes.length === 0) return
    state.store.pending.addAll(changes)
    flushSoon(state, self)
  }

  function watch(state: State, self: Self, pid: Pid): void {
    if (state.tracked.has(pid)) return
    const ref = self.monitor(pid)
    state.tracked.set(pid, ref)
    state.monitors.set(ref, pid)
  }

  function put(state: State, self: Self, at: Place, meta: object, previous?: string): string {
    const { set } = state
    const phx_ref = makeRef(state.prefix, set.clock + 1)
    note(state, self, [set.put(at.topic, at.pid, at.key, renew(meta, phx_ref, previous))])
    watch(state, self, at.pid)
    return phx_ref
  }

  function remove(state: State, self: Self, places: readonly Place[]): void {
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

  function meet(state: State, self: Self, pid: Pid): Peer {
    let peer = state.peers.get(pid)
    if (peer === undefined) {
      // Whoever hears the hello of this one tells it everything, unasked.
      peer = { heard: 0, telling: false }
      state.peers.set(pid, peer)
      checkLater(peer, pid, self)
      state.monitors.set(self.monitor(pid), pid)
    }
    return peer
  }

  function take(state: State, self: Self, delta: Delta<Tracked<object>>, last: boolean): void {
    const pid = delta.replica as Pid
    const peer = meet(state, self, pid)
    note(state, self, state.set.applyDelta(delta))
    if (last) state.set.transferDone(pid)
    peer.heard = Math.max(peer.heard, delta.to)
    if (last || !peer.telling) askIfBehind(state, self, pid, peer)
  }

  function tell(state: State, self: Self, to: Pid, outgoing: Outgoing): void {
    state.outgoing.set(to, outgoing)
    self.send(self.pid, { type: TELL, to })
  }

  return genServer(`beamish.tracker.${name}`, {
    async init(_argument: undefined, self: Self): Promise<State> {
      const store = storeOf<object>(self, name)
      const before = store.set
      const state: State = {
        store,
        set: new Orswot(self.pid, limits.maxDeltaLog),
        prefix: refPrefix(() => self.random()),
        sent: 0,
        flushing: false,
        flushedAt: Number.NEGATIVE_INFINITY,
        beating: false,
        monitors: new Map(),
        tracked: new Map(),
        peers: new Map(),
        outgoing: new Map(),
        above: await layer.init(self),
      }
      if (before !== undefined) {
        for (const pid of inherit(state, before)) watch(state, self, pid)
        flushSoon(state, self)
      }
      store.set = state.set
      await registry.register(self, self.scheduler)
      self.subscribe(topic)
      self.broadcastFrom(topic, HELLO, { pid: self.pid })
      return state
    },

    handleCall: {
      /** The reference, or undefined if there is one already. */
      track: (state, { topic, pid, key, meta }: TrackArgument, self) =>
        state.set.own(topic, pid, key) === undefined
          ? put(state, self, { topic, pid, key }, meta)
          : undefined,
      update(state, { topic, pid, key, meta, expected }: TrackArgument, self): Updated {
        const old = state.set.own(topic, pid, key)?.meta
        if (old === undefined) return { found: false }
        if (expected !== undefined && expected !== old.phx_ref) return { found: true }
        return { ref: put(state, self, { topic, pid, key }, meta, old.phx_ref) }
      },
      meta: (state, { topic, pid, key }: Place) => state.set.own(topic, pid, key)?.meta,
      untrack(state, place: Place, self) {
        remove(state, self, [place])
        return true
      },
      untrackAll(state, pid: Pid, self) {
        remove(state, self, state.set.ownOf(pid))
        return true
      },
      list: (state, { topic, key }: { topic: string; key?: string }) =>
        key === undefined ? state.set.list(topic) : state.set.getByKey(topic, key),
    },

    handleInfo: {
      DOWN(state, { ref }: DownMessage, self) {
        const pid = state.monitors.get(ref)
        if (pid === undefined) return
        state.monitors.delete(ref)
        if (state.peers.delete(pid)) {
          state.outgoing.delete(pid)
          note(state, self, state.set.forget(pid))
        } else {
          state.tracked.delete(pid)
          remove(state, self, state.set.ownOf(pid))
        }
      },

      broadcast(state, { event, payload }: BroadcastMessage, self) {
        if (event === CHANGES) take(state, self, payload as Delta<Tracked<object>>, false)
        if (event !== HELLO) return
        const { pid } = payload as { pid: Pid }
        meet(state, self, pid)
        tell(state, self, pid, { transfer: true, from: 0, upTo: state.set.clock })
      },

      [DELTA]: (state, message: { delta: Delta<Tracked<object>>; last: boolean }, self) =>
        take(state, self, message.delta, message.last),

      [CHECK](state, { pid }: { pid: Pid }, self) {
        const peer = state.peers.get(pid)
        if (peer === undefined) return
        peer.telling = false
        askIfBehind(state, self, pid, peer)
      },

      [MISSING](state, { pid, since }: { pid: Pid; since: number }, self) {
        if (state.outgoing.has(pid)) return
        const upTo = state.set.clock
        const known = state.set.deltaSince(since, 1) !== undefined
        tell(state, self, pid, { transfer: !known, from: known ? since : 0, upTo })
      },

      [TELL](state, { to }: { to: Pid }, self) {
        const outgoing = state.outgoing.get(to)
        if (outgoing === undefined) return
        const { set } = state
        const { transfer, from, upTo } = outgoing
        const size = limits.maxDiffSize
        const delta = transfer ? set.transferSince(from, upTo, size) : set.deltaSince(from, size)
        state.outgoing.delete(to)
        // Forgotten meanwhile.
        if (delta === undefined)
          return tell(state, self, to, { transfer: true, from: 0, upTo: set.clock })
        const last = delta.to >= upTo
        self.send(to, { type: DELTA, delta, last })
        if (!last) tell(state, self, to, { transfer, from: delta.to, upTo })
      },

      [FLUSH](state, _message, self) {
        const { set, store } = state
        if (state.sent < set.clock) {
          const delta = set.deltaSince(state.sent, limits.maxDiffSize)
          // More changes than are remembered in one go: whoever listens asks for what is missing.
          const to = delta?.to ?? set.clock
          self.broadcastFrom(topic, CHANGES, delta ?? mark(set))
          state.sent = to
          if (!state.beating) {
            state.beating = true
            self.sendAfter(limits.heartbeatMs, { type: BEAT })
          }
        }
        const changes = store.pending.take(limits.maxDiffSize)
        state.flushing = !store.pending.isEmpty || state.sent < set.clock
        state.flushedAt = self.now()
        if (state.flushing) self.send(self.pid, { type: FLUSH })
        if (changes.size === 0) return undefined
        return settle(state, layer.diff(changes, state.above, self))
      },

      [BEAT](state, _message, self) {
        state.beating = false
        self.broadcastFrom(topic, CHANGES, { ...mark(state.set), from: state.sent, to: state.sent })
      },

      task: (state, message: TaskMessage, self) =>
        settle(state, layer.task?.(message, state.above as never, self)),
    },

    // Ten thousand entries say less than their number.
    formatStatus: ({ state }) => ({ state: shown(state) }),
  })
}

/** How far a replica is, without what it did. */
const mark = ({ replica, clock }: Orswot<Tracked<object>>): Delta<Tracked<object>> => ({
  replica,
  from: clock,
  to: clock,
  entries: [],
  removed: [],
  transfer: false,
})

function settle(state: State, next: unknown): undefined | Promise<undefined> {
  if (next instanceof Promise) return next.then((value) => settle(state, value))
  if (next !== undefined) state.above = next
  return undefined
}

/** What is to be told of a tracker that has ended, and of whom it tracked: they live on, and join anew. */
function inherit({ store, set, prefix }: State, before: Orswot<Tracked<object>>): Pid[] {
  const { pending } = store
  const untold = leavesOf(pending.takeAll())
  // What joined and had not been told is among the entries below.
  for (const entry of untold) pending.addAsNew(entry)
  const pids = new Set<Pid>()
  const all = before.all()
  for (const entry of all) pending.add({ join: entry })
  for (const leave of all) {
    if (leave.replica !== before.replica) {
      // It comes back with what its own tracker tells.
      pending.add({ leave })
      continue
    }
    const { topic, pid, key, meta } = leave
    const renewed = renew(meta, makeRef(prefix, set.clock + 1), meta.phx_ref)
    pending.add({ join: set.put(topic, pid, key, renewed).join, leave })
    pids.add(pid)
  }
  return [...pids]
}

/** A meta with its references; one it brought along from an earlier change counts for nothing. */
function renew(meta: object, phx_ref: string, previous: string | undefined): Tracked<object> {
  const { phx_ref_prev: _, ...rest } = meta as { readonly phx_ref_prev?: unknown }
  return previous === undefined
    ? { ...rest, phx_ref }
    : { ...rest, phx_ref, phx_ref_prev: previous }
}

const shown = (state: unknown): unknown => {
  const { set, tracked, peers, above } = state as State
  const { clock, size, cloudSize } = set
  return { clock, entries: size, early: cloudSize, tracked: tracked.size, peers: peers.size, above }
}
