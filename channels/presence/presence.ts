/**
 * Presence: who is there, told to browsers (Phoenix.Presence). A tracker whose changes each thread pushes to its own subscribers
 * of the topic as `presence_diff`, in the form that the official client's Presence takes.
 */
import {
  BeamishError,
  type ChildOptions,
  type ChildSpec,
  type Pid,
  type Self,
  type TaskMessage,
} from '../../runtime/index.ts'
import { type Fetch, Fetching } from './fetching.ts'
import { jsonCheck } from './meta.ts'
import { Metas } from './metas.ts'
import { type TrackerOptions, trackerLimits } from './options.ts'
import { Outbox, type OutboxLimits, type Say } from './outbox.ts'
import type { Changes } from './pending.ts'
import type { Above } from './server.ts'
import { grouped, type PresenceDiff, type PresenceEntry, type Presences } from './shape.ts'
import { storeOf, type Tracked } from './store.ts'
import { Tracker, type TrackResult, type UpdateResult } from './tracker.ts'

const PRESENCE_DIFF = 'presence_diff'

export interface PresenceSpec<M extends object, S> extends TrackerOptions {
  /**
   * Adds to presences what clients should know of them: one query for all, instead of one per process. Answers them by key, with
   * any fields added; metas stay as they are. Runs in a task, for each list and each diff, joins and leaves apart. Where it
   * fails or takes too long, presences go out without, and a notice `presence_unfetched` says so.
   */
  readonly fetch?: Fetch<M>
  /** Default 5,000. */
  readonly fetchTimeoutMs?: number
  /** Changes of a topic that wait for a fetch, at most; with more it is given up, and they go out without. Default 10,000. */
  readonly maxWaiting?: number
  /** Makes the state of handleMetas, on each thread. */
  readonly init?: (self: Self) => S | Promise<S>
  /**
   * Hears of each diff on every thread, once subscribers have been told, with the metas of the topic as they are after it.
   * Changes the state in place, or returns the next one. While it runs the thread's presences wait; one that throws ends their
   * process, which is restarted and tells everything anew.
   */
  readonly handleMetas?: (
    topic: string,
    diff: PresenceDiff<M>,
    presences: ReadonlyMap<string, readonly Tracked<M>[]>,
    state: S,
    self: Self,
  ) => S | void
}

/** The state of a presence's process, above its tracker. */
interface State<M> {
  readonly outbox: Outbox<M>
  readonly metas: Metas<M> | undefined
  user: unknown
}

export class Presence<M extends object> {
  readonly name: string
  readonly #tracker: Tracker<M>
  readonly #fetching: Fetching<M> | undefined

  /** Made by presence(). */
  constructor(name: string, tracker: Tracker<M>, fetching: Fetching<M> | undefined) {
    this.name = name
    this.#tracker = tracker
    this.#fetching = fetching
  }

  /** A child of the app's root, with a process on every thread; before the endpoint, whose channels use it. */
  child(options: ChildOptions = {}): ChildSpec {
    return this.#tracker.child(options)
  }

  /**
   * Tracks a process, a channel mostly, under a key, a user's id mostly, until it ends or is untracked: `ref` is its `phx_ref`.
   * @throws BEAMISH_BAD_OPTION for a topic, key or meta of the wrong kind, or a meta that cannot cross threads; CHN_PAYLOAD for a meta
   * that has no JSON; CHN_TRACKER if the process is on the main thread or on one that is lost, or if its thread has no tracker
   */
  track(self: Self, topic: string, pid: Pid, key: string, meta: M): Promise<TrackResult> {
    return this.#tracker.track(self, topic, pid, key, meta)
  }

  /**
   * Replaces the meta of a process: leave and join in one diff, the new meta with `phx_ref_prev`. A function runs in the caller,
   * with a copy of the meta there is; those of several callers take turns.
   * @throws BEAMISH_BAD_OPTION, CHN_PAYLOAD, CHN_TRACKER as track does, for what the function answers too
   */
  update(
    self: Self,
    topic: string,
    pid: Pid,
    key: string,
    meta: M | ((meta: Tracked<M>) => M),
  ): Promise<UpdateResult> {
    return this.#tracker.update(self, topic, pid, key, meta)
  }

  /** Ends the tracking of a process under one topic and key, or of all of it. Nothing happens if there is none. */
  untrack(self: Self, pid: Pid): Promise<void>
  untrack(self: Self, topic: string, pid: Pid, key: string): Promise<void>
  untrack(self: Self, ...rest: [Pid] | [string, Pid, string]): Promise<void> {
    return this.#tracker.untrack(self, ...(rest as [string, Pid, string]))
  }

