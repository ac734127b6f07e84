/** Child specs: how a supervisor starts, restarts and stops a process. Plain data, so that they cross threads. */
import { BeamishError } from '../errors.ts'
import { type Flags, flagsOf } from '../process/flags.ts'
import type { Placement } from '../scheduler/placement.ts'

/** permanent: always restarted. transient: unless it ends normal, shutdown or { shutdown }. temporary: never. */
export type Restart = 'permanent' | 'transient' | 'temporary'

/** Milliseconds to end in after exit(shutdown) before it is killed; Infinity waits for ever, brutal_kill not at all. */
export type Shutdown = number | 'brutal_kill'

/**
 * Where a child lives. `each`: one on every thread, at the root of an app only. A child placed by key waits for its thread's
 * replacement; one pinned with `{ scheduler }`, inside threads only, is kept without a process once that thread is lost.
 */
export type ChildPlacement = Placement | 'each'

export interface ChildOptions extends Flags {
  /** Unique among its siblings. Default: the name, else the behaviour's name. */
  readonly id?: string
  /** Registers the process under this name. */
  readonly name?: string
  /** Default permanent. */
  readonly restart?: Restart
  /** Default 5,000; Infinity for supervisors. */
  readonly shutdown?: Shutdown
  /**
   * Its end by itself, other than to be restarted, may end its supervisor: see autoShutdown there. Default false; never for
   * permanent children.
   */
  readonly significant?: boolean
  /** Default here; any at the root of an app. */
  readonly place?: ChildPlacement
}

export interface ChildSpec {
  readonly id: string
  readonly behaviour: string
  readonly argument: unknown
  readonly name: string | undefined
  readonly restart: Restart
  readonly shutdown: Shutdown
  readonly type: 'worker' | 'supervisor'
  /** undefined: the supervisor's default. */
  readonly place: ChildPlacement | undefined
  readonly significant?: boolean | undefined
  readonly flags?: Flags | undefined
}

export const DEFAULT_SHUTDOWN_MS = 5_000

export function childSpec(
  behaviour: string,
  argument: unknown,
  options: ChildOptions = {},
  type: ChildSpec['type'] = 'worker',
): ChildSpec {
  return {
    id: options.id ?? options.name ?? behaviour,
    behaviour,
    argument,
    name: options.name,
    restart: options.restart ?? 'permanent',
    shutdown:
      options.shutdown ?? (type === 'supervisor' ? Number.POSITIVE_INFINITY : DEFAULT_SHUTDOWN_MS),
    type,
    place: options.place,
    significant: options.significant,
    flags: flagsOf(options),
  }
}

/**
 * Which ends of significant children end their supervisor, with shutdown: none, the first, or the last one's.
 * A transient child counts when it ends normal, shutdown or { shutdown }, a temporary one for any reason.
 */
export type AutoShutdown = 'never' | 'any_significant' | 'all_significant'

export const AUTO_SHUTDOWNS: readonly AutoShutdown[] = [
  'never',
  'any_significant',
  'all_significant',
]

const RESTARTS: readonly string[] = ['permanent', 'transient', 'temporary']

/** Throws BEAMISH_BAD_CHILD, naming the fix, unless this is a child spec. */
export function checkChildSpec(
  spec: unknown,
  autoShutdown: AutoShutdown = 'never',
): asserts spec is ChildSpec {
  const bad = (child: string, fix: string) =>
    new BeamishError('BEAMISH_BAD_CHILD', { child: `"${child}"`, fix })
  if (typeof spec !== 'object' || spec === null || !('behaviour' in spec)) {
    throw bad(String(spec), 'make it with Behaviour.child(argument, options) or supervisor({ … })')
  }
  const { id, restart, shutdown } = spec as ChildSpec
  if (typeof id !== 'string' || id === '') throw bad(String(id), 'give it an id that is a string')
  if (!RESTARTS.includes(restart)) {
    throw bad(id, 'restart must be "permanent", "transient" or "temporary"')
  }
  if (shutdown !== 'brutal_kill' && !(typeof shutdown === 'number' && shutdown >= 0)) {
    throw bad(id, 'shutdown must be milliseconds, Infinity or "brutal_kill"')
  }
  const { significant, place } = spec as ChildSpec
  if (significant === undefined || significant === false) return
  if (significant !== true) throw bad(id, 'significant must be true or false')
  if (restart === 'permanent') {
    throw bad(id, 'a permanent child is always restarted: make it transient, or not significant')
  }
  if (place === 'each') throw bad(id, 'a child placed "each" cannot be significant')
  if (autoShutdown === 'never') {
    throw bad(id, 'give its supervisor autoShutdown, or do not make it significant')
  }
}
