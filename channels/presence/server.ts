/**
 * The process of a tracker, one per thread: the replica of that thread. It monitors whom it tracks and the trackers of the other
 * threads, tells those of its changes, and those above of everybody's. Each thread speaks for its own processes only, so what
 * is gone with a thread cannot come back through another.
 */
import {
  type BroadcastMessage,
  type DownMessage,
  type From,
  genServer,
  noreply,
  type Pid,
  type Self,
  type TaskMessage,
  uniqueRegistry,
} from '../../runtime/index.ts'
import { isDelta, isHello } from './forms.ts'
import { inherit } from './inherit.ts'
import type { TrackerLimits } from './options.ts'
import { ended, lookAtOrphan, ORPHAN } from './orphans.ts'
import { type Delta, Orswot } from './orswot.ts'
import {
  CHECK,
  check,
  DELTA,
  greeted,
  MISSING,
  TELL,
  take,
  tellAll,
  tellMissing,
  tellOn,
} from './peers.ts'
import type { Changes } from './pending.ts'
import { refPrefix } from './ref.ts'
import { FLUSH, type Place, put, remove, type State } from './state.ts'
import { storeOf, type Tracked } from './store.ts'
import { type Asking, TURN_OVER, Turns } from './turns.ts'

export type { Place } from './state.ts'

/** What a layer above makes of the changes. Its state lives as long as the process. */
export interface Above<M> {
  /** What the one before had left to say it puts among what is pending. */
  init(self: Self): unknown
  /** Answers the next state, or undefined if it stays. */
  diff(changes: ReadonlyMap<string, Changes<Tracked<M>>>, state: never, self: Self): unknown
  task?(message: TaskMessage, state: never, self: Self): unknown
}

export interface TrackArgument extends Place {
  readonly meta: object
}

export interface UpdateArgument extends TrackArgument {
  /** It counts only while this is the reference. */
  readonly expected?: string
  /** Ends when it is done. */
  readonly turn?: number
}

/** `meta` is the one that stands in the way of what was expected. Neither: nobody is there. */
export interface Updated {
  readonly ref?: string
  readonly meta?: object
}

const BEAT = 'tracker.beat'
const HELLO = 'hello'
const CHANGES = 'changes'

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

  return genServer(`beamish.tracker.${name}`, {
    async init(_argument: undefined, self: Self): Promise<State> {
      const store = storeOf<object>(self, name)
      const before = store.set
      const set = new Orswot<Tracked<object>>(self.pid, limits.maxDeltaLog)
      const state: State = {
        limits,
        store,
        set,
        prefix: refPrefix(() => self.random()),
        sent: 0,
        flushing: false,
        flushedAt: Number.NEGATIVE_INFINITY,
        beating: false,
        monitors: new Map(),
        tracked: new Map(),
        turns: new Turns(({ topic, pid, key }) => set.own(topic, pid, key)?.meta),
        peers: new Map(),
        orphans: new Map(),
        outgoing: new Map(),
        above: await layer.init(self),
      }
      if (before !== undefined) inherit(state, self, before)
      store.set = set
      await registry.register(self, self.scheduler)
      self.subscribe(topic)
      self.broadcastFrom(topic, HELLO, { pid: self.pid, clock: set.clock })
      return state
    },

    handleCall: {
      /** The reference, or undefined if there is one already. */
      track: (state, { topic, pid, key, meta }: TrackArgument, self) =>
        state.set.own(topic, pid, key) === undefined
          ? put(state, self, { topic, pid, key }, meta)
          : undefined,
      update(state, { topic, pid, key, meta, expected, turn }: UpdateArgument, self): Updated {
        const at = { topic, pid, key }
        const old = state.set.own(topic, pid, key)?.meta
        if (old !== undefined && expected !== undefined && expected !== old.phx_ref) {
          return { meta: old }
        }
        const ref = old === undefined ? undefined : put(state, self, at, meta, old.phx_ref)
        if (turn !== undefined) state.turns.end(at, turn, self)
        return ref === undefined ? {} : { ref }
      },
      /** The meta for an update by a function, when its turn has come; undefined if nobody is there. */
      turn(state, asking: Asking, self, { pid, ref }: From) {
        state.turns.wait(asking, { pid, ref }, self)
        return noreply()
      },
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
      DOWN(state, { ref, reason }: DownMessage, self) {
        const pid = state.monitors.get(ref)
        if (pid === undefined) {
          state.turns.down(ref, self)
          return
        }
        state.monitors.delete(ref)
        if (state.peers.has(pid)) ended(state, self, pid, reason)
        else {
          state.tracked.delete(pid)
          remove(state, self, state.set.ownOf(pid))
        }
      },

      broadcast(state, { event, payload }: BroadcastMessage, self) {
        if (event === CHANGES && isDelta(payload, limits.maxDiffSize))
          take(state, self, payload, false)
        if (event === HELLO && isHello(payload)) greeted(state, self, payload)
      },

      [DELTA]: (state, message: { delta: Delta<Tracked<object>>; last: boolean }, self) =>
        take(state, self, message.delta, message.last),
      [CHECK]: (state, { pid }: { pid: Pid }, self) => check(state, self, pid),
      [ORPHAN]: (state, { pid }: { pid: Pid }, self) => lookAtOrphan(state, self, pid),
      [MISSING]: (state, { pid, since }: { pid: Pid; since: number }, self) =>
        tellMissing(state, self, pid, since),
      [TELL]: (state, { to }: { to: Pid }, self) => tellOn(state, self, to),
      [TURN_OVER]: (state, { place, turn }: { place: Place; turn: number }, self) =>
        state.turns.end(place, turn, self),

      [FLUSH](state, _message, self) {
        const { set, store } = state
        if (state.sent < set.clock) {
          const delta = set.deltaSince(state.sent, limits.maxDiffSize)
          self.broadcastFrom(topic, CHANGES, delta ?? mark(set))
          if (delta === undefined) tellAll(state, self)
          state.sent = delta?.to ?? set.clock
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

    handleCast: {
      turnLeft: (state, { by, asked }: { readonly by: Pid; readonly asked: number }, self) =>
        state.turns.left(by, asked, self),
      turnOver: (state, { turn, ...place }: Place & { readonly turn: number }, self) =>
        state.turns.end(place, turn, self),
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

const shown = (state: unknown): unknown => {
  const { set, tracked, turns, peers, above } = state as State
  const { clock, size, cloudSize } = set
  return {
    clock,
    entries: size,
    early: cloudSize,
    tracked: tracked.size,
    turns: turns.size,
    peers: peers.size,
    above,
  }
}
