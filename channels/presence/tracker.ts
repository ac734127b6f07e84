/**
 * Trackers: which processes are there, under which topics and keys, known on every thread (Phoenix.Tracker). One process per
 * thread keeps what its thread's processes are tracked with, and tells the others. Changes go to the thread of the process they
 * are about; reads stay on the caller's.
 */
import {
  BeamishError,
  type ChildOptions,
  type ChildSpec,
  type Pid,
  type Self,
} from '../../runtime/index.ts'
import { schedulerOf } from '../../runtime/process/pid.ts'
import { isNoproc, MAIN, noTracker, untrackable } from './absent.ts'
import { type MetaCheck, metaOf } from './meta.ts'
import { type TrackerLimits, type TrackerOptions, trackerLimits } from './options.ts'
import type { Entry } from './orswot.ts'
import { type Changes, joinsOf, leavesOf } from './pending.ts'
import { type Above, type Place, trackerRegistry, trackerServer, type Updated } from './server.ts'
import { schedulersNear, storeOf, type Tracked } from './store.ts'
import type { Turn } from './turns.ts'

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

/** What became of each topic. Joins come before leaves. One that came and went in between is in both, or, on other threads, in neither. */
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

type TrackerName = ReturnType<ReturnType<typeof trackerServer>['named']>

/** The process is on no thread that has, or could have, a tracker. */
const NOWHERE: unique symbol = Symbol('nowhere')

let lastAsked = 0

export class Tracker<M extends object> {
  readonly name: string
  readonly #behaviour: ReturnType<typeof trackerServer>
  readonly #registry: ReturnType<typeof trackerRegistry>
  readonly #check: MetaCheck | undefined

  /** Made by tracker() and presence(). */
  constructor(name: string, limits: TrackerLimits, above: Above<M>, check?: MetaCheck) {
    this.name = name
    this.#registry = trackerRegistry(name)
    this.#behaviour = trackerServer(name, limits, above)
    this.#check = check
  }

  /** A child of the app's root, with a process on every thread. */
  child(options: ChildOptions = {}): ChildSpec {
    return this.#behaviour.child(undefined, { place: 'each', ...options })
  }

  /**
   * Tracks a process under a topic and key until it ends or is untracked. What `list` says on the process's own thread has it
   * when this resolves. The tracker monitors the process, never ends it, and keeps a copy of the meta.
   * @throws BEAMISH_BAD_OPTION for a topic, key or meta of the wrong kind, or a meta that cannot cross threads; CHN_PAYLOAD for one
   * that a presence's clients cannot be told; CHN_TRACKER if the process is on the main thread or on one that is lost, or if its
   * thread has no tracker
   */
  async track(self: Self, topic: string, pid: Pid, key: string, meta: M): Promise<TrackResult> {
    this.#checkPlace(topic, key)
    const at: Place = { topic, pid, key }
    const kept = metaOf<M>(this.name, meta, this.#check)
    const ref = await this.#near(self, pid, (to) => self.call(to, 'track', { ...at, meta: kept }))
    if (ref === NOWHERE) throw untrackable(this.name, pid)
    return ref === undefined ? { ok: false, error: 'already_tracked', ...at } : { ok: true, ref }
  }

  /**
   * Replaces the meta of a process: a leave of the old one and a join of the new one, with `phx_ref_prev`, in one diff. A
   * function runs in the caller, with a copy of the meta there is. Updates by functions take turns, so each gets what the one
   * before has made; it runs again if something else changes the meta meanwhile.
   * @throws BEAMISH_BAD_OPTION, CHN_PAYLOAD, CHN_TRACKER as track does, for what the function answers too
   */
  async update(
    self: Self,
    topic: string,
    pid: Pid,
    key: string,
    meta: M | ((meta: Tracked<M>) => M),
  ): Promise<UpdateResult> {
    this.#checkPlace(topic, key)
    const at: Place = { topic, pid, key }
    if (typeof meta === 'function') return this.#updateBy(self, at, meta)
    const kept = metaOf<M>(this.name, meta, this.#check)
    return outcome(
      await this.#near(self, pid, (to) => self.call(to, 'update', { ...at, meta: kept })),
    )
  }

  async #updateBy(self: Self, at: Place, change: (meta: Tracked<M>) => M): Promise<UpdateResult> {
    const { pid } = at
    const asked = ++lastAsked
    const got = await this.#near(self, pid, async (to) => {
      try {
        return await self.call(to, 'turn', { ...at, asked })
      } catch (error) {
        // It would be given a turn that it does not use, and hold up who is behind it.
        self.cast(to, 'turnLeft', { by: self.pid, asked })
        throw error
      }
    })
    if (got === NOWHERE || got === undefined) return { ok: false, error: 'nopresence' }
    const { turn, meta } = got as Turn
    let old = meta as Tracked<M>
    for (;;) {
      const expected = old.phx_ref
      let next: M
      try {
        next = metaOf<M>(this.name, change(structuredClone(old)), this.#check)
      } catch (error) {
        self.cast(this.#of(schedulerOf(pid)), 'turnOver', { ...at, turn })
        throw error
      }
      const argument = { ...at, meta: next, expected, turn }
      const updated = await this.#near(self, pid, (to) => self.call(to, 'update', argument))
      if (updated === NOWHERE || updated.meta === undefined) return outcome(updated)
      old = updated.meta as Tracked<M>
    }
  }

  /**
   * Ends the tracking of a process under one topic and key, or of all of it. Nothing happens if there is none.
   * @throws CHN_TRACKER if its thread has no tracker
   */
  async untrack(self: Self, pid: Pid): Promise<void>
  async untrack(self: Self, topic: string, pid: Pid, key: string): Promise<void>
  async untrack(self: Self, ...rest: [Pid] | [string, Pid, string]): Promise<void> {
    if (rest.length === 1) {
      const [pid] = rest
      await this.#near(self, pid, (to) => self.call(to, 'untrackAll', pid))
      return
    }
    const [topic, pid, key] = rest
    this.#checkPlace(topic, key)
    await this.#near(self, pid, (to) => self.call(to, 'untrack', { topic, pid, key }))
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
    throw noTracker(this.name, undefined)
  }

  /** Asks the tracker of the process's thread. @throws CHN_TRACKER */
  async #near<T>(
    self: Self,
    pid: Pid,
    ask: (to: TrackerName) => Promise<T>,
  ): Promise<T | typeof NOWHERE> {
    const scheduler = schedulerOf(pid)
    if (scheduler === MAIN) return NOWHERE
    try {
      return await ask(this.#of(scheduler))
    } catch (error) {
      if (!schedulersNear(self).includes(scheduler)) return NOWHERE
      throw isNoproc(error) ? noTracker(this.name, scheduler, error) : error
    }
  }

  #of(scheduler: number) {
    return this.#behaviour.named(this.#registry.via(scheduler))
  }

  #checkPlace(topic: unknown, key: unknown): void {
    if (typeof topic !== 'string') throw this.#bad('topic', topic, 'give a string')
    if (typeof key !== 'string') throw this.#bad('key', key, 'give a string, such as a user id')
  }

  #bad(option: string, got: unknown, fix: string): BeamishError {
    const of = `${option} of "${this.name}"`
    return new BeamishError('BEAMISH_BAD_OPTION', { option: of, got: typeof got, fix })
  }
}

function outcome(updated: Updated | typeof NOWHERE): UpdateResult {
  const ref = updated === NOWHERE ? undefined : updated.ref
  return ref === undefined ? { ok: false, error: 'nopresence' } : { ok: true, ref }
}

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
