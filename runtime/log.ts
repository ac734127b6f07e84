/** A line for the log, from any layer: published on `beamish:log`, written by whoever subscribes. */
import { eventChannel } from './events.ts'

export type LineLevel = 'debug' | 'info' | 'warn' | 'error'

/** The levels that tell of the ordinary have channels of their own: where nobody reads them no lines are made. */
const channels = {
  debug: eventChannel('logDebug'),
  info: eventChannel('logInfo'),
  warn: eventChannel('log'),
  error: eventChannel('log'),
}

const channelOf = (level: LineLevel) => channels[level]

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