  /** Everybody under a topic, fetched: what a client gets as `presence_state`. */
  async list(self: Self, topic: string): Promise<Presences<M>> {
    const entries = await this.#tracker.entries(self, topic)
    return this.#fetched(self, topic, grouped(entries))
  }

  /** One key of a topic, fetched; undefined if nobody is there under it. */
  async getByKey(self: Self, topic: string, key: string): Promise<PresenceEntry<M> | undefined> {
    const entries = await this.#tracker.entries(self, topic, key)
    return (await this.#fetched(self, topic, grouped(entries)))[key]
  }

  async #fetched(self: Self, topic: string, presences: Presences<M>): Promise<Presences<M>> {
    if (this.#fetching === undefined || Object.keys(presences).length === 0) return presences
    return this.#fetching.list(topic, presences, self)
  }
}

function checked(presence: string, option: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1 && value < 2 ** 31) return value
  throw new BeamishError('BEAMISH_BAD_OPTION', {
    option: `${option} of presence "${presence}"`,
    got: String(value),
    fix: `give a whole number from 1 to ${2 ** 31 - 1}`,
  })
}

/**
 * Defines presences. Put the child into the app's root supervisor, ahead of the endpoint; a channel tracks itself when it has
 * joined, and pushes the list; every later change reaches its client as `presence_diff` by itself (Phoenix.Presence).
 *
 * @example
 * ```ts
 * import { process, supervisor } from 'beamish'
 * import { presence } from 'beamish/channels'
 * export const Here = presence<{ onlineAt: number }>('doc-here', {
 *   fetch: (_topic, presences) =>
 *     Object.fromEntries(Object.keys(presences).map((id) => [id, { user: { id, name: `User ${id}` } }])),
 * })
 * export const Visitor = process('doc-visitor', async (self, id: string) => {
 *   self.subscribe('room:1') // its messages: presence_diff { joins, leaves }
 *   await Here.track(self, 'room:1', self.pid, id, { onlineAt: Date.now() })
 *   console.log(await Here.list(self, 'room:1')) // { [id]: { user, metas: [{ onlineAt, phx_ref }] } }
 *   await self.receive()
 * })
 * export default supervisor({ children: [Here.child()] })
 * ```
 * @throws BEAMISH_BAD_OPTION, BEAMISH_BEHAVIOUR_DUPLICATE
 */
export function presence<M extends object = Record<string, unknown>, S = undefined>(
  name: string,
  spec: PresenceSpec<M, S> = {},
): Presence<M> {
  const { fetch, fetchTimeoutMs = 5_000, maxWaiting = 10_000, init, handleMetas, ...options } = spec
  if (handleMetas !== undefined && init === undefined) {
    throw new BeamishError('BEAMISH_BAD_OPTION', {
      option: `handleMetas of presence "${name}"`,
      got: 'given without init',
      fix: 'give an init that makes its state',
    })
  }
  const trackerSettings = trackerLimits(name, options)
  const limits: OutboxLimits = {
    maxDiffSize: trackerSettings.maxDiffSize,
    maxWaiting: checked(name, 'maxWaiting', maxWaiting),
  }
  const timeoutMs = checked(name, 'fetchTimeoutMs', fetchTimeoutMs)
  const fetching = fetch === undefined ? undefined : new Fetching(name, fetch, timeoutMs)

  const sayer = (state: State<M>, self: Self): Say<M> => {
    return (topic, diff) => {
      self.localBroadcast(topic, PRESENCE_DIFF, diff)
      if (state.metas === undefined || handleMetas === undefined) return
      const presences = state.metas.apply(topic, diff)
      const next = handleMetas(topic, diff, presences, state.user as S, self)
      if (next !== undefined) state.user = next
    }
  }
  const above: Above<M> = {
    async init(self): Promise<State<M>> {
      const store = storeOf<M>(self, name)
      const before = store.above as Outbox<M> | undefined
      for (const leave of before?.leavesUnsaid() ?? []) store.pending.add({ leave })
      const outbox = new Outbox<M>()
      store.above = outbox
      const metas = handleMetas === undefined ? undefined : new Metas<M>()
      return { outbox, metas, user: await init?.(self) }
    },
    diff(changes: ReadonlyMap<string, Changes<Tracked<M>>>, state: State<M>, self) {
      state.outbox.add(changes, fetching, limits, self, sayer(state, self))
    },
    task(message: TaskMessage, state: State<M>, self) {
      if (fetching === undefined) return
      state.outbox.fetched(message, fetching, limits, self, sayer(state, self))
    },
  }
  return new Presence<M>(
    name,
    new Tracker<M>(name, trackerSettings, above, jsonCheck(name)),
    fetching,
  )
}
