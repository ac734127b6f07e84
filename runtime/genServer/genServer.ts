/**
 * GenServer: a process that holds state and answers calls, casts and other messages one at a time (OTP gen_server). The
 * behaviour is data: handlers by name. The state is in the process, so the module can be the same on every thread.
 */
import { BeamishError } from '../errors.ts'
import type { ExitReason } from '../exit/reason.ts'
import { type CodeChange, defineBehaviour, type StatusReport } from '../process/behaviour.ts'
import type { Flags } from '../process/flags.ts'
import type { DownMessage, ExitMessage, From } from '../process/messages.ts'
import type { Name } from '../process/pid.ts'
import type { TypedBehaviour } from '../process/protocol.ts'
import type { Self } from '../process/self.ts'
import type { StrayOptions } from '../process/strays.ts'
import { type ChildOptions, type ChildSpec, childSpec } from '../supervisor/childSpec.ts'
import type { Continue, Ignore, NoReply, Stop } from './results.ts'
import { ServerBehaviour } from './server.ts'

/** A handler of one call. Its value is the reply; see results.ts for the rest. `from` serves a later self.reply(). */
export type CallHandlers<S> = Readonly<
  Record<string, (state: S, payload: never, self: Self, from: From) => unknown>
>
/** A handler of one cast: changes the state in place, or returns noreply(state) or stop(reason). */
export type CastHandlers<S> = Readonly<
  Record<
    string,
    (state: S, payload: never, self: Self) => undefined | void | NoReply | Stop | Promise<unknown>
  >
>
type InfoResult = undefined | void | NoReply | Stop | Promise<unknown>
/** Handlers of other messages by their name: a string message is its own name, an object's is its `type`. */
export type InfoHandlers<S> = {
  readonly [type: string]: (state: S, message: never, self: Self) => InfoResult
} & {
  readonly EXIT?: (state: S, message: ExitMessage, self: Self) => InfoResult
  readonly DOWN?: (state: S, message: DownMessage, self: Self) => InfoResult
  readonly timeout?: (state: S, message: 'timeout', self: Self) => InfoResult
}

export type InitResult<S> = S | Continue<S> | NoReply<S> | Ignore | Stop<never>

export interface GenServerSpec<A, S, HC, HK> extends StrayOptions, Flags {
  /** Makes the state. Its starter waits for it. ignore(), stop(reason) and continueWith(arg, state) are answers too. */
  readonly init: (argument: A, self: Self) => InitResult<S> | Promise<InitResult<S>>
  // An intersection, not `HC extends …`: only so is the state of the handlers inferred from init.
  readonly handleCall?: HC & CallHandlers<S>
  readonly handleCast?: HK & CastHandlers<S>
  /** By message name, or one function for all. A message without a handler is reported and dropped. */
  readonly handleInfo?: InfoHandlers<S> | ((state: S, message: unknown, self: Self) => InfoResult)
  readonly handleContinue?: (state: S, argument: unknown, self: Self) => InfoResult
  /**
   * Runs on a stop, on a throw in a callback, and when the parent ends while this process traps exits; not on kill or an
   * untrapped exit signal. After a throw it sees the state as it was when the callback began, unless changed in place.
   */
  readonly terminate?: (reason: ExitReason, state: S, self: Self) => unknown
  /**
   * Makes the state of this version from that of another one, for sys.changeCode; with direction `down`, the state of the
   * version that is to run from that of this one. What it throws refuses the change.
   */
  readonly codeChange?: (state: unknown, change: CodeChange) => unknown
  /** How status and crash reports show the state, the last message and the reason: what it leaves out is shown as it is. */
  readonly formatStatus?: (status: StatusReport & { readonly state: S }) => {
    readonly [part in keyof StatusReport]?: unknown
  }
  /**
   * Hibernates after so many idle milliseconds, or up to twice as many. The state must be data of its own then: what comes back
   * is a copy, equal and with its inner references kept, but not what others have references to; a state that would not come
   * back equal stays as it is, and a notice says so. Default Infinity: never.
   */
  readonly hibernateAfterMs?: number
  /** Traps exits from the start, so that terminate runs on a supervisor's shutdown. Default false. */
  readonly trapExit?: boolean
}

export type GenServer<A, HC, HK> = TypedBehaviour<A, { readonly calls: HC; readonly casts: HK }> & {
  /** A child spec for a supervisor: the argument of init, then how it is supervised. */
  child(argument: A, options?: ChildOptions): ChildSpec
  /** A registered name that knows what its process answers to. */
  named(name: string): Name<{ readonly calls: HC; readonly casts: HK }>
}

/**
 * Defines a server. Calls and casts are typed from their handlers; the name is the same on every thread.
 *
 * @example
 * ```ts
 * import { genServer } from 'beamish'
 * export const Counter = genServer('doc-counter', {
 *   init: (start: number) => ({ count: start }),
 *   handleCall: { read: (state) => state.count },
 *   handleCast: { add: (state, n: number) => { state.count += n } },
 * })
 * ```
 *
 * With `containStrays` what its code leaves behind ends the server and not its thread:
 *
 * ```ts
 * import { genServer } from 'beamish'
 * export const Mailer = genServer('doc-mailer', {
 *   containStrays: true,
 *   init: (url: string) => ({ url }),
 *   handleCast: { ping(state) { void fetch(state.url) } }, // nobody awaits it: if it fails, this server ends
 * })
 * ```
 * @throws BEAMISH_BEHAVIOUR_DUPLICATE
 */
export function genServer<A, S, HC = Record<never, never>, HK = Record<never, never>>(
  name: string,
  spec: GenServerSpec<A, S, HC, HK>,
): GenServer<A, HC, HK> {
  if (typeof spec.init !== 'function') {
    throw new BeamishError('BEAMISH_BAD_OPTION', {
      option: `init of genServer "${name}"`,
      got: typeof spec.init,
      fix: 'give a function that returns the first state',
    })
  }
  const { hibernateAfterMs = Number.POSITIVE_INFINITY } = spec
  if (!(typeof hibernateAfterMs === 'number' && hibernateAfterMs > 0)) {
    throw new BeamishError('BEAMISH_BAD_OPTION', {
      option: `hibernateAfterMs of genServer "${name}"`,
      got: String(hibernateAfterMs),
      fix: 'give a number of milliseconds above 0, or Infinity for never',
    })
  }
  const behaviour = new ServerBehaviour(name, spec as never)
  const server = Object.assign(behaviour, {
    child: (argument: A, options?: ChildOptions) => childSpec(name, argument, options),
    named: (as: string) => as as Name<{ readonly calls: HC; readonly casts: HK }>,
  })
  return defineBehaviour(server) as unknown as GenServer<A, HC, HK>
}
