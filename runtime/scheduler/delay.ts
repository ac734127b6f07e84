import { BeamishError } from '../errors.ts'

const MAX_DELAY_MS = 2 ** 31 - 1

/** Throws BEAMISH_BAD_TIMEOUT unless `ms` is a number of milliseconds a timer can hold, or Infinity. */
export function checkDelay(ms: number): void {
  if (ms === Number.POSITIVE_INFINITY) return
  if (typeof ms !== 'number' || !(ms >= 0) || ms > MAX_DELAY_MS) {
    throw new BeamishError('BEAMISH_BAD_TIMEOUT', { got: String(ms) })
  }
}
