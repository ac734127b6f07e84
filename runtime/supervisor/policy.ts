/** What a supervisor does about a child that ended, pure (OTP supervisor, "Restart" and "Shutdown"). */
import { type ExitReason, isShutdown } from '../exit/reason.ts'
import type { AutoShutdown, Restart, Shutdown } from './childSpec.ts'

/** restart it, keep its spec without a process, or forget it. */
export type AfterExit = 'restart' | 'keep' | 'forget'

export function afterExit(restart: Restart, reason: ExitReason): AfterExit {
  if (restart === 'temporary') return 'forget'
  if (restart === 'transient' && isShutdown(reason)) return 'keep'
  return 'restart'
}

interface Significant {
  readonly spec: { readonly significant?: boolean | undefined }
  readonly pid: unknown
  readonly retry: unknown
}

/** Whether a child that has ended, and is not restarted, takes its supervisor along; `children` may contain it still. */
export function endsSupervisor(
  autoShutdown: AutoShutdown,
  { spec }: Significant,
  children: readonly Significant[],
): boolean {
  if (autoShutdown === 'never' || spec.significant !== true) return false
  if (autoShutdown === 'any_significant') return true
  return !children.some(
    (one) => one.spec.significant === true && (one.pid !== undefined || one.retry !== undefined),
  )
}

/** Whether a child's end, unasked for, is worth a child_terminated report. */
export function isReported(restart: Restart, reason: ExitReason): boolean {
  return restart === 'permanent' || !isShutdown(reason)
}

/** Whether a child that was told to stop ended in an unexpected way: a shutdown_error report. */
export function isShutdownError(restart: Restart, shutdown: Shutdown, reason: ExitReason): boolean {
  if (shutdown === 'brutal_kill') return reason !== 'killed'
  if (reason === 'shutdown' || reason === 'noproc') return false
  return restart === 'permanent' || !isShutdown(reason)
}
