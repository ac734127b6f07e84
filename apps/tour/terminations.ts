/** How channels ended, as those saw it who were there. */
import { type ExitReason, genServer, type Self } from 'beamish'

export interface End {
  readonly topic: string
  readonly reason: ExitReason
  /** Its own terminate, or somebody who watched it. */
  readonly source: 'terminate' | 'down'
}

/** The latest, at most. */
const MAX_ENDS = 1_000

export const Terminations = genServer('tour.terminations', {
  init: () => ({ ends: [] as End[] }),
  handleCall: { list: (state) => state.ends },
  handleCast: {
    note(state, end: End) {
      state.ends.push(end)
      if (state.ends.length > MAX_ENDS) state.ends.shift()
    },
  },
})

export const NAME = 'tour.terminations'

export function noteEnd(self: Self, end: End): void {
  self.cast(Terminations.named(NAME), 'note', end)
}
