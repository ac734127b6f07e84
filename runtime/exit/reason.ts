/**
 * Exit reasons are data: one type, one formatter, one JSON form. They cross threads and end up in DOWN messages, logs and
 * tests, so nothing in them is an Error or a function.
 */

/** Why a scheduler thread is gone. */
export type LostCause = 'exit' | 'error' | 'heap' | 'stuck' | 'stopped'

/** An Error as data. `stack` is absent where the error had none. */
export interface ErrorData {
  readonly name: string
  readonly message: string
  readonly stack?: string
  readonly code?: string
}

/** Any plain value may be a reason; the shapes the runtime itself makes are listed here so that they complete in editors. */
export type ExitReason =
  | 'normal'
  | 'shutdown'
  | 'kill'
  | 'killed'
  | 'noproc'
  | 'timeout'
  | 'calling_self'
  | { readonly shutdown: unknown }
  | { readonly noconnection: { readonly scheduler: number; readonly cause: LostCause } }
  | { readonly error: ErrorData }
  | { readonly nocatch: unknown }
  | { readonly badReturn: { readonly callback: string; readonly value: string } }
  | { readonly mailboxFull: { readonly length?: number; readonly maxLength?: number } }
  | { readonly call: { readonly to: string; readonly event: string }; readonly reason: unknown }
  | { readonly [key: string]: unknown }
  | string
  | number
  | boolean
  | null

/**
 * Thrown to end the own process with a reason, and by operations that end their caller in OTP (a failed call). A process
 * that lets it through exits with `reason`; one that catches it lives (otp 14).
 *
 * @example
 * ```ts
 * import { Exit } from 'beamish'
 * try { throw new Exit('boom') } catch (e) { console.assert(e instanceof Exit && e.reason === 'boom') }
 * ```
 */
export class Exit extends Error {
  readonly reason: ExitReason
  constructor(reason: ExitReason) {
    super(`exit: ${formatReason(reason)}`)
    this.name = 'Exit'
    this.reason = reason
  }

  get [Symbol.for('beamish.exit')](): true {
    return true
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // A kind of it is told by its class: the symbol is the same for all.
    if (this !== Exit) return Function.prototype[Symbol.hasInstance].call(this, value)
    return (
      typeof value === 'object' && value !== null && Symbol.for('beamish.exit') in (value as object)
    )
  }
}

/** True for the reasons that mean an orderly end: normal, shutdown and { shutdown: … }. They are not logged (OTP). */
export function isShutdown(reason: ExitReason): boolean {
  return (
    reason === 'normal' ||
    reason === 'shutdown' ||
    (typeof reason === 'object' && reason !== null && 'shutdown' in reason)
  )
}

/** True for the end of a thread that was replaced in order: no fault, though its processes are started again elsewhere. */
export function isPlanned(reason: ExitReason): boolean {
  if (typeof reason !== 'object' || reason === null || !('noconnection' in reason)) return false
  return (reason.noconnection as { cause?: unknown } | null)?.cause === 'stopped'
}

/** Stands for what throws when it is looked at: a getter, a Proxy. */
const UNREADABLE = '(unreadable)'

/**
 * What a thrown value makes of the process that let it through: an Exit keeps its reason, the rest becomes data. Like all
 * that looks at foreign values here it never throws, whatever the value does: it runs where a throw ends the thread.
 */
export function reasonOf(thrown: unknown): ExitReason {
  try {
    if (thrown instanceof Exit) return thrown.reason
    if (thrown instanceof Error) return { error: errorData(thrown) }
  } catch {
    // A Proxy that does not say what it is.
  }
  return { nocatch: plain(thrown) }
}

/** Never throws: a property that does stands as unreadable. */
export function errorData(error: Error): ErrorData {
  const stack = property(error, 'stack')
  const code = property(error, 'code')
  return {
    name: String(property(error, 'name')),
    message: String(property(error, 'message')),
    ...(stack === undefined ? {} : { stack: String(stack) }),
    ...(typeof code === 'string' ? { code } : {}),
  }
}

