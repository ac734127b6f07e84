// Checks a payload before a handler sees it.

import type { StandardSchemaV1 } from '@standard-schema/spec'
import { runSchema } from './run.ts'

/** One thing wrong: `path` like `text` or `items.0.name`, '' for the payload as a whole. */
export type PayloadIssue = { readonly path: string; readonly message: string }

export type Validated<Output> =
  | { readonly ok: true; readonly value: Output }
  | { readonly ok: false; readonly issues: readonly PayloadIssue[] }

/** Issues reported at most; a foreign validator may find one per element of a hostile array. */
export const maxIssues = 32

/**
 * The payload as the schema gives it back, or what is wrong with it, as plain data that can be the
 * response of an error reply. Throws `CHN_SCHEMA_ASYNC` for a schema that answers with a promise,
 * and whatever a foreign validator throws.
 *
 * @example
 * ```ts
 * import { shape, string, validate } from 'beamish/channels'
 * const checked = validate(shape({ text: string(1, 500) }), { text: '' })
 * // { ok: false, issues: [{ path: 'text', message: 'must have at least 1 character' }] }
 * console.assert(!checked.ok && checked.issues[0]?.path === 'text')
 * ```
 */
export function validate<Output>(
  schema: StandardSchemaV1<unknown, Output>,
  value: unknown,
): Validated<Output> {
  const checked = runSchema(schema, value)
  if (checked.issues === undefined) return { ok: true, value: checked.value }
  const issues = checked.issues.slice(0, maxIssues)
  return {
    ok: false,
    issues: issues.map(({ path, message }) => ({ path: pathText(path), message })),
  }
}

const pathText = (path: StandardSchemaV1.Issue['path']): string =>
  path?.map((segment) => String(typeof segment === 'object' ? segment.key : segment)).join('.') ??
  ''
