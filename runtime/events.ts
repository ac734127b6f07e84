/**
 * What the runtime tells the outside: events on `diagnostics_channel`, named `beamish:<event>`. Libraries publish, loggers
 * and metrics subscribe; where nobody listens an event costs one property read. docs/telemetry.md is the catalogue.
 */
import { type Channel, channel } from 'node:diagnostics_channel'
import type { ExitReason, LostCause } from './exit/reason.ts'
import type { Pid } from './process/pid.ts'

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

/** Every event of the runtime with what it carries. The channels and live view layers add theirs. */
export interface RuntimeEvents {
  crash: CrashReport
  supervisor: SupervisorReport
  /** A message that could not cross threads and the process it ended. */
  uncloneable: {
    readonly from: Pid
    readonly to: string
    readonly path: string
    readonly what: string
  }
  /** Something worth a line that is no crash. `code` says which, `message` says it in words. */
  notice: {
    readonly level: 'info' | 'warn' | 'error'
    readonly code: string
    readonly message: string
    readonly [field: string]: unknown
  }
  schedulerUp: { readonly scheduler: number; readonly bootMs: number }
  schedulerLost: {
    readonly scheduler: number
    readonly cause: LostCause
    readonly message: string | undefined
  }
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
 * Listens to an event on this thread. Returns the function that ends it.
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
  const handler = (event: unknown): void => listener(event as RuntimeEvents[K])
  target.subscribe(handler)
  return () => {
    target.unsubscribe(handler)
  }
}
