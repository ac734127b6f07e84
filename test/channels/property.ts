// Runs a property as one assertion; a failure prints the seed, the path and the shrunk example.

import fc from 'fast-check'

type Assert = { ok(value: unknown, message: string): unknown }

/** Asserts that a property holds; its predicate returns false or throws where it does not. */
export function holds<Inputs>(
  t: Assert,
  property: fc.IProperty<Inputs>,
  options: fc.Parameters<Inputs> = {},
): void {
  const outcome = fc.check(property, options)
  t.ok(!outcome.failed, fc.defaultReportMessage(outcome) ?? 'the property holds')
}
