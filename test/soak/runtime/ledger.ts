/** What the processes of one thread did, and what of it was wrong: kept by the thread's modules, so that no death loses it. */
import { createHistogram } from 'node:perf_hooks'
import { seededRandom } from '../../../runtime/testing/choice.ts'

/** What one thread has to say at the end of a run. */
export interface Account {
  readonly scheduler: number
  /** Times by kind. */
  readonly counts: Readonly<Record<string, number>>
  /** What the semantics forbid: the first of them in words. */
  readonly problems: readonly string[]
  readonly callMs: { readonly p50: number; readonly p99: number; readonly max: number }
}

const MAX_PROBLEMS = 20

class Ledger {
  counts: Record<string, number> = {}
  problems: string[] = []
  /** Calls that have not ended yet. */
  calling = 0
  /** Everybody is to end. */
  ending = false
  /** Others to talk to, on all threads; some have ended since. */
  known: number[] = []
  random: () => number = seededRandom(0)
  threads = 1
  readonly #calls = createHistogram()

  begin(seed: number, threads: number): void {
    this.counts = {}
    this.problems = []
    this.ending = false
    this.known = []
    this.random = seededRandom(seed)
    this.threads = threads
    this.#calls.reset()
  }

  count(kind: string): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1
  }

  problem(text: string): void {
    this.count('problem')
    if (this.problems.length < MAX_PROBLEMS) this.problems.push(text)
  }

  /** Counts, and a problem where it does not hold. */
  check(holds: boolean, text: () => string): void {
    this.count('check')
    if (!holds) this.problem(text())
  }

  callTook(ms: number): void {
    this.#calls.record(Math.max(1, Math.round(ms * 1_000)))
  }

  account(scheduler: number): Account {
    const { counts, problems } = this
    const us = (percentile: number): number => this.#calls.percentile(percentile) / 1_000
    const callMs = { p50: us(50), p99: us(99), max: us(100) }
    return { scheduler, counts, problems, callMs }
  }
}

/** This thread's. */
export const ledger = new Ledger()
