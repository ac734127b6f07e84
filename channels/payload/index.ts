// Declared payload schemas, on Standard Schema v1.

/** Builders of fields. */
export {
  any,
  boolean,
  bytes,
  integer,
  number,
  oneOf,
  optional,
  type StringOptions,
  string,
} from './fields.ts'
/** What schemas and declarations are, and what handlers receive for them. */
export type {
  BooleanSchema,
  InferPayload,
  NumberSchema,
  PayloadFields,
  PayloadSchema,
  PayloadSpec,
  StringSchema,
} from './schema.ts'
/** Objects of fields. */
export { payloadSchema, shape } from './shape.ts'
/** Checking a payload. */
export { maxIssues, type PayloadIssue, type Validated, validate } from './validate.ts'
