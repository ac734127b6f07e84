/**
 * Agents: a process that keeps a state, and is asked and told by functions that run inside it (Elixir's Agent). A GenServer
 * whose messages are functions: one that throws ends the agent, and with it whoever waits for it (otp 180).
 */
import { Exit, type ExitReason } from '../exit/reason.ts'
import { genServer } from '../genServer/genServer.ts'
import { type NoReply, noreply, type Reply, reply } from '../genServer/results.ts'
import { afterDeath } from '../process/afterDeath.ts'
import { CastMessage } from '../process/messages.ts'
import { type Destination, formatDestination, type Pid, schedulerOf } from '../process/pid.ts'
import { type Process, Status } from '../process/process.ts'
import {
  type AnyFunction,
  checkRunnable,
  type ExportedFunction,
  functionElsewhere,
  type RemoteFunction,
  runFunction,
} from '../process/remoteFunction.ts'
import { type CallOptions, Self, type SpawnOptions } from '../process/self.ts'
import { CALL_TIMEOUT_MS, callFailed, callIsolated, cast as castTo } from '../scheduler/calls.ts'
import { checkDelay } from '../scheduler/delay.ts'
import { isolate } from '../scheduler/isolate.ts'
import { place } from '../scheduler/placement.ts'
import { StartError, start as startOn } from '../scheduler/starts.ts'
import type { ChildOptions, ChildSpec } from '../supervisor/childSpec.ts'

/** To TypeScript, what is known of an agent: the type of its state. */
export interface AgentOf<S> {
  readonly agent: S
}

/** A function of this thread, or an exported one by name; both get `A` first. */
export type AgentFunction<A extends readonly unknown[], R> =
  | ((...given: A) => R | PromiseLike<R>)
  | RemoteFunction<R>

export type AgentOptions = Omit<SpawnOptions, 'monitor'>

type Run = AnyFunction | ExportedFunction

interface State {
  value: unknown
}

/** A function that answers at once costs no promise. */
function after<R>(result: unknown, then: (value: unknown) => R): R | Promise<R> {
  return typeof (result as { then?: unknown } | null | undefined)?.then === 'function'
    ? Promise.resolve(result).then(then)
    : then(result)
}

function update(state: State, run: Run): NoReply | Promise<NoReply> {
  return after(runFunction(run, [state.value]), (value) => {
    state.value = value
    return noreply()
  })
}

const Agent = genServer('beamish.agent', {
  init: (run: Run): State | Promise<State> => after(runFunction(run, []), (value) => ({ value })),
  handleCall: {
    get: (state, run: Run): Reply | Promise<Reply> =>
      after(runFunction(run, [state.value]), (value) => reply(value)),
    update: (state, run: Run): Reply | Promise<Reply> =>
      after(update(state, run), () => reply(undefined)),
    getAndUpdate: (state, run: Run): Reply | Promise<Reply> =>
      after(runFunction(run, [state.value]), (both) => {
        if (!Array.isArray(both) || both.length !== 2) throw badPair(both)
        state.value = both[1]
        return reply(both[0])
      }),
  },
  handleCast: { update },
})

const badPair = (value: unknown): Exit =>
  new Exit({ badReturn: { callback: 'getAndUpdate', value: String(value) } })

const processOf = (self: Self): Process => Self.processOf(self)

async function start(
  self: Self,
  run: AnyFunction | RemoteFunction,
  options: AgentOptions,
  link: boolean,
): Promise<Pid> {
  const process = processOf(self)
  const found = checkRunnable('agent.start', run)
  if (process.status === Status.Dead) return afterDeath(process)
  const { scheduler } = process
  const { place: where = 'here', ...rest } = options
  const local = typeof found === 'function'
  if (local && where !== 'here') throw functionElsewhere('an agent placed elsewhere', scheduler.id)
  const target = place(scheduler, where)
  const asked = { ...rest, link: link || rest.link === true, ack: true, shared: local }
  const result = await startOn(scheduler, process, target, Agent, found, asked).result
  if (!result.ok) throw new StartError(result)
  return result.pid
}

async function ask(
  self: Self,
  to: Destination,
  event: string,
  run: AnyFunction | RemoteFunction,
  options: CallOptions,
): Promise<unknown> {
  const process = processOf(self)
  const found = checkRunnable(`agent.${event}`, run)
  const { timeoutMs = CALL_TIMEOUT_MS } = options
  checkDelay(timeoutMs)
  if (process.status === Status.Dead) return afterDeath(process)
  const { scheduler } = process
  const pid = typeof to === 'number' ? to : await scheduler.names.whereis(process, to)
  if (pid === undefined) throw callFailed(to, event, 'noproc')
  const sent = forAgent(process, to, pid, found)
  return callIsolated(scheduler, process, pid, to, event, sent, timeoutMs)
}

