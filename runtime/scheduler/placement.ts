/** Where a process is started. */
import { BeamishError } from '../errors.ts'
import type { Scheduler } from './scheduler.ts'

/** here: this thread. any: the thread with the fewest processes. { key }: the thread a key hashes to. { scheduler }: that one. */
export type Placement = 'here' | 'any' | { readonly key: string } | { readonly scheduler: number }

/** The id of the scheduler a placement means now. */
export function place(scheduler: Scheduler, placement: Placement | undefined): number {
  if (placement === undefined || placement === 'here') return scheduler.id
  if (placement === 'any') return scheduler.board.leastLoaded() ?? scheduler.id
  if ('scheduler' in placement) {
    if (!Number.isInteger(placement.scheduler) || placement.scheduler < 1) {
      throw new BeamishError('BEAMISH_BAD_OPTION', {
        option: 'place.scheduler',
        got: String(placement.scheduler),
        fix: 'pass the id of a scheduler thread, from 1 up',
      })
    }
    return placement.scheduler
  }
  return scheduler.board.ofKey(placement.key) ?? scheduler.id
}
