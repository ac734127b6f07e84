// An object of declared fields.

import type { StandardSchemaV1 } from '@standard-schema/spec'
import { ChannelError } from '../errors.ts'
import { runSchema } from './run.ts'
import {
  type InferPayload,
  isSchema,
  type PayloadFields,
  type PayloadSchema,
  type PayloadSpec,
  rejectKind,
  schemaOf,
} from './schema.ts'

/**
 * A schema of an object with these fields; any Standard Schema validator can be one. The value it
 * gives is a new plain object with the declared fields alone: unknown keys are dropped, a field
 * that is absent stays absent, nothing is read through the prototype. Issues carry the path.
 * Throws `CHN_SCHEMA` for a field that is no schema or is named `__proto__`.
 *
 * @example
 * ```ts
 * import { optional, shape, string, validate } from 'beamish/channels'
 * const send = shape({ text: string(1, 500), to: optional(string()) })
 * const checked = validate(send, { text: ' hi ', admin: true }) // { ok: true, value: { text: 'hi' } }
 * console.assert(checked.ok && !('admin' in checked.value))
 * ```
 */
export function shape<Fields extends PayloadFields>(
  fields: Fields,
): PayloadSchema<InferPayload<Fields>> {
  const entries: [string, StandardSchemaV1][] = []
  for (const [name, spec] of Object.entries(fields)) {
    if (name === '__proto__') {
      throw new ChannelError('CHN_SCHEMA', 'A field cannot be named __proto__: rename it.')
    }
    entries.push([name, payloadSchema(spec)])
  }
  return schemaOf<InferPayload<Fields>>((value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return rejectKind(value, 'must be an object')
    }
    const input = value as Record<string, unknown>
    const output: Record<string, unknown> = {}
    let issues: StandardSchemaV1.Issue[] | undefined
    for (const [name, schema] of entries) {
      const given = Object.hasOwn(input, name) ? input[name] : undefined
      const checked = runSchema(schema, given)
      if (checked.issues !== undefined) {
        issues ??= []
        for (const { message, path = [] } of checked.issues) {
          issues.push({ message, path: [name, ...path] })
        }
      } else if (checked.value !== undefined) {
        output[name] = checked.value
      }
    }
    return issues === undefined ? { value: output as InferPayload<Fields> } : { issues }
  })
}

/**
 * The schema of what was declared for an event: the schema itself, or the shape of its fields.
 * Throws `CHN_SCHEMA` for anything else. Call it once, where the event is declared.
 *
 * @example
 * ```ts
 * import { payloadSchema, string, validate } from 'beamish/channels'
 * const schema = payloadSchema({ text: string(1, 500) })
 * console.assert(!validate(schema, 7).ok)
 * ```
 */
export function payloadSchema<Spec extends PayloadSpec>(
  spec: Spec,
): PayloadSchema<InferPayload<Spec>> {
  if (isSchema(spec)) return spec as PayloadSchema<InferPayload<Spec>>
  if (typeof spec !== 'object' || spec === null || Array.isArray(spec)) {
    throw new ChannelError(
      'CHN_SCHEMA',
      'A payload is declared by a Standard Schema validator or by its fields: call the builder, as in { text: string(1, 500) }.',
    )
  }
  return shape(spec as PayloadFields) as PayloadSchema<InferPayload<Spec>>
}
