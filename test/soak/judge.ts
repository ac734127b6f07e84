/**
 * What is promised, and whether a round kept it. Times are judged as they were measured. Where other programs took so much of
 * the machine that a time says more about them than about the node, it is not judged, and who runs this is told so.
 */
import { causesOf } from './faults.ts'
import { type Calls, percentiles } from './protocol.ts'
import type { Round } from './round.ts'

/** Milliseconds until the dead thread's clients chat again and new ones are served. */
const CHAT_MS = 3_000
const NEW_MS = 1_000
/** Of what main answers. */
const MAIN_P99_MS = 50
/** With less of the machine than this no time is judged. */
const LEAST_AVAILABLE = 0.6
/** What each client of a thread that lives on says at least during a round. */
export const LEAST_SAID = 2

export interface Check {
  readonly text: string
  readonly ok: boolean
  /** Why `ok` says nothing. */
  readonly skip?: string
}

/** Calls, and how much of the machine was there for us while they were measured. */
export interface MeasuredCalls {
  readonly calls: Calls
  readonly available: number
}

export function judge(round: Round): Check[] {
  const { way, cause, problems, survivors, leastSaid, leastHeard, victims, alsoLost } = round
  const took = (what: string, ms: number, boundMs: number): Check =>
    timed(`${what} after ${Math.round(ms)} ms`, ms, boundMs, round.available)
  // A thread that gets no core for as long as one may block is declared stuck, and its clients are no survivors.
  const starved = alsoLost.length > 0 && alsoLost.every((other) => other === 'stuck')
  const skip = starved ? skipped(round.available) : {}
  return [
    { text: `the survivors know why: ${cause}`, ok: causesOf[way].includes(cause) },
    { text: `${alsoLost.length} other threads were lost`, ok: alsoLost.length === 0, ...skip },
    {
      text: `all that was said was heard, in order and once${problems.map((one) => `; ${one}`).join('')}`,
      ok: problems.length === 0,
      ...skip,
    },
    {
      text: `each of ${survivors} who stayed said ${leastSaid} things or more`,
      ok: survivors > 0 && leastSaid >= LEAST_SAID,
      ...skip,
    },
    {
      text: `each of them heard ${leastHeard} things or more`,
      ok: leastHeard >= LEAST_SAID * survivors,
      ...skip,
    },
    took(`its ${victims} clients chat again`, round.chatMs, CHAT_MS),
    took('new ones are served', round.newMs, NEW_MS),
  ]
}

/** Of all rounds together. */
export function judgeAll(rounds: readonly Round[]): Check[] {
  const held = rounds.filter(({ singleton }) => singleton).length
  return [
    {
      text: `${held} of ${rounds.length} threads had the singleton, which answered from another`,
      ok: held > 0,
    },
    ...judgeMain(rounds),
  ]
}

/** p99 of what main answers, over all the time in which the machine was ours. */
export function judgeMain(measured: readonly MeasuredCalls[]): Check[] {
  const ours = measured.filter(({ available }) => available >= LEAST_AVAILABLE)
  const judged = ours.length > 0 ? ours : measured
  const available = Math.max(...judged.map((one) => one.available))
  const check = (what: string, kind: keyof Calls): Check => {
    const { p50, p99, max } = percentiles(judged.flatMap(({ calls }) => calls[kind]))
    const figures = `p50 ${p50.toFixed(2)}, p99 ${p99.toFixed(2)}, max ${max.toFixed(2)} ms`
    return timed(`${what}: ${figures}`, p99, MAIN_P99_MS, available)
  }
  return [check('a call on main', 'onMain'), check('a call of a thread to main', 'toMain')]
}

function timed(text: string, ms: number, boundMs: number, available: number): Check {
  return { text: `${text}, less than ${boundMs}`, ok: ms < boundMs, ...skipped(available) }
}

function skipped(available: number): { skip?: string } {
  if (available >= LEAST_AVAILABLE) return {}
  return { skip: `${Math.round(100 * available)} percent of the machine were ours` }
}
