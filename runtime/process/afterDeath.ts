import { BeamishError } from '../errors.ts'
import type { Process } from './process.ts'

/**
 * What a dead process gets to await: nothing ever, so that its continuation is dropped with it. The outside is code that lives
 * on without its node: it is told.
 */
export function afterDeath<T>(process: Process): Promise<T> {
  if (!process.outside) return new Promise(() => {})
  return Promise.reject(new BeamishError('BEAMISH_NODE_STOPPED'))
}
