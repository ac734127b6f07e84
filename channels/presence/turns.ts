/**
 * Updates by a function take turns at a place: each gets the meta that the one before has made, in the order they asked, on
 * whatever thread they are. A turn that is not used in time goes to the next: its update counts only if nothing has changed.
 */
import type { From, Pid, Ref, Self } from '../../runtime/index.ts'
import type { Place } from './state.ts'

/** What one that waited is told: the meta to make the next one of. */
export interface Turn {
  readonly turn: number
  readonly meta: object
}

/** A place in the line of a place: `asked` is its number among those that its caller's thread asked for. */
export interface Asking extends Place {
  readonly asked: number
}

interface Waiting {
  readonly line: Line
  readonly from: From
  readonly asked: number
}

interface Line {
  readonly place: Place
  turn: number
  /** Monitor of whoever has the turn. */
  holder: Ref | undefined
  timer: Ref | undefined
  /** Who waits, in the order they asked, by the monitor of each. */
  readonly waiting: Map<Ref, From>
}

export const TURN_OVER = 'tracker.turnOver'
/** The function runs at once and does not wait: only a thread that stands still takes so long. */
const MAX_TURN_MS = 200

const nameOf = ({ topic, pid, key }: Place): string => `${pid} ${topic.length} ${topic}${key}`

export class Turns {
  readonly #lines = new Map<string, Line>()
  /** Those who wait and those who have a turn: the dead must not hold up who is behind them. */
  readonly #monitors = new Map<Ref, Waiting>()
  readonly #metaOf: (place: Place) => object | undefined
  #last = 0

  constructor(metaOf: (place: Place) => object | undefined) {
    this.#metaOf = metaOf
  }

  /** How many wait or have a turn. */
  get size(): number {
    return this.#monitors.size
  }

  /** Answers `from` with its turn when it has come, or with undefined if nobody is there. */
  wait({ asked, ...place }: Asking, from: From, self: Self): void {
    const name = nameOf(place)
    const there = this.#lines.get(name)
    const line = there ?? {
      place,
      turn: 0,
      holder: undefined,
      timer: undefined,
      waiting: new Map(),
    }
    const ref = self.monitor(from.pid)
    this.#monitors.set(ref, { line, from, asked })
    line.waiting.set(ref, from)
    if (there !== undefined) return
    this.#lines.set(name, line)
    this.#next(line, self)
  }

  /** It is the next one's, unless it is already. */
  end(place: Place, turn: number, self: Self): void {
    const line = this.#lines.get(nameOf(place))
    if (line?.turn === turn) this.#next(line, self)
  }

  /** Whoever had this monitor has ended: it waits no more, and its turn is the next one's. */
  down(ref: Ref, self: Self): void {
    const line = this.#monitors.get(ref)?.line
    if (line === undefined) return
    if (line.holder === ref) this.#next(line, self)
    else {
      this.#monitors.delete(ref)
      line.waiting.delete(ref)
    }
  }

  /** Whoever asked no longer waits for the answer, which may be on its way. */
  left(by: Pid, asked: number, self: Self): void {
    for (const [ref, one] of this.#monitors) {
      if (one.from.pid !== by || one.asked !== asked) continue
      self.demonitor(ref)
      this.down(ref, self)
      return
    }
  }

  #next(line: Line, self: Self): void {
    if (line.timer !== undefined) self.cancelTimer(line.timer)
    if (line.holder !== undefined) this.#forget(line.holder, self)
    line.timer = line.holder = undefined
    const meta = this.#metaOf(line.place)
    for (const [ref, from] of line.waiting) {
      line.waiting.delete(ref)
      if (meta !== undefined) {
        line.holder = ref
        line.turn = ++this.#last
        line.timer = self.sendAfter(MAX_TURN_MS, {
          type: TURN_OVER,
          place: line.place,
          turn: line.turn,
        })
        self.reply(from, { turn: line.turn, meta })
        return
      }
      this.#forget(ref, self)
      self.reply(from, undefined)
    }
    this.#lines.delete(nameOf(line.place))
  }

  #forget(ref: Ref, self: Self): void {
    self.demonitor(ref)
    this.#monitors.delete(ref)
  }
}
