/** What may be sent on as it came: an object. Nothing else can be the payload of a broadcast or a reply, but bytes. */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Payload } from 'beamish/channels'

export const sendable: StandardSchemaV1<unknown, Payload> = {
  '~standard': {
    version: 1,
    vendor: 'beamish tour',
    validate: (value) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? { value: value as Payload }
        : { issues: [{ message: 'must be an object or bytes' }] },
  },
}
