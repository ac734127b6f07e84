/**
 * Aliases: addresses of a process that it may switch off, so that an answer that comes too late goes nowhere (OTP alias/1,
 * monitor/3 with alias). Pure: what the table of one process knows; the signals are in scheduler/aliases.ts.
 */
import type { Ref } from './pid.ts'

/**
 * How an alias ends. explicit_unalias: by unalias() alone. reply: also with the first message sent to it. demonitor: with
 * its monitor, by demonitor() or its DOWN. reply_demonitor: that too, and its first message ends alias and monitor.
 */
export type AliasMode = 'explicit_unalias' | 'reply' | 'demonitor' | 'reply_demonitor'

/** The modes of an alias that a monitor makes. */
export type MonitorAlias = Exclude<AliasMode, 'reply'>

export const MONITOR_ALIASES: readonly unknown[] = [
  'explicit_unalias',
  'demonitor',
  'reply_demonitor',
] satisfies MonitorAlias[]

/** The active aliases of one process, by reference. */
export type Aliases = Map<Ref, AliasMode>

/** A message has come for an alias: whether it is let in, and what that ends. */
export function takeMessage(
  aliases: Aliases | undefined,
  ref: Ref,
): 'drop' | 'deliver' | 'deliver_and_demonitor' {
  const mode = aliases?.get(ref)
  if (mode === undefined) return 'drop'
  if (mode === 'explicit_unalias' || mode === 'demonitor') return 'deliver'
  aliases?.delete(ref)
  return mode === 'reply' ? 'deliver' : 'deliver_and_demonitor'
}

/** The monitor with this reference has ended, by demonitor() or its DOWN. */
export function monitorEnded(aliases: Aliases, ref: Ref): void {
  const mode = aliases.get(ref)
  if (mode === 'demonitor' || mode === 'reply_demonitor') aliases.delete(ref)
}
