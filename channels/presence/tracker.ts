/**
 * Trackers: which processes are there, under which topics and keys, known on every thread (Phoenix.Tracker). One process per
 * thread keeps what its thread's processes are tracked with, and tells the others. Changes go to the thread of the process they
 * are about; reads stay on the caller's.
 */
import {
  BeamishError,
  type ChildOptions,
  type ChildSpec,
  Exit,
  formatPid,
  type Pid,
  type Self,
} from '../../runtime/index.ts'
import { schedulerOf } from '../../runtime/process/pid.ts'
import { type TrackerLimits, type TrackerOptions, trackerLimits } from './options.ts'
import type { Entry } from './orswot.ts'
import { type Changes, joinsOf, leavesOf } from './pending.ts'
import { type Above, type Place, trackerRegistry, trackerServer, type Updated } from './server.ts'
import { schedulersNear, storeOf, type Tracked } from './store.ts'

export type { Tracked } from './store.ts'

/** What track answers. */
export type TrackResult =
  | { readonly ok: true; readonly ref: string }
  | {
      readonly ok: false
      readonly error: 'already_tracked'
      readonly topic: string
      readonly pid: Pid
      readonly key: string
    }

/** What update answers. */
export type UpdateResult =
  | { readonly ok: true; readonly ref: string }
  | { readonly ok: false; readonly error: 'nopresence' }

/** A key and what it is tracked with. */
export type Tracking<M> = readonly [key: string, meta: Tracked<M>]

/** What became of each topic. Joins come before leaves: one that came and went in between is in both. */
export type TrackerDiff<M> = ReadonlyMap<
  string,
  { readonly joins: readonly Tracking<M>[]; readonly leaves: readonly Tracking<M>[] }
>

export interface TrackerSpec<M extends object, S> extends TrackerOptions {
  /** Makes the state of handleDiff, on each thread. */
  readonly init?: (self: Self) => S | Promise<S>
  /**
   * Runs on every thread with the changes of all threads. Changes the state in place, or returns the next one. While it runs
   * the thread's tracker does nothing else; one that throws ends it.
   */
  readonly handleDiff?: (diff: TrackerDiff<M>, state: S, self: Self) => S | void | Promise<S | void>
}

/** How often an update by a function begins again when somebody else changed the meta meanwhile. */
const MAX_UPDATE_TRIES = 10

export class Tracker<M extends object> {
  readonly name: string
  readonly #behaviour: ReturnType<typeof trackerServer>
  readonly #registry: ReturnType<typeof trackerRegistry>

  /** Made by tracker() and presence(). */
  constructor(name: string, limits: TrackerLimits, above: Above<M>) {
    this.name = name
    this.#registry = trackerRegistry(name)
    this.#behaviour = trackerServer(name, limits, above)
  }

  /** A child of the app's root, with a process on every thread. */
  child(options: ChildOptions = {}): ChildSpec {
    return this.#behaviour.child(undefined, { place: 'each', ...options })
  }

