/** Declared pushes: what a channel sends is held against what it said it sends, while it is developed. */
import { ChannelError } from '../errors.ts'
import { validate } from '../payload/index.ts'
import type { PayloadSchema } from '../payload/schema.ts'

/** Throws for what was not declared. */
export type PushCheck = (event: string, payload: unknown) => void

/** The check of a channel. In production there is none: whoever sends has been tested by then. */
export function pushCheck(
  name: string,
  pushes: ReadonlyMap<string, PayloadSchema<unknown>> | undefined,
  development: boolean,
): PushCheck | undefined {
  if (pushes === undefined || !development) return undefined
  return (event, payload) => {
    const schema = pushes.get(event)
    if (schema === undefined) {
      throw new ChannelError(
        'CHN_PUSH',
        `Channel "${name}" declares no push "${event}": add it to pushes.`,
      )
    }
    const checked = validate(schema, payload)
    if (checked.ok) return
    const issues = checked.issues.map(({ path, message }) => `${path} ${message}`.trim()).join(', ')
    throw new ChannelError(
      'CHN_PUSH',
      `The payload of push "${event}" of channel "${name}" is not what pushes declares: ${issues}.`,
    )
  }
}
