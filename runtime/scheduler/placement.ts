/** Where a process is started. */
import { BeamishError } from '../errors.ts'
import type { Scheduler } from './scheduler.ts'

/**
 * here: this thread. any: the thread with the fewest processes. { key }: the thread a key hashes to. { scheduler }: that one.
 * A key stays with its thread's replacement: while that thread is being replaced a start for the key answers noproc, or, once
 * the replacement boots, waits for it.
 */
export type Placement = 'here' | 'any' | { readonly key: string } | { readonly scheduler: number }

export function isPinned(placement: unknown): placement is { readonly scheduler: number } {
  return typeof placement === 'object' && placement !== null && 'scheduler' in placement
}

/** Where a key leads while its thread is being replaced. No scheduler has this id: a start there answers noproc. */
const NOWHERE = -1

/** The id of the scheduler a placement means now. */
export function place(scheduler: Scheduler, placement: Placement | undefined): number {
  if (placement === undefined || placement === 'here') return scheduler.id
  if (placement === 'any') return scheduler.board.leastLoaded() ?? scheduler.id
  if (isPinned(placement)) {
    if (!Number.isInteger(placement.scheduler) || placement.scheduler < 1) {
      throw new BeamishError('BEAMISH_BAD_OPTION', {
        option: 'place.scheduler',
        got: String(placement.scheduler),
        fix: 'pass the id of a scheduler thread, from 1 up',
      })
    }
    return placement.scheduler
  }
  return scheduler.board.ofKey(placement.key) ?? NOWHERE
}
