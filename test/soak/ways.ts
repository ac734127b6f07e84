/** The options of start() that the ways of ending a thread need, so that a round of each takes a second and not five. */
import type { StartOptions } from 'beamish'
import type { Way } from './faults.ts'

export const WAYS: readonly Way[] = [
  'terminate',
  'exit',
  'throw',
  'rejection',
  'heap',
  'spin',
  'regex',
  'microtasks',
  'wait',
  'native',
]

export const OPTIONS: StartOptions = {
  maxBlockedMs: 1_000,
  resourceLimits: { maxOldGenerationSizeMb: 96 },
}