/** What an agent gets: a function of its own thread as it is, anything else as a message. */
function forAgent(by: Process, to: Destination, pid: Pid, run: Run): Run {
  const { id, development } = by.scheduler
  if (typeof run !== 'function') return development ? isolate(run, by.pid, to) : run
  if (schedulerOf(pid) !== id) throw functionElsewhere(`agent ${formatDestination(to)}`, id)
  return run
}

/**
 * State behind functions: each runs inside the agent, on its thread, one at a time, with the state in front. A plain function
 * is for an agent of this thread; `{ module, name, args }` names an exported one, called as `name(state, ...args)`, for any.
 * What a function returns must be data, and belongs to the agent no more.
 *
 * A function that throws ends the agent, and rejects the caller's promise with an Exit (otp 180).
 *
 * @throws BEAMISH_FUNCTION_ELSEWHERE, BEAMISH_BAD_OPTION, BEAMISH_NO_EXPORT inside the agent
 *
 * @example
 * ```ts
 * import { agent, process, supervisor } from 'beamish'
 * export const empty = (): string[] => []
 * export const with1 = (items: string[], item: string) => [...items, item]
 * export const Shopper = process('doc-shopper', async (self) => {
 *   const cart = await agent.startLink(self, () => ['tea'])              // of this thread
 *   await agent.update(self, cart, (items) => [...items, 'milk'])
 *   console.assert((await agent.get(self, cart, (items) => items.length)) === 2)
 *   await agent.update(self, 'wishes', { module: import.meta.url, name: 'with1', args: ['jam'] }) // of any
 * })
 * export default supervisor({ children: [agent.child({ module: import.meta.url, name: 'empty' }, { name: 'wishes' })] })
 * ```
 */
export const agent = {
  /** Starts an agent with what `run()` returns. Rejects with a StartError. */
  start: <S>(
    self: Self,
    run: AgentFunction<[], S>,
    options: AgentOptions = {},
  ): Promise<Pid<AgentOf<S>>> => start(self, run, options, false) as Promise<Pid<AgentOf<S>>>,

  /** start with a link. */
  startLink: <S>(
    self: Self,
    run: AgentFunction<[], S>,
    options: AgentOptions = {},
  ): Promise<Pid<AgentOf<S>>> => start(self, run, options, true) as Promise<Pid<AgentOf<S>>>,

  /** A child spec: an agent that a supervisor starts with what an exported function returns. */
  child: (run: RemoteFunction, options?: ChildOptions): ChildSpec =>
    Agent.child(checkRunnable('agent.child', run), options),

  /** What the function returns for the state. */
  get: <S, R>(
    self: Self,
    to: Destination<AgentOf<S>>,
    run: AgentFunction<[state: S], R>,
    options: CallOptions = {},
  ): Promise<R> => ask(self, to, 'get', run, options) as Promise<R>,

  /** Makes what the function returns the state. */
  update: <S>(
    self: Self,
    to: Destination<AgentOf<S>>,
    run: AgentFunction<[state: S], S>,
    options: CallOptions = {},
  ): Promise<void> => ask(self, to, 'update', run, options) as Promise<void>,

  /** The function returns `[answer, state]`. */
  getAndUpdate: <S, R>(
    self: Self,
    to: Destination<AgentOf<S>>,
    run: AgentFunction<[state: S], readonly [R, S]>,
    options: CallOptions = {},
  ): Promise<R> => ask(self, to, 'getAndUpdate', run, options) as Promise<R>,

  /** update that nobody waits for; silently nothing if there is no such agent. */
  cast: <S>(self: Self, to: Destination<AgentOf<S>>, run: AgentFunction<[state: S], S>): void => {
    const process = processOf(self)
    const found = checkRunnable('agent.cast', run)
    if (process.status === Status.Dead) return
    const { scheduler } = process
    if (typeof found !== 'function') {
      castTo(scheduler, process.pid, to, 'update', found)
      return
    }
    const pid = typeof to === 'number' ? to : scheduler.names.findAfterDrain(to)
    if (pid === undefined) return
    const sent = forAgent(process, to, pid, found)
    scheduler.tracer?.casts(process.pid, pid, 'update', sent)
    const target = scheduler.find(pid)
    if (target !== undefined) scheduler.deliver(target, new CastMessage('update', sent))
  },

  /** Stops the agent and resolves when it has ended; see self.stop. */
  stop: (
    self: Self,
    to: Destination,
    reason: ExitReason = 'normal',
    options: CallOptions = {},
  ): Promise<void> => self.stop(to, reason, options),
} as const
