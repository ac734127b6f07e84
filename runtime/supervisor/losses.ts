/** Ends caused by a lost thread, pure: all by one thread are one loss to a supervisor, a planned end is none. */
import type { LostCause } from '../exit/reason.ts'

export interface Loss {
  readonly scheduler: number
  readonly cause: LostCause
}

/** Calls and supervisors wrap the reason they failed for; a user's reason may be nested at will. */
const MAX_DEPTH = 16

/** The lost thread behind a reason, also when a call to it or a start on it failed; undefined for any other reason. */
export function lossOf(reason: unknown): Loss | undefined {
  let inner = reason
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    if (typeof inner !== 'object' || inner === null) return undefined
    const { noconnection, shutdown, call, failedToStartChild, reason } = inner as {
      readonly [field: string]: unknown
    }
    if (noconnection !== undefined) return isLoss(noconnection) ? noconnection : undefined
    if (shutdown !== undefined) inner = shutdown
    else if (call !== undefined || failedToStartChild !== undefined) inner = reason
    else return undefined
  }
  return undefined
}

function isLoss(value: unknown): value is Loss {
  return typeof (value as Partial<Loss> | null)?.scheduler === 'number'
}

/** As many threads as a node may have, and so as many as can be lost at once. */
const MAX_REMEMBERED = 256

/** Which lost threads a supervisor has counted. Scheduler ids are never used again, so the oldest may be forgotten. */
export class Losses {
  readonly #counted = new Set<number>()

  /** Whether an end counts against the intensity: by a lost thread the first one only, by a planned end of one never. */
  counts(reason: unknown): boolean {
    const loss = lossOf(reason)
    if (loss === undefined) return true
    if (loss.cause === 'stopped' || this.#counted.has(loss.scheduler)) return false
    this.#counted.add(loss.scheduler)
    if (this.#counted.size > MAX_REMEMBERED) {
      for (const oldest of this.#counted) {
        this.#counted.delete(oldest)
        break
      }
    }
    return true
  }
}
