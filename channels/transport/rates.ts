/** How fast a client may send: token buckets. Time is passed in, in milliseconds of any clock that does not go back. */
import type { SocketLimits } from './limits.ts'

interface Clock {
  now(): number
}

/** Holds `burst` tokens, and gets `perSecond` of them back. */
class TokenBucket {
  readonly #perMs: number
  readonly #burst: number
  #tokens: number
  #filledMs: number

  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perMs = perSecond / 1_000
    this.#burst = burst
    this.#tokens = burst
    this.#filledMs = nowMs
  }

  /** Takes one; false when there is none. */
  take(nowMs: number): boolean {
    const filled = this.#tokens + (nowMs - this.#filledMs) * this.#perMs
    this.#tokens = Math.min(this.#burst, filled)
    this.#filledMs = nowMs
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}

/** What a client may beat beside its events: the official one beats twice a minute. */
const HEARTBEATS_PER_SECOND = 1
const HEARTBEAT_BURST = 10

/** The rates of one socket. */
export class Rates {
  readonly #clock: Clock
  readonly #events: TokenBucket | undefined
  readonly #heartbeats: TokenBucket | undefined
  readonly #joins: TokenBucket | undefined

  constructor(limits: SocketLimits, clock: Clock) {
    const { maxEventsPerSecond, maxEventBurst, maxJoinsPerSecond, maxJoinBurst } = limits
    const bucket = (perSecond: number, burst: number): TokenBucket | undefined =>
      perSecond === Number.POSITIVE_INFINITY
        ? undefined
        : new TokenBucket(perSecond, burst, clock.now())
    this.#clock = clock
    this.#events = bucket(maxEventsPerSecond, maxEventBurst)
    if (this.#events !== undefined)
      this.#heartbeats = bucket(HEARTBEATS_PER_SECOND, HEARTBEAT_BURST)
    this.#joins = bucket(maxJoinsPerSecond, maxJoinBurst)
  }

  /** Whether one more event is within the rate: whatever is no join and no heartbeat counts as one. */
  events(): boolean {
    return this.#events === undefined || this.#events.take(this.#clock.now())
  }

  /** Heartbeats have an allowance; more of them count as events. */
  heartbeats(): boolean {
    return (
      this.#heartbeats === undefined || this.#heartbeats.take(this.#clock.now()) || this.events()
    )
  }

  joins(): boolean {
    return this.#joins === undefined || this.#joins.take(this.#clock.now())
  }
}

/** A socket without limits has no rates, and asks no clock. */
export function ratesOf(limits: SocketLimits, clock: Clock): Rates | undefined {
  const { maxEventsPerSecond, maxJoinsPerSecond } = limits
  return Math.min(maxEventsPerSecond, maxJoinsPerSecond) === Number.POSITIVE_INFINITY
    ? undefined
    : new Rates(limits, clock)
}
