/**
 * What a callback may answer, other than a plain value: branded, so that a reply can be any value at all. State is kept
 * unless a new one is given.
 */
import type { ExitReason } from '../exit/reason.ts'

/** Stands for "the state stays". */
export const KEEP: unique symbol = Symbol('keep state')

export interface NextOptions {
  /** handleInfo.timeout runs if no message comes within this many milliseconds; any message cancels it. */
  readonly timeoutMs?: number
  /** handleContinue runs with this before the next message. */
  readonly continue?: unknown
  /**
   * The server hibernates once it has nothing to do: what it does not need until the next message is given back, and its state
   * serialized where that pays. For one that expects no message for long: waking costs about what serializing did.
   */
  readonly hibernate?: boolean
}

abstract class Result {
  readonly state: unknown
  readonly options: NextOptions | undefined
  constructor(state: unknown, options: NextOptions | undefined) {
    this.state = state
    this.options = options
  }
}

declare const valueBrand: unique symbol

export class Reply<V = unknown> extends Result {
  readonly value: unknown
  declare readonly [valueBrand]?: V
  constructor(value: V, state: unknown, options: NextOptions | undefined) {
    super(state, options)
    this.value = value
  }
}

export class NoReply<S = unknown> extends Result {
  readonly kind = 'noreply'
  declare readonly [valueBrand]?: S
}

export class Stop<V = unknown> extends Result {
  readonly kind = 'stop'
  readonly reason: ExitReason
  readonly reply: unknown
  readonly hasReply: boolean
  declare readonly [valueBrand]?: V
  constructor(reason: ExitReason, state: unknown, hasReply: boolean, reply: unknown) {
    super(state, undefined)
    this.reason = reason
    this.hasReply = hasReply
    this.reply = reply
  }
}

export class Ignore {
  readonly kind = 'ignore'
}

export class Continue<S = unknown> extends Result {
  readonly kind = 'continue'
  declare readonly [valueBrand]?: S
}

/**
 * Replies, with the next state if one is given (`{reply, Value, State}`).
 *
 * @example
 * ```ts
 * import { genServer, reply } from 'beamish'
 * genServer('doc-tickets', {
 *   init: () => 0,
 *   handleCall: { next: (state: number) => reply(state, state + 1) },
 * })
 * ```
 */
export function reply<V>(value: V, ...rest: [state?: unknown, options?: NextOptions]): Reply<V> {
  return new Reply(value, rest.length > 0 ? rest[0] : KEEP, rest[1])
}

/**
 * No reply now: `self.reply(from, value)` may come later, from anywhere (`{noreply, State}`). From init: the first state, with
 * options (`{ok, State, Timeout | hibernate}`).
 *
 * @example
 * ```ts
 * import { type From, genServer, noreply } from 'beamish'
 * genServer('doc-queue', {
 *   init: () => ({ waiting: [] as From[] }),
 *   handleCall: { next(state, _payload: undefined, _self, { pid, ref }) { state.waiting.push({ pid, ref }); return noreply() } },
 *   handleCast: { add(state, item: string, self) { const from = state.waiting.shift(); if (from) self.reply(from, item) } },
 * })
 * ```
 */
export function noreply(): NoReply
export function noreply<S>(state: S, options?: NextOptions): NoReply<S>
export function noreply(...rest: [state?: unknown, options?: NextOptions]): NoReply {
  return new NoReply(rest.length > 0 ? rest[0] : KEEP, rest[1])
}

/**
 * Stops the server: terminate runs, then it exits with `reason` (`{stop, Reason, State}`).
 *
 * @example
 * ```ts
 * import { genServer, stop } from 'beamish'
 * genServer('doc-fuse', { init: () => 3, handleCast: { burn: (left: number) => (left > 0 ? undefined : stop('normal')) } })
 * ```
 */
export function stop(reason: ExitReason, ...rest: [state?: unknown]): Stop<never> {
  return new Stop(reason, rest.length > 0 ? rest[0] : KEEP, false, undefined)
}

/**
 * Stops the server and replies: terminate runs first, then the reply goes out (`{stop, Reason, Reply, State}`).
 *
 * @example
 * ```ts
 * import { genServer, stopWithReply } from 'beamish'
 * genServer('doc-session', { init: () => ({ items: 2 }), handleCall: { close: (state) => stopWithReply('normal', state.items) } })
 * ```
 */
export function stopWithReply<V>(
  reason: ExitReason,
  value: V,
  ...rest: [state?: unknown]
): Stop<V> {
  return new Stop<V>(reason, rest.length > 0 ? rest[0] : KEEP, true, value)
}

/**
 * From init: no process, no error; a supervisor keeps the spec (OTP ignore).
 *
 * @example
 * ```ts
 * import { genServer, ignore } from 'beamish'
 * genServer('doc-optional', { init: (url: string | undefined) => (url === undefined ? ignore() : { url }) })
 * ```
 */
export const ignore = (): Ignore => new Ignore()

/**
 * From init: the state, and handleContinue with `argument` before the first message, after the starter is released. The
 * options hold after the continue step, unless that answers something itself.
 *
 * @example
 * ```ts
 * import { continueWith, genServer, noreply } from 'beamish'
 * genServer('doc-cache', {
 *   init: () => continueWith('load', { rows: [] as string[] }),
 *   handleContinue: (_state, what) => noreply({ rows: [String(what)] }),
 * })
 * ```
 */
export function continueWith<S>(
  argument: unknown,
  state: S,
  options: Omit<NextOptions, 'continue'> = {},
): Continue<S> {
  return new Continue(state, { ...options, continue: argument })
}
