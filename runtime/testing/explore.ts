/**
 * Exploring: one test under many schedules. The first seed that fails is run again with ever fewer drawn choices, so that what
 * is shown departs from the plain order only where it must.
 */
import { BeamishError } from '../errors.ts'
import { whole } from '../supervisor/spec.ts'
import { type TestNode, type TestNodeOptions, testNode } from './testNode.ts'
import { abridged } from './timeline.ts'

export interface ExploreOptions extends Omit<TestNodeOptions, 'seed' | 'draws'> {
  /** Schedules to try. Default 200. */
  readonly runs?: number
  /** The first seed; the others follow. Default 1. */
  readonly seed?: number
  /** Is given the failing seed with its timeline. Default: console.error. */
  readonly report?: (text: string) => void
}

export interface Explored {
  readonly runs: number
  /** Steps of all runs together. */
  readonly steps: number
}

interface Failure {
  readonly error: unknown
  readonly timeline: string
  /** Choices that were drawn until it failed. */
  readonly draws: number
}

/** Runs of a failing seed that look for fewer draws. */
const SHRINKS = 40

/**
 * Runs a test under many schedules, each on a node of its own. If one fails, its seed is reported with the timeline and how to
 * run it alone, and the test's error is thrown.
 *
 * @throws what the test throws under the smallest failing seed; BEAMISH_BAD_OPTION
 * @example
 * ```ts
 * import { explore } from 'beamish/testing'
 * // Two processes on two threads: either message may come first, but both come.
 * await explore(
 *   async (node) => {
 *     for (const text of ['one', 'two']) await node.spawn((self) => self.send(node.self.pid, text))
 *     await node.assertReceive('one')
 *     await node.assertReceive('two')
 *   },
 *   { runs: 50, schedulers: 2 },
 * )
 * ```
 */
export async function explore(
  test: (node: TestNode) => unknown,
  options: ExploreOptions = {},
): Promise<Explored> {
  const { runs = 200, seed = 1, report = console.error, ...rest } = options
  const last = whole('seed', seed, 0) + whole('runs', runs, 1) - 1
  let steps = 0
  const attempt = async (at: number, draws?: number): Promise<Failure | undefined> => {
    let node: TestNode | undefined
    try {
      node = await testNode({ ...rest, seed: at, ...(draws === undefined ? {} : { draws }) })
      await test(node)
      return undefined
    } catch (error) {
      return { error, timeline: node?.timeline() ?? '', draws: node?.drawn ?? 0 }
    } finally {
      steps += node?.steps ?? 0
      node?.close()
      // Real timers, which hold what they are about, are due only between turns of the loop.
      await new Promise(setImmediate)
    }
  }
  for (let at = seed; at <= last; at++) {
    const failure = await attempt(at)
    if (failure === undefined) continue
    const least = await fewest(failure, (draws) => attempt(at, draws))
    const { development, autoAdvance, maxSteps, schedulers = 2 } = rest
    const again = { schedulers, seed: at, draws: least.draws, development, autoAdvance, maxSteps }
    report(describe(least, at, at - seed + 1, runs, JSON.stringify(again)))
    throw least.error
  }
  return { runs, steps }
}

/** The failure with the fewest draws that can be found by halving. */
async function fewest(
  first: Failure,
  attempt: (draws: number) => Promise<Failure | undefined>,
): Promise<Failure> {
  let least = first
  let passes = -1
  for (let i = 0; i < SHRINKS && least.draws - passes > 1; i++) {
    const draws = Math.floor((passes + least.draws) / 2)
    const failure = await attempt(draws)
    if (failure === undefined) passes = draws
    else least = { ...failure, draws: Math.min(draws, failure.draws) }
  }
  return least
}

function describe(
  { error, timeline }: Failure,
  seed: number,
  run: number,
  runs: number,
  options: string,
): string {
  const message = error instanceof Error ? error.message : String(error)
  const shown =
    error instanceof BeamishError && error.code === 'BEAMISH_TEST_ASSERTION'
      ? String(error.fields.message)
      : message
  return [
    `seed ${seed} fails (run ${run} of ${runs}): ${shown}`,
    '',
    abridged(timeline),
    '',
    `to run it alone: testNode(${options})`,
  ].join('\n')
}
