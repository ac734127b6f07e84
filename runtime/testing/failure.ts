/** An assertion that failed, at the line of the test that made it. */
import { BeamishError } from '../errors.ts'
import { type ExitReason, formatReason } from '../exit/reason.ts'
import { type Match, matches, matchText } from './match.ts'

/** `at`: made where the test called the assert. */
export function failure(message: string, at: Error, timeline = ''): BeamishError {
  const shown = timeline === '' ? '' : `\n\n${timeline}\n`
  const error = new BeamishError('BEAMISH_TEST_ASSERTION', { message, timeline: shown })
  // Whoever prints the error with its properties would print the timeline twice.
  Object.defineProperty(error, 'fields', { enumerable: false })
  const frames = at.stack?.split('\n').slice(1) ?? []
  error.stack = [`${error.name}: ${error.message}`, ...frames].join('\n')
  return error
}

/** It came, and is not what was expected. */
export class Mismatch extends Error {}

export function expectReason(what: string, expected: Match, actual: ExitReason): void {
  if (expected === undefined || matches(expected, actual)) return
  throw new Mismatch(`${what} has the reason ${formatReason(actual)}, not ${matchText(expected)}`)
}
