// Standard Schema validators as other libraries write them.

import type { StandardSchemaV1 } from '@standard-schema/spec'

/** A schema that accepts what `test` is true for, as it is. */
export function foreign<Output>(
  test: (value: unknown) => boolean,
  path?: StandardSchemaV1.Issue['path'],
): StandardSchemaV1<unknown, Output> {
  return {
    '~standard': {
      version: 1,
      vendor: 'foreign',
      validate: (value) =>
        test(value) ? { value: value as Output } : { issues: [{ message: 'is foreign', path }] },
    },
  }
}

/** A schema that is a function, as arktype's are. */
export function foreignFunction(): StandardSchemaV1<unknown, string> {
  return Object.assign(
    () => undefined,
    foreign<string>((value) => typeof value === 'string'),
  )
}

/** A schema that resolves or rejects later. */
export function foreignAsync(resolves: boolean): StandardSchemaV1<unknown, number> {
  return {
    '~standard': {
      version: 1,
      vendor: 'foreign',
      validate: async () => {
        if (!resolves) throw new Error('rejected later')
        return { value: 1 }
      },
    },
  }
}
