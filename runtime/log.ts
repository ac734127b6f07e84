/** A line for the log, from any layer: published on `beamish:log`, written by whoever subscribes. */
import { eventChannel } from './events.ts'

export function logLine(
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields: () => Readonly<Record<string, unknown>> = () => ({}),
): void {
  const target = eventChannel('log')
  if (target.hasSubscribers) target.publish({ level, message, ...fields() })
}
