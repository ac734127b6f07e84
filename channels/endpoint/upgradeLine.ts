/**
 * The line before an endpoint's sockets, on one thread. A client cannot be told to wait, only kept waiting: when ten thousand
 * come back in one instant (their thread was lost), their upgrades are answered at a pace, and the sockets that are open
 * notice nothing. A client that is kept costs its connection, one that is refused asks again and again.
 */
import type { Self } from '../../runtime/index.ts'
import type { UpgradeLimits } from '../transport/limits.ts'
import { Admission } from './admission.ts'
import { UpgradeCounts, type UpgradeRefusal } from './upgradeReport.ts'

/** Where the endpoint's process has its line's clock: it calls `tick` for this message. */
export const TICK = 'endpoint:tick'

/** A few are admitted at a time: a timer for each would cost more than it paces. */
const TICK_MS = 10

/** A connection that passed its checks: an upgrade, or a request that opens a session of long polling. */
export interface Arrival {
  /** Clients take turns: an address. */
  readonly client: string
  /** It has sent more before its answer. */
  readonly early: boolean
  accept(): void
  refuse(status: number, reason: string, retryAfterSeconds?: number): void
  /** From now on tells of its end, and of what it sends, until the function this returns is called. */
  watch(gone: () => void, spoke: () => void): () => void
  /** Cuts what is left of it. */
  drop(): void
}

interface Waiting {
  readonly arrival: Arrival
  unwatch: () => void
}

export class UpgradeLine {
  readonly #self: Self
  readonly #admission: Admission<Waiting>
  readonly #counts: UpgradeCounts
  #ticking = false
  #closed = false

  constructor(self: Self, endpoint: string, limits: UpgradeLimits) {
    this.#self = self
    this.#admission = new Admission(limits, self.now())
    this.#counts = new UpgradeCounts(self, endpoint)
  }

  /**
   * Runs `accept` now or when its turn comes. A client that hangs up leaves the line; one that finds no place gets a 503, one
   * that sends more before its answer a 400 (RFC 6455 section 4.1: it must wait): nobody's bytes are kept while they wait.
   */
  enter(arrival: Arrival): void {
    const { client, early } = arrival
    if (this.#closed) this.#refuse(arrival, 'stopping')
    else if (early) this.#refuse(arrival, 'early')
    else {
      const waiting: Waiting = { arrival, unwatch: () => {} }
      const place = this.#admission.arrive(waiting, client, this.#self.now(), this.#displaced)
      if (place === 'admitted') {
        this.#counts.admittedAtOnce()
        arrival.accept()
        return
      }
      if (place === 'full') this.#refuse(arrival, 'full')
      else {
        waiting.unwatch = arrival.watch(
          () => this.#gone(waiting),
          () => this.#spoke(waiting),
        )
        this.#counts.waits()
      }
    }
    this.#tickLater()
  }

  /** Lets in whose turn has come. */
  tick(): void {
    this.#ticking = false
    if (this.#closed) return
    this.#admission.due(this.#self.now(), this.#admit, this.#late)
    if (this.#counts.nextMs(this.#self.now()) <= 0) this.#counts.report(this.#admission.waiting)
    this.#tickLater()
  }

  /** Refuses all who wait and all who come, so that they go elsewhere. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#admission.clear((waiting) => this.#turnAway(waiting, 'stopping'))
    this.#counts.report(this.#admission.waiting)
  }

  readonly #admit = (waiting: Waiting): void => {
    waiting.unwatch()
    this.#counts.admitted()
    waiting.arrival.accept()
  }

  readonly #late = (waiting: Waiting): void => this.#turnAway(waiting, 'late')
  readonly #displaced = (waiting: Waiting): void => this.#turnAway(waiting, 'full')

  #gone(waiting: Waiting): void {
    if (!this.#admission.leave(waiting)) return
    waiting.unwatch()
    this.#counts.left()
    waiting.arrival.drop()
  }

  #spoke(waiting: Waiting): void {
    if (this.#admission.leave(waiting)) this.#turnAway(waiting, 'early')
  }

  #turnAway(waiting: Waiting, why: UpgradeRefusal): void {
    waiting.unwatch()
    this.#refuse(waiting.arrival, why)
  }

  #refuse(arrival: Arrival, why: UpgradeRefusal): void {
    this.#counts.refused(why)
    if (why === 'early') arrival.refuse(400, REASONS[why])
    else arrival.refuse(503, REASONS[why], this.#closed ? 1 : this.#admission.lineSeconds)
  }

  #tickLater(): void {
    if (this.#ticking || this.#closed) return
    const nowMs = this.#self.now()
    const turnMs = this.#admission.nextMs(nowMs) ?? Number.POSITIVE_INFINITY
    const afterMs = Math.max(TICK_MS, Math.ceil(Math.min(turnMs, this.#counts.nextMs(nowMs))))
    if (afterMs === Number.POSITIVE_INFINITY) return
    this.#ticking = true
    this.#self.sendAfter(afterMs, { type: TICK })
  }
}

const REASONS: Readonly<Record<UpgradeRefusal, string>> = {
  full: 'too many wait already',
  late: 'it has waited too long',
  stopping: 'this endpoint stops',
  early: 'it sent more before its answer',
}
