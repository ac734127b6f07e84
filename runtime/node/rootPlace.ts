/** Where a child of a root may not be placed. */
import { BeamishError } from '../errors.ts'
import { isPinned } from '../scheduler/placement.ts'
import type { ChildSpec } from '../supervisor/childSpec.ts'

/** @throws BEAMISH_ROOT_PLACEMENT */
export function checkRootPlace({ id, place }: ChildSpec): void {
  const child = `"${id}"`
  if (place === 'here') {
    const why = 'main runs no user code'
    throw new BeamishError('BEAMISH_ROOT_PLACEMENT', { child, place: '"here"', why })
  }
  if (isPinned(place)) {
    const why = 'the id is not used again when that thread is lost'
    throw new BeamishError('BEAMISH_ROOT_PLACEMENT', { child, place: '{ scheduler }', why })
  }
}
