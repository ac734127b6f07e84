// Runs one Standard Schema validator where only an answer at once will do.

import type { StandardSchemaV1 } from '@standard-schema/spec'
import { ChannelError } from '../errors.ts'
import type { Checked } from './schema.ts'

/**
 * The validator's answer. Throws `CHN_SCHEMA_ASYNC` when it is a promise: a process handles its
 * messages in order, and a payload is checked before the handler owns the turn.
 */
export function runSchema<Output>(
  schema: StandardSchemaV1<unknown, Output>,
  value: unknown,
): Checked<Output> {
  const answer = schema['~standard'].validate(value)
  if ('then' in answer) {
    // Left alone, a rejection would become a stray of whoever sent the payload.
    answer.then(undefined, () => {})
    throw new ChannelError(
      'CHN_SCHEMA_ASYNC',
      `A ${schema['~standard'].vendor} schema answered with a promise: payload schemas are synchronous. Check the shape here and await the rest in the handler.`,
    )
  }
  return answer
}