  /**
   * Tracks a process under a topic and key until it ends or is untracked. What `list` says on the process's own thread has it
   * when this resolves. The tracker monitors the process, and never ends it.
   * @throws BEAMISH_BAD_OPTION for a topic, key or meta of the wrong kind
   */
  async track(self: Self, topic: string, pid: Pid, key: string, meta: M): Promise<TrackResult> {
    this.#check(topic, key)
    this.#checkMeta(meta)
    const at: Place = { topic, pid, key }
    const ref = await self.call(this.#of(schedulerOf(pid)), 'track', { ...at, meta })
    return ref === undefined ? { ok: false, error: 'already_tracked', ...at } : { ok: true, ref }
  }

  /**
   * Replaces the meta of a process: a leave of the old one and a join of the new one, with `phx_ref_prev`, in one diff. A
   * function runs in the caller, with the meta there is; again, if that changes meanwhile.
   * @throws BEAMISH_BAD_OPTION
   */
  async update(
    self: Self,
    topic: string,
    pid: Pid,
    key: string,
    meta: M | ((meta: Tracked<M>) => M),
  ): Promise<UpdateResult> {
    this.#check(topic, key)
    const to = this.#of(schedulerOf(pid))
    const at: Place = { topic, pid, key }
    if (typeof meta !== 'function') {
      this.#checkMeta(meta)
      return outcome(await self.call(to, 'update', { ...at, meta }))
    }
    for (let tries = 0; tries < MAX_UPDATE_TRIES; tries++) {
      const old = (await self.call(to, 'meta', at)) as Tracked<M> | undefined
      if (old === undefined) return { ok: false, error: 'nopresence' }
      const next = meta(old)
      this.#checkMeta(next)
      const updated = await self.call(to, 'update', { ...at, meta: next, expected: old.phx_ref })
      if (updated.ref !== undefined || updated.found === false) return outcome(updated)
    }
    throw new Exit({ update: { topic, pid: formatPid(pid), key }, reason: 'busy' })
  }

  /** Ends the tracking of a process under one topic and key, or of all of it. Nothing happens if there is none. */
  async untrack(self: Self, pid: Pid): Promise<void>
  async untrack(self: Self, topic: string, pid: Pid, key: string): Promise<void>
  async untrack(self: Self, ...rest: [Pid] | [string, Pid, string]): Promise<void> {
    if (rest.length === 1) {
      await self.call(this.#of(schedulerOf(rest[0])), 'untrackAll', rest[0])
      return
    }
    const [topic, pid, key] = rest
    this.#check(topic, key)
    await self.call(this.#of(schedulerOf(pid)), 'untrack', { topic, pid, key })
  }

  /** Who is there, on all threads, as far as this thread knows: no call on a thread with a tracker. */
  async list(self: Self, topic: string): Promise<Tracking<M>[]> {
    return (await this.entries(self, topic)).map(({ key, meta }) => [key, meta] as const)
  }

  /** The processes under one key of a topic. */
  async getByKey(
    self: Self,
    topic: string,
    key: string,
  ): Promise<(readonly [pid: Pid, meta: Tracked<M>])[]> {
    return (await this.entries(self, topic, key)).map(({ pid, meta }) => [pid, meta] as const)
  }

  /** What list and getByKey are made of. */
  async entries(self: Self, topic: string, key?: string): Promise<Entry<Tracked<M>>[]> {
    const { set } = storeOf<M>(self, this.name)
    if (set !== undefined) return key === undefined ? set.list(topic) : set.getByKey(topic, key)
    // The main thread has no tracker of its own: any will do.
    for (const id of schedulersNear(self)) {
      if ((await this.#registry.whereis(self, id)) === undefined) continue
      const found = await self.call(this.#of(id), 'list', { topic, key })
      return found as Entry<Tracked<M>>[]
    }
    throw new Exit({ call: { tracker: this.name, event: 'list' }, reason: 'noproc' })
  }

  #of(scheduler: number) {
    return this.#behaviour.named(this.#registry.via(scheduler))
  }

  #check(topic: unknown, key: unknown): void {
    if (typeof topic !== 'string') throw this.#bad('topic', topic, 'give a string')
    if (typeof key !== 'string') throw this.#bad('key', key, 'give a string, such as a user id')
  }

  #checkMeta(meta: unknown): void {
    if (typeof meta === 'object' && meta !== null && !Array.isArray(meta)) return
    throw this.#bad('meta', meta, 'give an object, such as { onlineAt }')
  }

  #bad(option: string, got: unknown, fix: string): BeamishError {
    const of = `${option} of "${this.name}"`
    return new BeamishError('BEAMISH_BAD_OPTION', { option: of, got: typeof got, fix })
  }
}

const outcome = ({ ref }: Updated): UpdateResult =>
  ref === undefined ? { ok: false, error: 'nopresence' } : { ok: true, ref }

const pairs = <M>(entries: readonly Entry<Tracked<M>>[]): Tracking<M>[] =>
  entries.map(({ key, meta }) => [key, meta] as const)

/**
 * Defines a tracker, the base of presence(), for what is not a list of users: which process serves what, on which thread, with
 * what load. Put its child into the app's root supervisor; it has a process on every thread (Phoenix.Tracker).
 *
 * @example
 * ```ts
 * import { supervisor } from 'beamish'
 * import { tracker } from 'beamish/channels'
 * export const Rooms = tracker<{ players: number }>('doc-rooms', {
 *   handleDiff(diff) {
 *     for (const [topic, { joins, leaves }] of diff) console.log(topic, joins.length, leaves.length)
 *   },
 * })
 * export default supervisor({ children: [Rooms.child()] })
 * // in any process: await Rooms.track(self, 'rooms', self.pid, 'lobby', { players: 0 })
 * //                 await Rooms.update(self, 'rooms', self.pid, 'lobby', (room) => ({ players: room.players + 1 }))
 * //                 await Rooms.list(self, 'rooms') // [['lobby', { players: 1, phx_ref: … }]]
 * ```
 * @throws BEAMISH_BAD_OPTION, BEAMISH_BEHAVIOUR_DUPLICATE
 */
export function tracker<M extends object = Record<string, unknown>, S = undefined>(
  name: string,
  spec: TrackerSpec<M, S> = {},
): Tracker<M> {
  const { init, handleDiff, ...options } = spec
  return new Tracker<M>(name, trackerLimits(name, options), {
    init: (self) => init?.(self),
    diff(changes: ReadonlyMap<string, Changes<Tracked<M>>>, state, self) {
      if (handleDiff === undefined) return undefined
      const diff = new Map(
        [...changes].map(([topic, some]) => [
          topic,
          { joins: pairs(joinsOf(some)), leaves: pairs(leavesOf(some)) },
        ]),
      )
      return handleDiff(diff, state, self)
    },
  })
}
