/** What a scheduler needs of the world: a clock, randomness, a way to run later. Passed in, so that tests can own them. */
import { performance } from 'node:perf_hooks'
import { asNobody } from '../process/strays.ts'

export interface Host {
  /** Monotonic milliseconds. */
  now(): number
  /** 0 <= x < 1 */
  random(): number
  /** Runs `turn` soon, after pending I/O had its chance. */
  soon(turn: () => void): void
  /** Runs `step` as a microtask, ahead of all I/O; without it a turn does not wait for handlers that await. */
  next?(step: () => void): void
  /** Arms the one alarm: replaces any earlier one; undefined disarms. */
  alarm(delayMs: number | undefined, wake: () => void): void
}

const MAX_TIMEOUT = 2 ** 31 - 1

/** The host of a real thread. */
export function nodeHost(): Host {
  let timer: ReturnType<typeof setTimeout> | undefined
  const settled = Promise.resolve()
  return {
    now: () => performance.now(),
    random: Math.random,
    // Asked for in a handler, but other processes run in it.
    soon: (turn) => {
      asNobody(setImmediate, turn)
    },
    // A third of what queueMicrotask costs, which makes an async resource each time.
    next: (step) => {
      void settled.then(step)
    },
    alarm: (delayMs, wake) => {
      if (timer !== undefined) clearTimeout(timer)
      timer =
        delayMs === undefined
          ? undefined
          : asNobody(setTimeout, wake, Math.min(MAX_TIMEOUT, Math.max(0, Math.ceil(delayMs))))
    },
  }
}
