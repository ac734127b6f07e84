import type { Test } from 'tap'
import type { Check } from './judge.ts'

/** Each check as an assertion; one that says nothing is skipped, with its figures. */
export function assertAll(t: Test, checks: readonly Check[]): void {
  for (const { text, ok, skip } of checks) t.ok(ok, text, skip === undefined ? {} : { skip })
}
