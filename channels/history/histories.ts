/**
 * Starts the keeper of a thread, under a supervisor of its own: whatever serves clients there, two endpoints or a test, has one
 * keeper, and none of them takes it along when it ends.
 */
import { type Self, StartError, supervisor } from '../../runtime/index.ts'
import { findBehaviour } from '../../runtime/process/behaviour.ts'
import { HistoryKeeper, keeperName } from './process.ts'

const histories = (scheduler: number): string => `beamish.histories.${scheduler}`

/** Resolves when the thread has a keeper, whoever started it. Rejects when there is no such thread, or none in time. */
export async function startKeeper(self: Self, scheduler: number): Promise<void> {
  const name = histories(scheduler)
  const spec = supervisor({
    children: [HistoryKeeper.child(undefined, { name: keeperName(scheduler) })],
  })
  const behaviour = findBehaviour(spec.behaviour) as never
  try {
    await self.start(behaviour, spec.argument as never, { name, place: { scheduler } })
  } catch (error) {
    if (!(error instanceof StartError) || !isAlreadyStarted(error.reason)) throw error
    // It answers once its child is there.
    await self.call(name, 'countChildren' as never)
  }
}

const isAlreadyStarted = (reason: unknown): boolean =>
  typeof reason === 'object' && reason !== null && 'alreadyStarted' in reason
