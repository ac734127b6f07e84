/**
 * How long main takes to answer, measured all the time, as it is: nothing is taken off for what else the machine did.
 *
 * `onMain` is main's own answering: a call within main, a server's turn included, counted from when it was due, so that a
 * late event loop shows in full. `toMain` is what a scheduler waits for main: counted on the thread that calls, so that
 * thread's own turn is in it, and of threads that lived on only: one that is about to be lost is slow by itself. The bound
 * holds for both. `toThread` is a call of main to a process on a live thread; it waits for that thread's turn, a garbage
 * collection there or a core, none of which is main's, so it is reported and has no bound.
 */
import { type BeamishNode, onEvent, type Pid } from 'beamish'
import { processorMs } from './machine.ts'
import type { Outside } from './outside.ts'
import { clockMs, type Measured } from './protocol.ts'

const EVERY_MS = 10
/** Of the calls that cross threads, which cost both sides more. */
const ACROSS_EVERY = 2

interface Sample {
  readonly scheduler: number
  readonly ms: number
}

export class LatencyMeter {
  readonly #node: BeamishNode
  readonly #outside: Outside
  readonly #timer: ReturnType<typeof setInterval>
  readonly #off: () => void
  readonly #asked = new Set<Promise<void>>()
  #onMain: number[] = []
  #toThread: Sample[] = []
  #toMain: Sample[] = []
  #last = clockMs()
  #turn = 0
  #paused = false

  constructor(outside: Outside) {
    this.#outside = outside
    this.#node = outside.node
    this.#timer = setInterval(() => this.#tick(), EVERY_MS)
    this.#off = onEvent('schedulerLost', ({ scheduler }) => {
      const lives = (sample: Sample): boolean => sample.scheduler !== scheduler
      this.#toThread = this.#toThread.filter(lives)
      this.#toMain = this.#toMain.filter(lives)
    })
  }

  /** A call for each moment one was due: those that a late main did not get to make count from when they were. */
  #tick(): void {
    const now = clockMs()
    const last = this.#last
    this.#last = now
    if (this.#paused) return
    for (let due = last + EVERY_MS; due <= now; due += EVERY_MS) {
      this.#note(this.#node.addresses(), () => this.#onMain.push(clockMs() - due))
    }
    const turn = this.#turn++
    if (turn % ACROSS_EVERY !== 0) return
    const stewards = [...this.#outside.stewards]
    const one = stewards[Math.floor(turn / ACROSS_EVERY) % stewards.length]
    if (one !== undefined) this.#across(...one)
  }

  #across(scheduler: number, steward: Pid): void {
    const { self } = this.#node
    const keep = (samples: 'toThread' | 'toMain', ms: number): void => {
      // The last words of a thread may be read after the news of its end.
      if (!this.#outside.stewards.has(scheduler)) return
      if (samples === 'toThread') this.#toThread.push({ scheduler, ms })
      else this.#toMain.push({ scheduler, ms })
    }
    const began = clockMs()
    this.#note(self.call(steward, 'echo'), () => keep('toThread', clockMs() - began))
    this.#note(self.call(steward, 'callMain'), (ms) => keep('toMain', ms as number))
  }

  /** A call that fails, as one to a process that has just died, says nothing about time. */
  #note<T>(call: Promise<T>, took: (answer: T) => void): void {
    const done = call
      .then(took, () => {})
      .then(() => {
        this.#asked.delete(done)
      })
    this.#asked.add(done)
  }

  /** Runs something while no call is under way. */
  async paused<T>(run: () => Promise<T>): Promise<T> {
    this.#paused = true
    try {
      await Promise.all(this.#asked)
      return await run()
    } finally {
      this.#paused = false
    }
  }

  /** What was measured since the last time. */
  take(): Measured {
    const ms = (samples: readonly Sample[]): number[] => samples.map((sample) => sample.ms)
    const calls = {
      onMain: this.#onMain,
      toMain: ms(this.#toMain),
      toThread: ms(this.#toThread),
    }
    this.#onMain = []
    this.#toMain = []
    this.#toThread = []
    return { calls, processorMs: processorMs() }
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#off()
  }
}
