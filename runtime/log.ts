/** A line for the log, from any layer: published on `beamish:log`, written by whoever subscribes. */
import { eventChannel } from './events.ts'

export type LineLevel = 'debug' | 'info' | 'warn' | 'error'

/** Lines for debugging have a channel of their own: where nobody reads them they are not made. */
const lines = eventChannel('log')
const debugLines = eventChannel('logDebug')

const channelOf = (level: LineLevel) => (level === 'debug' ? debugLines : lines)

/** Whether anybody reads lines of this level. */
export const logs = (level: LineLevel): boolean => channelOf(level).hasSubscribers

export function logLine(
  level: LineLevel,
  message: string,
  fields: () => Readonly<Record<string, unknown>> = () => ({}),
): void {
  const target = channelOf(level)
  if (target.hasSubscribers) target.publish({ level, message, ...fields() })
}
