/**
 * What the runtime tells the outside: events on `diagnostics_channel`, named `beamish:<event>`. Libraries publish, loggers
 * and metrics subscribe; where nobody listens an event costs one property read. docs/telemetry.md is the catalogue.
 */
import { type Channel, channel } from 'node:diagnostics_channel'
import {
  type ExitReason,
  formatReason,
  type LostCause,
  plain,
  reasonOf,
  reasonStack,
} from './exit/reason.ts'
import type { MailboxPolicy } from './process/flags.ts'
import type { Pid } from './process/pid.ts'
import type { Stray } from './process/strays.ts'

/** A process that ended for a reason other than normal, shutdown or { shutdown }, by its own doing. */
export interface CrashReport {
  readonly pid: Pid
  /** The pid as text. */
  readonly process: string
  readonly name: string | undefined
  readonly behaviour: string
  readonly scheduler: number
  readonly reason: ExitReason
  readonly lastMessage: unknown
  readonly state: unknown
  /** Parent first, as text. */
  readonly ancestors: readonly string[]
  readonly mailboxLength: number
  /** It came up outside of any callback: in something the process left behind, or by a call of process.exit(). */
  readonly stray?: Stray
}

export interface SupervisorReport {
  readonly supervisor: string
  readonly context: 'child_terminated' | 'start_error' | 'shutdown_error' | 'shutdown'
  readonly child: string
  readonly pid: Pid | undefined
  readonly reason: ExitReason
  /** It was the first start of this child: whoever asked for it is told, too. */
  readonly initial?: boolean
}

/** A process and what it was given. */
export interface Ran {
  /** The pid as text. */
  readonly process: string
  readonly behaviour: string | undefined
  readonly message: string | undefined
}

/** How a thread was lost, and what it did last. */
export interface ThreadLoss {
  readonly scheduler: number
  readonly cause: LostCause
  readonly message: string
  /** The process that ran last: the culprit of a stuck thread, unless its stack says otherwise. */
  readonly ranLast: Ran | undefined
  /** Cause stuck: milliseconds without a sign of life. */
  readonly blockedMs?: number
  /** Cause stuck: what it executed, innermost frame first, unless that was a native call. */
  readonly stack?: readonly string[]
}

/** A mailbox at its high water. The last three are there where it has a limit. */
export interface MailboxReport {
  readonly pid: Pid
  /** The pid as text. */
  readonly process: string
  readonly name: string | undefined
  readonly behaviour: string
  readonly scheduler: number
  readonly length: number
  readonly highWater: number
  readonly maxLength?: number
  readonly policy?: MailboxPolicy
  /** Messages it was too full for until now. */
  readonly dropped?: number
}

/** A message into a traced process, or a reply out of it. */
export interface TraceEvent {
  readonly pid: Pid
  /** The pid as text. */
  readonly process: string
  readonly name: string | undefined
  readonly behaviour: string
  readonly scheduler: number
  readonly event: 'in' | 'out'
  /** What came in: `{ call, payload, from }`, `{ cast, payload }` or the message; out: the reply. */
  readonly message: unknown
  /** Out: who called, as text. */
  readonly to?: string
  /** How many more events will be told. */
  readonly left: number
}

/**
 * What becomes of an application. started: it is up, with its start phases. start_failed: it is not. stopped: by request, or with
 * its node. ended: its top supervisor did, by itself.
 */
export interface ApplicationEvent {
  readonly application: string
  readonly event: 'started' | 'start_failed' | 'stopped' | 'ended'
  readonly type: 'permanent' | 'transient' | 'temporary'
  /** start_failed and ended. */
  readonly reason?: ExitReason
}

/** Every event of the runtime with what it carries. The channels and live view layers add theirs. */
export interface RuntimeEvents {
  crash: CrashReport
  supervisor: SupervisorReport
  /** On main. None of a supervisor that is exported as it is. */
  application: ApplicationEvent
  /** A message that could not cross threads and the process it ended. */
  uncloneable: {
    readonly from: Pid
    readonly to: string
    readonly path: string
    readonly what: string
  }
  /** More than `highWater` messages wait in a mailbox; told again only after fewer than half of them did. */
  mailbox: MailboxReport
  /** Of a process traced by sys.trace, on its thread. */
  trace: TraceEvent
  /** Something worth a line that is no crash. `code` says which, `message` says it in words. */
  notice: {
    readonly level: 'info' | 'warn' | 'error'
    readonly code: string
    readonly message: string
    readonly [field: string]: unknown
  }
  schedulerUp: { readonly scheduler: number; readonly bootMs: number }
  /** A thread is dead to everybody from now on; see ThreadLoss. */
  schedulerLost: ThreadLoss
  /** Nothing of a thread runs any more: its sockets are closed. At once after its loss, unless it was stuck in a native call. */
  schedulerEnded: { readonly scheduler: number; readonly afterMs: number }
}

const channels = new Map<string, Channel>()

/** The diagnostics_channel of an event: `eventChannel('crash')` is `beamish:crash`. */
export function eventChannel(name: string): Channel {
  let found = channels.get(name)
  if (found === undefined) {
    found = channel(`beamish:${name}`)
    channels.set(name, found)
  }
  return found
}

/** Publishes an event; `make` runs only when somebody listens. */
export function publish<K extends keyof RuntimeEvents>(
  name: K,
  make: () => RuntimeEvents[K],
): void {
  const target = eventChannel(name)
  if (target.hasSubscribers) target.publish(make())
}

/**
 * Listens to an event on this thread. Returns the function that ends it. A listener that throws, or whose promise rejects,
 * ends nothing: a notice `listener_failed` says so once, or a warning of Node where no notice can. It is
 * called for later events all the same.
 *
 * @example
 * ```ts
 * import { onEvent } from 'beamish'
 * const off = onEvent('crash', (report) => console.error(report.process, report.reason))
 * off()
 * ```
 */
export function onEvent<K extends keyof RuntimeEvents>(
  name: K,
  listener: (event: RuntimeEvents[K]) => void,
): () => void {
  const target = eventChannel(name)
  let told = false
  // diagnostics_channel makes an uncaught exception of it, which ends main or the thread.
  const failed = (thrown: unknown): void => {
    if (told) return
    told = true
    listenerFailed(name, thrown)
  }
  const handler = (event: unknown): void => {
    try {
      const result: unknown = listener(event as RuntimeEvents[K])
      if (result instanceof Promise) result.catch(failed)
    } catch (thrown) {
      failed(thrown)
    }
  }
  target.subscribe(handler)
  return () => {
    target.unsubscribe(handler)
  }
}

function listenerFailed(name: keyof RuntimeEvents, thrown: unknown): void {
  const reason = plain(reasonOf(thrown))
  const message = `a listener of ${name} failed, which is told once: ${formatReason(reason)}`
  const stack = reasonStack(reason)
  // What fails at a notice may be all that hears notices.
  if (name !== 'notice' && eventChannel('notice').hasSubscribers) {
    publish('notice', () => ({
      level: 'error',
      code: 'listener_failed',
      message,
      event: name,
      stack,
    }))
  } else {
    process.emitWarning(message, {
      type: 'BeamishWarning',
      code: 'listener_failed',
      ...(stack === undefined ? {} : { detail: stack }),
    })
  }
}
