/** Declared pushes: what a channel sends is held against what it said it sends, while it is developed. */
import { ChannelError } from '../errors.ts'
import { validate } from '../payload/index.ts'
import type { ChannelDefinition } from './channel.ts'

/** @throws CHN_PUSH for what was not declared. */
export function checkPush(
  { name, pushes }: ChannelDefinition,
  event: string,
  payload: unknown,
): void {
  if (pushes === undefined) return
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
