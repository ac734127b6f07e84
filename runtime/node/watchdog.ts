/**
 * Which threads are stuck, pure: a thread beats from a timer on its loop; one that has not for too long is stuck. A look
 * counts for no more than the time between two looks: a suspended process, or a main that got no processor, blames nobody.
 */

const LOOKS_PER_LIMIT = 20
const MIN_LOOK_MS = 10
const MAX_LOOK_MS = 250
/** From this part of the limit on it is worth finding out what the thread does: once it is dead nobody can ask. */
const SUSPECT = 0.5

interface Watched {
  beats: number
  blockedMs: number
  suspected: boolean
}

export interface Look {
  /** Blocked for half of the limit; each named once per block. */
  readonly suspects: readonly number[]
  /** Blocked for the limit or longer. */
  readonly stuck: readonly { readonly id: number; readonly blockedMs: number }[]
}

export class Watchdog {
  readonly #maxBlockedMs: number
  readonly #watched = new Map<number, Watched>()
  #lastLook: number | undefined

  constructor(maxBlockedMs: number) {
    this.#maxBlockedMs = maxBlockedMs
  }

  /** Milliseconds between two looks, and between two beats. */
  static lookMs(maxBlockedMs: number): number {
    return Math.max(MIN_LOOK_MS, Math.min(MAX_LOOK_MS, Math.floor(maxBlockedMs / LOOKS_PER_LIMIT)))
  }

  /** Looks at the beats of all threads that are to be watched now; those not among them are forgotten. */
  look(nowMs: number, beats: ReadonlyMap<number, number>): Look {
    const elapsed = this.#lastLook === undefined ? 0 : nowMs - this.#lastLook
    this.#lastLook = nowMs
    const counted = Math.min(elapsed, Watchdog.lookMs(this.#maxBlockedMs))
    const suspects: number[] = []
    const stuck: { id: number; blockedMs: number }[] = []
    for (const id of this.#watched.keys()) if (!beats.has(id)) this.#watched.delete(id)
    for (const [id, count] of beats) {
      const watched = this.#watched.get(id)
      if (watched === undefined || watched.beats !== count) {
        this.#watched.set(id, { beats: count, blockedMs: 0, suspected: false })
        continue
      }
      watched.blockedMs += counted
      if (watched.blockedMs >= this.#maxBlockedMs) stuck.push({ id, blockedMs: watched.blockedMs })
      else if (!watched.suspected && watched.blockedMs >= this.#maxBlockedMs * SUSPECT) {
        watched.suspected = true
        suspects.push(id)
      }
    }
    return { suspects, stuck }
  }
}
