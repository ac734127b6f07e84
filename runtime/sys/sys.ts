/**
 * sys: what may be asked of any process that handles messages through a behaviour, whatever it does (OTP sys). Requests are
 * served between two messages, in order with them; by a suspended process at once. Raw processes refuse.
 */
import { BeamishError, type ErrorCode } from '../errors.ts'
import type { ExitReason } from '../exit/reason.ts'
import type { SystemRequest } from '../process/messages.ts'
import { type Destination, schedulerOf } from '../process/pid.ts'
import { Self } from '../process/self.ts'
import { CALL_TIMEOUT_MS, callSystem } from '../scheduler/calls.ts'
import { whole } from '../supervisor/spec.ts'
import type { CodeChangeRequest } from './codeChange.ts'
import type { Outcome, StateUpdate } from './requests.ts'
import type { Statistics } from './statistics.ts'
import type { ProcessStatus } from './status.ts'

export interface SysOptions {
  /** Default 5,000; Infinity waits for ever. */
  readonly timeoutMs?: number
}

export interface TraceOptions extends SysOptions {
  /** Messages and replies told before the trace ends by itself: 1 to 1,000,000. Default 1,000. */
  readonly limit?: number
}

export interface ChangeCodeOptions extends SysOptions {
  /** The module that exports the version, as a URL: `new URL('./counter2.ts', import.meta.url)`. */
  readonly module: URL | string
  /** up (default): the version that is loaded judges the state. down: the one that runs does, for it knows more. */
  readonly direction?: 'up' | 'down'
  /** Versions, as codeChange is told them. */
  readonly from?: string | number
  readonly to?: string | number
  /** Anything else codeChange needs: plain data. */
  readonly extra?: unknown
}

const TRACE_LIMIT = 1_000
const MAX_TRACE = 1_000_000

async function ask(
  self: Self,
  to: Destination,
  request: SystemRequest,
  argument: unknown,
  { timeoutMs = CALL_TIMEOUT_MS }: SysOptions = {},
): Promise<unknown> {
  const outcome = await callSystem(Self.processOf(self), to, request, argument, timeoutMs)
  const { ok } = outcome as Outcome
  if (ok) return (outcome as Outcome & { ok: true }).value
  const { code, fields } = outcome as { code: ErrorCode; fields: Record<string, unknown> }
  throw new BeamishError(code, fields, fields.cause)
}

/**
 * The state of a process: a copy, so that nobody else holds what it changes in place. Of a supervisor: its children. One that
 * hibernates sleeps on.
 * @throws BEAMISH_SYS_RAW, BEAMISH_SYS_REFUSED when the state holds what cannot be copied
 */
const getState = <S = unknown>(self: Self, to: Destination, options?: SysOptions): Promise<S> =>
  ask(self, to, 'getState', undefined, options) as Promise<S>

/**
 * Replaces the state: by `{ state }`; by what a function makes of it, for a process of the caller's thread; or, as a function
 * cannot cross threads, by what an exported one makes of it, `{ module, export, argument? }`, called with the state and the
 * argument on the thread of the process. A function that returns undefined has changed the state in place. One that throws
 * leaves it as it was, but for what it had changed in place by then.
 * @throws BEAMISH_SYS_FAILED, BEAMISH_SYS_MODULE, BEAMISH_SYS_REFUSED, BEAMISH_SYS_RAW
 */
async function replaceState<S = unknown>(
  self: Self,
  to: Destination,
  update: StateUpdate<S>,
  options?: SysOptions,
): Promise<void> {
  let sent: unknown = update
  if (typeof update === 'function') {
    const pid = typeof to === 'number' ? to : await self.whereis(to)
    if (pid !== undefined && schedulerOf(pid) !== self.scheduler) {
      throw new BeamishError('BEAMISH_BAD_OPTION', {
        option: 'the update of sys.replaceState',
        got: 'a function, for a process of another thread',
        fix: 'give { state }, or { module, export } of an exported function',
      })
    }
  } else if ('module' in update) sent = { ...update, module: String(update.module) }
  await ask(self, to, 'replaceState', sent, options)
}

/** What is known of a process, its state and last message as its behaviour's formatStatus shows them. */
const getStatus = (self: Self, to: Destination, options?: SysOptions): Promise<ProcessStatus> =>
  ask(self, to, 'getStatus', undefined, options) as Promise<ProcessStatus>

