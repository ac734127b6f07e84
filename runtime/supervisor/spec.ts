/** supervisor({ … }): a supervision tree as data, the default export of an app module. */
import { BeamishError } from '../errors.ts'
import {
  AUTO_SHUTDOWNS,
  type AutoShutdown,
  type ChildOptions,
  type ChildSpec,
  checkChildSpec,
  childSpec,
} from './childSpec.ts'
import { STRATEGIES, type Strategy } from './strategy.ts'

export interface SupervisorOptions extends ChildOptions {
  /**
   * Who is restarted with a child that ended: one_for_one (default) nobody, one_for_all all its siblings, rest_for_one
   * those that stand after it. They are stopped in reverse and started in order; temporary ones are stopped only.
   */
  readonly strategy?: Strategy
  /** Started in this order, stopped in reverse. */
  readonly children: readonly (ChildSpec | SupervisorTree)[]
  /** Which ends of `significant` children end the supervisor itself. Default never. */
  readonly autoShutdown?: AutoShutdown
  /** More restarts than this within maxSeconds end the supervisor. Default 3. */
  readonly maxRestarts?: number
  /** Default 5. */
  readonly maxSeconds?: number
}

export interface SupervisorSpec {
  readonly strategy: Strategy
  readonly children: readonly ChildSpec[]
  readonly maxRestarts: number
  readonly maxSeconds: number
  /** Default never. */
  readonly autoShutdown?: AutoShutdown
}

/** A supervisor as a child: its spec is its argument. */
export interface SupervisorTree extends ChildSpec {
  readonly type: 'supervisor'
  readonly argument: SupervisorSpec
}

export const MAX_RESTARTS = 3
export const MAX_SECONDS = 5

/**
 * Describes a supervisor and its children. Plain data: nothing starts before start() or a parent supervisor runs it.
 *
 * A supervisor starts its children in order, each once the init of the one before is through, and stops them in reverse.
 * A child that ended is restarted as its `restart` says, and with it those the strategy ties to it. A restart that fails is
 * tried again behind whatever else the supervisor was asked meanwhile. More than maxRestarts within maxSeconds end the
 * supervisor with shutdown (OTP supervisor; defaults are Elixir's). All ends by one lost thread count as one.
 *
 * It answers calls: `whichChildren`, `countChildren`, `startChild` with a spec, `terminateChild`, `restartChild` and
 * `deleteChild` with an id.
 *
 * @example
 * ```ts
 * import { genServer, supervisor } from 'beamish'
 * const Clock = genServer('doc-clock', { init: () => 0, handleCall: { time: () => Date.now() } })
 * const clock = Clock.child(undefined, { name: 'clock' })
// Whoever keeps what the clock said starts anew with it.
const wall = Clock.child(undefined, { name: 'wall clock' })
export default supervisor({ strategy: 'rest_for_one', children: [clock, wall], maxRestarts: 5, maxSeconds: 10 })
 * ```
 * @throws BEAMISH_BAD_OPTION, BEAMISH_BAD_CHILD
 */
export function supervisor(options: SupervisorOptions): SupervisorTree {
  const { strategy = 'one_for_one', autoShutdown = 'never', children } = options
  if (!STRATEGIES.includes(strategy)) {
    throw bad('strategy', strategy, `use one of ${STRATEGIES.join(', ')}`)
  }
  if (!AUTO_SHUTDOWNS.includes(autoShutdown)) {
    throw bad('autoShutdown', autoShutdown, `use one of ${AUTO_SHUTDOWNS.join(', ')}`)
  }
  if (!Array.isArray(children)) {
    throw bad('children', typeof children, 'give an array of Behaviour.child(…) specs')
  }
  for (const child of children) checkChildSpec(child, autoShutdown)
  const ids = children.map((child) => child.id)
  const twice = ids.find((id, i) => ids.indexOf(id) !== i)
  if (twice !== undefined) {
    throw new BeamishError('BEAMISH_BAD_CHILD', {
      child: `"${twice}"`,
      fix: 'two siblings have this id: give each an id of its own',
    })
  }
  const spec: SupervisorSpec = {
    strategy,
    children,
    maxRestarts: whole('maxRestarts', options.maxRestarts ?? MAX_RESTARTS, 0),
    maxSeconds: whole('maxSeconds', options.maxSeconds ?? MAX_SECONDS, 1),
    ...(autoShutdown === 'never' ? {} : { autoShutdown }),
  }
  return childSpec('beamish.supervisor', spec, options, 'supervisor') as SupervisorTree
}

export function whole(option: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least) return value
  throw bad(option, value, `give a whole number from ${least} up`)
}

function bad(option: string, got: unknown, fix: string): BeamishError {
  return new BeamishError('BEAMISH_BAD_OPTION', { option, got: JSON.stringify(got), fix })
}
