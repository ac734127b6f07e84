/** Whose fate is tied to whose, pure (OTP supervisor, "Restart Strategy"). */
import type { Restart } from './childSpec.ts'

/**
 * one_for_one: only the child that ended is restarted. one_for_all: all children are stopped and started. rest_for_one:
 * that child and those started after it are.
 */
export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one'

export const STRATEGIES: readonly Strategy[] = ['one_for_one', 'one_for_all', 'rest_for_one']

interface Restartable {
  readonly spec: { readonly restart: Restart }
}

/** What a restart does, in this order. */
export interface RestartPlan<C> {
  /** Reverse to their start. Those that have no process any more have nothing to stop. */
  readonly stop: readonly C[]
  /** In the order of their start. Who is stopped and not started again is forgotten: temporary children. */
  readonly start: readonly C[]
}

/** The restart of the child at `failed`, which is not temporary. */
export function restartPlan<C extends Restartable>(
  strategy: Strategy,
  children: readonly C[],
  failed: number,
): RestartPlan<C> {
  if (strategy === 'one_for_one') return { stop: [], start: children.slice(failed, failed + 1) }
  const tied = strategy === 'one_for_all' ? children : children.slice(failed)
  return {
    stop: tied.toReversed(),
    start: tied.filter((child) => child.spec.restart !== 'temporary'),
  }
}
