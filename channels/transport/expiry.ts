/** When a connection's credentials run out, and when its channels hear of that. */

/** How long before they run out. */
const NOTICE_MS = 60_000
/** The longest a timer is set for: what is later is looked at again. */
const MAX_WAIT_MS = 86_400_000

export type Due =
  | { readonly do: 'expire' }
  | { readonly do: 'warn'; readonly leftMs: number; readonly nextMs: number }
  | { readonly do: 'wait'; readonly nextMs: number }

export class Expiry {
  readonly #atMs: number
  #warned = false

  /** In milliseconds of the clock that `due` is asked by; Infinity: never. */
  constructor(atMs: number) {
    this.#atMs = atMs
  }

  /** What is to be done now, and how long until there is more. */
  due(nowMs: number): Due {
    const leftMs = this.#atMs - nowMs
    if (leftMs === Number.POSITIVE_INFINITY) return { do: 'wait', nextMs: leftMs }
    if (leftMs <= 0) return { do: 'expire' }
    if (!this.#warned && leftMs <= NOTICE_MS) {
      this.#warned = true
      return { do: 'warn', leftMs, nextMs: leftMs }
    }
    const nextMs = this.#warned ? leftMs : leftMs - NOTICE_MS
    return { do: 'wait', nextMs: Math.min(nextMs, MAX_WAIT_MS) }
  }
}

/** From here on it goes by the node's own clock, as timers do. undefined: never. */
export const expiryOf = (
  { expiresAtMs }: { readonly expiresAtMs: number },
  clock: { now(): number },
): Expiry | undefined =>
  expiresAtMs === Number.POSITIVE_INFINITY
    ? undefined
    : new Expiry(expiresAtMs - Date.now() + clock.now())
