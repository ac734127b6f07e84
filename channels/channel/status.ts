/** What status and crash reports show of a channel: its assigns and last message, without their secrets. */
import { type ExitReason, formatReason, reasonOf } from '../../runtime/exit/reason.ts'
import type { StatusReport } from '../../runtime/process/behaviour.ts'
import type { ChannelDefinition } from './channel.ts'
import { filtered, STATUS } from './filter.ts'

/** Whoever formats it has the first say, and the filter the last one. Never throws. */
export function channelStatus(
  { callbacks, filter }: ChannelDefinition,
  status: StatusReport,
): StatusReport {
  try {
    const told = { ...status, ...callbacks.formatStatus?.(status) }
    return {
      ...told,
      state: filtered(told.state, filter, STATUS),
      message: filtered(told.message, filter, STATUS),
      ...(told.reason === undefined
        ? {}
        : { reason: filtered(told.reason, filter, STATUS) as ExitReason }),
    }
  } catch (thrown) {
    // What it was to hide must not show because it failed.
    const state = `formatStatus failed: ${formatReason(reasonOf(thrown))}`
    return { state, ...(status.reason === undefined ? {} : { reason: status.reason }) }
  }
}