/** Counts messages in and replies out: true begins, false ends, 'get' answers what was counted, undefined if nothing is. */
function statistics(
  self: Self,
  to: Destination,
  flag: 'get',
  options?: SysOptions,
): Promise<Statistics | undefined>
function statistics(self: Self, to: Destination, flag: boolean, options?: SysOptions): Promise<void>
async function statistics(
  self: Self,
  to: Destination,
  flag: boolean | 'get',
  options?: SysOptions,
): Promise<Statistics | undefined | void> {
  const value = await ask(self, to, 'statistics', flag, options)
  return flag === 'get' ? (value as Statistics | undefined) : undefined
}

/**
 * Tells each message that a process handles and each reply of its callbacks, as events on `beamish:trace` of its thread, until
 * `limit` of them are told.
 */
async function trace(
  self: Self,
  to: Destination,
  on: boolean,
  options: TraceOptions = {},
): Promise<void> {
  const limit = whole('limit', options.limit ?? TRACE_LIMIT, 1)
  if (limit > MAX_TRACE) {
    throw new BeamishError('BEAMISH_BAD_OPTION', {
      option: 'limit',
      got: limit,
      fix: `tell at most ${MAX_TRACE} events at a time`,
    })
  }
  await ask(self, to, 'trace', on ? limit : 0, options)
}

/** From now on the process serves sys, a stop and the end of its parent only; everything else waits, in order. */
const suspend = async (self: Self, to: Destination, options?: SysOptions): Promise<void> => {
  await ask(self, to, 'suspend', undefined, options)
}

/** Ends a suspend: what has waited is handled, in order. */
const resume = async (self: Self, to: Destination, options?: SysOptions): Promise<void> => {
  await ask(self, to, 'resume', undefined, options)
}

/** Orders a process to end with `reason`: terminate runs. Resolves when it has heard it; self.stop() waits for the end. */
const terminate = async (
  self: Self,
  to: Destination,
  reason: ExitReason,
  options?: SysOptions,
): Promise<void> => {
  await ask(self, to, 'terminate', reason, options)
}

/**
 * Gives a suspended process another version of its behaviour: the one of the same name that `module` exports. codeChange, if
 * there is one, makes the new state of the old; without it the state stays. From then on that version is the one of its name
 * on the thread of the process: others that run keep theirs until their own changeCode, other threads know nothing of it, and
 * a thread that is replaced loads what the app module imports. If anything fails nothing has changed.
 *
 * A URL is loaded once per thread: give an edited file another one (`?v=2`).
 * @throws BEAMISH_SYS_RUNNING, BEAMISH_SYS_MODULE, BEAMISH_SYS_FAILED, BEAMISH_SYS_REFUSED, BEAMISH_SYS_RAW
 */
async function changeCode(
  self: Self,
  to: Destination,
  { timeoutMs = CALL_TIMEOUT_MS, module, direction = 'up', ...change }: ChangeCodeOptions,
): Promise<void> {
  const href = String(module)
  if (!URL.canParse(href)) {
    throw new BeamishError('BEAMISH_BAD_OPTION', {
      option: 'module',
      got: `"${href}"`,
      fix: "give a URL, as in new URL('./counter2.ts', import.meta.url)",
    })
  }
  const request: CodeChangeRequest = { ...change, direction, module: href }
  await ask(self, to, 'changeCode', request, { timeoutMs })
}

/**
 * What may be asked of any process with a behaviour, whatever it does.
 *
 * @example
 * ```ts
 * import { genServer, process, sys } from 'beamish'
 * const Basket = genServer('doc-basket', { init: () => ({ items: [] as string[] }) })
 * export const Inspector = process('doc-inspector', async (self) => {
 *   const basket = await self.start(Basket, undefined)
 *   await sys.suspend(self, basket) // from here on its messages wait
 *   await sys.replaceState(self, basket, (state: { items: string[] }) => ({ items: [...state.items, 'pear'] }))
 *   console.log(await sys.getState(self, basket), (await sys.getStatus(self, basket)).info.mailboxLength)
 *   await sys.resume(self, basket)
 * })
 * ```
 */
export const sys = {
  getState,
  replaceState,
  getStatus,
  statistics,
  trace,
  suspend,
  resume,
  terminate,
  changeCode,
} as const
