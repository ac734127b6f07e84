/**
 * Updates by a function take turns at a place: each gets the meta that the one before has made, in the order they asked, on
 * whatever thread they are. A turn that is not used in time goes to the next: its update counts only if nothing has changed.
 */
import type { From, Ref, Self } from '../../runtime/index.ts'
import type { Place } from './state.ts'

/** What one that waited is told: the meta to make the next one of. */
export interface Turn {
  readonly turn: number
  readonly meta: object
}

interface Line {
  turn: number
  timer: Ref | undefined
  readonly waiting: From[]
}

export const TURN_OVER = 'tracker.turnOver'
/** The function runs at once and does not wait: only a thread that stands still, or a caller that is gone, takes so long. */
const MAX_TURN_MS = 200

const nameOf = ({ topic, pid, key }: Place): string => `${pid} ${topic.length} ${topic}${key}`

export class Turns {
  readonly #lines = new Map<string, Line>()
  readonly #metaOf: (place: Place) => object | undefined
  #last = 0

  constructor(metaOf: (place: Place) => object | undefined) {
    this.#metaOf = metaOf
  }

  /** Answers `from` with its turn when it has come, or with undefined if nobody is there. */
  wait(place: Place, from: From, self: Self): void {
    const line = this.#lines.get(nameOf(place))
    if (line !== undefined) {
      line.waiting.push(from)
      return
    }
    const first: Line = { turn: 0, timer: undefined, waiting: [from] }
    this.#lines.set(nameOf(place), first)
    this.#next(place, first, self)
  }

  /** It is the next one's, unless it is already. */
  end(place: Place, turn: number, self: Self): void {
    const line = this.#lines.get(nameOf(place))
    if (line?.turn !== turn) return
    if (line.timer !== undefined) self.cancelTimer(line.timer)
    this.#next(place, line, self)
  }

  #next(place: Place, line: Line, self: Self): void {
    const meta = this.#metaOf(place)
    if (meta === undefined) {
      for (const from of line.waiting.splice(0)) self.reply(from, undefined)
    }
    const from = line.waiting.shift()
    if (from === undefined || meta === undefined) {
      this.#lines.delete(nameOf(place))
      return
    }
    line.turn = ++this.#last
    line.timer = self.sendAfter(MAX_TURN_MS, { type: TURN_OVER, place, turn: line.turn })
    self.reply(from, { turn: line.turn, meta })
  }
}
