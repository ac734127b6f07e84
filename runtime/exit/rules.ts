/**
 * The table of exit signals (OTP "Receiving Exit Signals"), as a pure function: what a signal does to its receiver. The
 * kernel asks it on one thread and across threads alike.
 */
import type { ExitReason } from './reason.ts'

/** How the signal came about: a link partner ended, `exit(pid, reason)` by another, or by the process itself. */
export type SignalKind = 'link' | 'exit' | 'self'

/** dropped, delivered as an EXIT message, or the receiver dies with `reason`. */
export type SignalEffect =
  | { readonly do: 'drop' }
  | { readonly do: 'message' }
  | { readonly do: 'die'; readonly reason: ExitReason }

const DROP: SignalEffect = { do: 'drop' }
const MESSAGE: SignalEffect = { do: 'message' }
const KILLED: SignalEffect = { do: 'die', reason: 'killed' }

export function signalEffect(
  kind: SignalKind,
  reason: ExitReason,
  trapping: boolean,
): SignalEffect {
  // `kill` cannot be trapped when sent on purpose; as the reason of a link partner it is an ordinary reason.
  if (reason === 'kill' && kind !== 'link') return KILLED
  if (trapping) return MESSAGE
  if (reason === 'normal') return kind === 'self' ? { do: 'die', reason } : DROP
  return { do: 'die', reason }
}