/** A property that is sure to be a primitive. */
function property(error: Error, name: 'name' | 'message' | 'stack' | 'code'): unknown {
  try {
    const value: unknown = (error as { code?: unknown } & Error)[name]
    return Object(value) === value ? String(value) : value
  } catch {
    return UNREADABLE
  }
}

/** A reason that is sure to cross threads: what cannot be cloned is replaced by its text. Never throws. */
export function plain(value: unknown): ExitReason {
  if (value === null) return null
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return value
    case 'object':
      break
    default:
      try {
        return String(value)
      } catch {
        return UNREADABLE
      }
  }
  try {
    return structuredClone(value) as ExitReason
  } catch {
    return safeText(value)
  }
}

const MAX_TEXT = 2_000

/** A value as one line of bounded length, whatever it is: for logs and for reasons that cannot be cloned. Never throws. */
export function safeText(value: unknown, max: number = MAX_TEXT): string {
  let text: string | undefined
  try {
    const seen = new Set<unknown>()
    text =
      typeof value === 'string'
        ? value
        : JSON.stringify(value, (_key, v: unknown) => {
            if (typeof v === 'bigint') return `${v}n`
            if (typeof v === 'function') return `[function ${v.name}]`
            if (typeof v === 'symbol') return String(v)
            if (v instanceof Map) return { map: [...v] }
            if (v instanceof Set) return { set: [...v] }
            if (v instanceof Error) return { error: errorData(v) }
            if (typeof v === 'object' && v !== null) {
              if (seen.has(v)) return '[seen]'
              seen.add(v)
            }
            return v
          })
  } catch {
    text = undefined
  }
  const out = text ?? kindOf(value)
  return out.length > max ? `${out.slice(0, max)}…` : out
}

function kindOf(value: unknown): string {
  try {
    return Object.prototype.toString.call(value)
  } catch {
    return UNREADABLE
  }
}

/**
 * A reason as one line for people: `boom`, `shutdown: draining`, `TypeError: x is not a function`.
 *
 * @example
 * ```ts
 * import { formatReason } from 'beamish'
 * console.assert(formatReason({ shutdown: 'left' }) === 'shutdown: left')
 * ```
 */
export function formatReason(reason: ExitReason): string {
  if (typeof reason === 'string') return reason
  try {
    return format(reason)
  } catch {
    // Any data may be a reason, so also one that only begins like one of ours.
    return safeText(reason)
  }
}

function format(reason: ExitReason): string {
  if (typeof reason !== 'object' || reason === null) return String(reason)
  const r = reason as Record<string, unknown>
  if ('shutdown' in r) return `shutdown: ${formatShutdown(r.shutdown)}`
  if ('error' in r) {
    const e = r.error as ErrorData
    return `${e.name}: ${e.message}`
  }
  if ('noconnection' in r) {
    const n = r.noconnection as { scheduler: number; cause: string }
    return `noconnection: scheduler ${n.scheduler} (${n.cause})`
  }
  if ('nocatch' in r) return `nocatch: ${safeText(r.nocatch)}`
  if ('badReturn' in r) {
    const b = r.badReturn as { callback: string; value: string }
    return `bad return from ${b.callback}: ${b.value}`
  }
  if ('mailboxFull' in r) {
    const m = r.mailboxFull as { length?: number; maxLength?: number }
    return `mailbox full: ${m.length ?? m.maxLength} messages`
  }
  if ('call' in r && 'reason' in r) {
    const c = r.call as { to: string; event: string }
    return `call ${c.event} to ${c.to} failed: ${formatReason(r.reason as ExitReason)}`
  }
  return safeText(reason)
}

function formatShutdown(why: unknown): string {
  if (typeof why !== 'object' || why === null || !('failedToStartChild' in why))
    return safeText(why)
  const { failedToStartChild, reason } = why as { failedToStartChild: unknown; reason?: ExitReason }
  return `child ${safeText(failedToStartChild)} did not start: ${formatReason(reason ?? 'unknown')}`
}

/** The stack inside a reason, when it has one. */
export function reasonStack(reason: ExitReason): string | undefined {
  if (typeof reason !== 'object' || reason === null) return undefined
  return (reason as { error?: Partial<ErrorData> | null }).error?.stack
}
