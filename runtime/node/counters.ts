/** Counts per key over a sliding window, on main: what all threads must agree on, such as how often a client failed. */
import { genServer } from '../genServer/genServer.ts'

export interface Count {
  readonly key: string
  readonly windowMs: number
}

/** Registered name of the process. */
export const COUNTERS_NAME = 'beamish.counters'

/** Keys kept at most; the one touched longest ago goes first. */
const MAX_KEYS = 10_000
/** Times kept per key: counting further changes nothing anybody asks for. */
const MAX_TIMES = 100

export const Counters = genServer('beamish.counters', {
  init: () => ({ times: new Map<string, number[]>() }),
  handleCall: {
    /** Counts once; how often it was within the window, this one included. */
    add(state, count: Count, self): number {
      const recent = recentTimes(state.times, count, self.now())
      if (recent.length < MAX_TIMES) recent.push(self.now())
      state.times.delete(count.key)
      state.times.set(count.key, recent)
      if (state.times.size > MAX_KEYS) {
        for (const oldest of state.times.keys()) {
          state.times.delete(oldest)
          break
        }
      }
      return recent.length
    },
    /** How often it was within the window. */
    read: (state, count: Count, self): number => recentTimes(state.times, count, self.now()).length,
  },
})

function recentTimes(times: Map<string, number[]>, count: Count, nowMs: number): number[] {
  return (times.get(count.key) ?? []).filter((time) => nowMs - time < count.windowMs)
}
