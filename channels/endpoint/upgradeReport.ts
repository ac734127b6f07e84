/** What an endpoint's line tells of itself: counts, at most once a second. */
import { publish } from '../../runtime/events.ts'
import type { Self } from '../../runtime/index.ts'

/** What an endpoint's line has seen on this thread since the endpoint started there. */
export interface UpgradesReport {
  readonly scheduler: number
  readonly endpoint: string
  /** Now. */
  readonly waiting: number
  readonly admitted: number
  /** Hung up while they waited. */
  readonly left: number
  /**
   * Answered 503: their turn could not come within the wait, or one of another client took their place; it did not come within
   * the wait; the endpoint stops. Answered 400: they sent more before their answer.
   */
  readonly refused: {
    readonly full: number
    readonly late: number
    readonly stopping: number
    readonly early: number
  }
}

export type UpgradeRefusal = keyof UpgradesReport['refused']

declare module '../../runtime/events.ts' {
  interface RuntimeEvents {
    upgrades: UpgradesReport
  }
}

const REPORT_MS = 1_000

export class UpgradeCounts {
  readonly #self: Self
  readonly #endpoint: string
  readonly #refused = { full: 0, late: 0, stopping: 0, early: 0 }
  #admitted = 0
  #left = 0
  /** Something waited or was refused since the last report. */
  #news = false
  #reportedMs = Number.NEGATIVE_INFINITY

  constructor(self: Self, endpoint: string) {
    this.#self = self
    this.#endpoint = endpoint
  }

  /** Let in without a wait: nothing to tell. */
  admittedAtOnce(): void {
    this.#admitted++
  }

  waits(): void {
    this.#news = true
  }

  admitted(): void {
    this.#admitted++
    this.#news = true
  }

  left(): void {
    this.#left++
    this.#news = true
  }

  refused(why: UpgradeRefusal): void {
    this.#refused[why]++
    this.#news = true
  }

  /** Milliseconds until the next report; endless without news. */
  nextMs(nowMs: number): number {
    return this.#news ? this.#reportedMs + REPORT_MS - nowMs : Number.POSITIVE_INFINITY
  }

  /** Publishes what is new. */
  report(waiting: number): void {
    if (!this.#news) return
    this.#news = false
    this.#reportedMs = this.#self.now()
    publish('upgrades', () => ({
      scheduler: this.#self.scheduler,
      endpoint: this.#endpoint,
      waiting,
      admitted: this.#admitted,
      left: this.#left,
      refused: { ...this.#refused },
    }))
  }
}
