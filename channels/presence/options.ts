/** The limits of a tracker, with their defaults. */
import { BeamishError } from '../../runtime/index.ts'

export interface TrackerOptions {
  /**
   * Changes go to the other threads and to handleDiff at most every so many milliseconds, those in between together; the first
   * one after a pause at once. Default 10.
   */
  readonly broadcastPeriodMs?: number
  /** Changes in one message between threads, and in one diff; an update is one. What is more follows at once. Default 500. */
  readonly maxDiffSize?: number
  /** Milliseconds after a change until the other threads are told how far they should be. None without changes. Default 15,000. */
  readonly heartbeatMs?: number
  /** Changes of a thread remembered for those that missed some; who missed more gets everything. Default 10,000. */
  readonly maxDeltaLog?: number
}

export type TrackerLimits = Required<TrackerOptions>

const DEFAULTS: TrackerLimits = {
  broadcastPeriodMs: 10,
  maxDiffSize: 500,
  heartbeatMs: 15_000,
  maxDeltaLog: 10_000,
}

function bad(tracker: string, option: string, got: unknown, fix: string): BeamishError {
  const of = `${option} of tracker "${tracker}"`
  return new BeamishError('BEAMISH_BAD_OPTION', { option: of, got: String(got), fix })
}

/** @throws BEAMISH_BAD_OPTION */
export function trackerLimits(tracker: string, options: TrackerOptions): TrackerLimits {
  const limits = { ...DEFAULTS }
  for (const name of Object.keys(DEFAULTS) as (keyof TrackerLimits)[]) {
    const value = options[name] ?? DEFAULTS[name]
    const least = name === 'broadcastPeriodMs' ? 0 : 1
    if (!(Number.isSafeInteger(value) && value >= least && value < 2 ** 31)) {
      throw bad(tracker, name, value, `give a whole number from ${least} to ${2 ** 31 - 1}`)
    }
    limits[name] = value
  }
  if (limits.heartbeatMs <= limits.broadcastPeriodMs) {
    throw bad(tracker, 'heartbeatMs', limits.heartbeatMs, 'give more than broadcastPeriodMs')
  }
  return limits
}
