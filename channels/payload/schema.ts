// What a payload schema is: any Standard Schema v1 validator that answers at once.

import type { StandardSchemaV1 } from '@standard-schema/spec'

/** A validator of untrusted input; ours take `unknown`, so a payload can be passed as it came. */
export type PayloadSchema<Output> = StandardSchemaV1<unknown, Output>

export type StringSchema = PayloadSchema<string>
export type NumberSchema = PayloadSchema<number>
export type BooleanSchema = PayloadSchema<boolean>

/** Fields by name, each a schema or fields again. */
export type PayloadFields = { readonly [name: string]: PayloadSpec }

/** What may be declared for an event: a schema, or its fields written out. */
export type PayloadSpec = StandardSchemaV1 | PayloadFields

/**
 * The type a handler receives for what was declared. A field whose output may be undefined becomes
 * an optional property.
 *
 * @example
 * type Say = InferPayload<{ text: StringSchema }> // { text: string }
 */
export type InferPayload<Spec> = Spec extends StandardSchemaV1
  ? StandardSchemaV1.InferOutput<Spec>
  : Spec extends PayloadFields
    ? Flat<
        { [Name in RequiredNames<Spec>]: InferPayload<Spec[Name]> } & {
          [Name in Exclude<keyof Spec, RequiredNames<Spec>>]?: InferPayload<Spec[Name]>
        }
      >
    : never

type RequiredNames<Fields extends PayloadFields> = {
  [Name in keyof Fields]: undefined extends InferPayload<Fields[Name]> ? never : Name
}[keyof Fields]

type Flat<Type> = { -readonly [Key in keyof Type]: Type[Key] }

/** The answer of one check: Standard Schema's result, never a promise. */
export type Checked<Output> = StandardSchemaV1.Result<Output>

/** A schema of our own from a function that checks one value and never throws. */
export function schemaOf<Output>(
  check: (value: unknown) => Checked<Output>,
): PayloadSchema<Output> {
  return { '~standard': { version: 1, vendor: 'beamish', validate: check } }
}

/** The answer that accepts. */
export const accept = <Output>(value: Output): Checked<Output> => ({ value })

/** The answer that refuses, with a sentence that can follow a field's label. */
export const reject = (message: string): Checked<never> => ({ issues: [{ message }] })

/** The answer for a value of the wrong kind, or for none at all. */
export const rejectKind = (value: unknown, message: string): Checked<never> =>
  reject(value === undefined ? 'is required' : message)

/** Whether a value implements Standard Schema v1; validators may be functions. */
export function isSchema(value: unknown): value is StandardSchemaV1 {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    '~standard' in value
  )
}
