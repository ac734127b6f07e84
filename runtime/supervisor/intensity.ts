/**
 * Restart intensity, pure: more than `maxRestarts` within `maxSeconds` is too many. A ring of the last maxRestarts times
 * makes each count O(1), where OTP walks a list of all restarts in the window.
 */
export class Intensity {
  readonly #max: number
  readonly #periodMs: number
  readonly #times: number[]
  #next = 0
  #count = 0

  constructor(maxRestarts: number, maxSeconds: number) {
    this.#max = maxRestarts
    this.#periodMs = maxSeconds * 1_000
    this.#times = []
  }

  /** Counts a restart at `nowMs`; false when that is one too many. */
  add(nowMs: number): boolean {
    if (this.#max === 0) return false
    const oldest = this.#times[this.#next]
    const full = this.#count >= this.#max
    if (full && oldest !== undefined && nowMs - oldest <= this.#periodMs) return false
    this.#times[this.#next] = nowMs
    this.#next = (this.#next + 1) % this.#max
    if (!full) this.#count++
    return true
  }
}
