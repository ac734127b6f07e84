/**
 * Tasks: functions that run beside their caller as processes of their own (Elixir's Task). What they return, or how they
 * ended, is kept for the process that started them.
 */
import { afterDeath } from '../process/afterDeath.ts'
import type { Pid, Ref } from '../process/pid.ts'
import { type Process, Status } from '../process/process.ts'
import type { RemoteFunction } from '../process/remoteFunction.ts'
import { Self } from '../process/self.ts'
import { checkDelay } from '../scheduler/delay.ts'
import { StartError } from '../scheduler/starts.ts'
import type { ChildSpec } from '../supervisor/childSpec.ts'
import {
  type DynamicSupervisorOptions,
  dynamicSupervisor,
} from '../supervisor/dynamicSupervisor.ts'
import { cpu } from './cpu.ts'
import type { TaskEntry, TaskResult } from './entry.ts'
import { launch, launchAlone, type TaskOptions } from './launch.ts'
import { Moved } from './moved.ts'
import { type StreamOptions, type StreamResult, stream } from './stream.ts'

const TIMEOUT_MS = 5_000

/** A task as its owner holds it; see `task`. */
export class Task<R = unknown> {
  readonly ref: Ref
  readonly owner: Pid
  readonly #entry: TaskEntry
  declare readonly returns?: R

  /** Made by the functions of `task`. */
  constructor(entry: TaskEntry) {
    this.#entry = entry
    this.ref = entry.ref
    this.owner = entry.owner.pid
  }

  /** undefined until the thread it is placed on, or its supervisor, has said so. */
  get pid(): Pid | undefined {
    return this.#entry.pid || undefined
  }

  /** Kernel side of a task; modules of the runtime only. */
  static entryOf(task: Task): TaskEntry {
    return task.#entry
  }
}

/** A function of this thread, or an exported one by name: both get the `self` of the task. */
export type TaskFunction<R> = ((self: Self) => R | PromiseLike<R>) | RemoteFunction<R>

export interface AwaitOptions {
  /** Default 5,000; Infinity waits for ever. */
  readonly timeoutMs?: number
}

export interface YieldManyOptions extends AwaitOptions {
  /** Resolves once so many have ended. Default: all. */
  readonly limit?: number
  /** What becomes of those that have not ended: nothing (default) lets them be yielded again. */
  readonly onTimeout?: 'nothing' | 'ignore' | 'kill_task'
}

const processOf = (self: Self): Process => Self.processOf(self)
const isDead = (process: Process): boolean => process.status === Status.Dead

function begin<R>(
  self: Self,
  what: string,
  run: TaskFunction<R>,
  link: boolean,
  options: TaskOptions,
): Task<R> {
  return new Task<R>(launch(processOf(self), what, run, [], link, options))
}

/** The entry of a task, if `self` may take its outcome. */
function entryFor(self: Self, one: Task, call: string): TaskEntry {
  const entry = Task.entryOf(one)
  entry.check(processOf(self), call)
  return entry
}

function value<R>(entry: TaskEntry, event: string, result: TaskResult | undefined): R {
  if (result === undefined) throw entry.failed(event, 'timeout')
  if ('ok' in result) return result.ok as R
  throw entry.failed(event, result.exit)
}

async function awaitOne<R>(self: Self, one: Task<R>, options: AwaitOptions = {}): Promise<R> {
  const { timeoutMs = TIMEOUT_MS } = options
  checkDelay(timeoutMs)
  if (isDead(processOf(self))) return afterDeath(processOf(self))
  const entry = entryFor(self, one, 'await')
  await entry.settled(timeoutMs)
  return value(entry, 'task.await', entry.take())
}

async function awaitMany<R>(
  self: Self,
  many: readonly Task<R>[],
  options: AwaitOptions = {},
): Promise<R[]> {
  const { timeoutMs = TIMEOUT_MS } = options
  checkDelay(timeoutMs)
  if (isDead(processOf(self))) return afterDeath(processOf(self))
  const entries = many.map((one) => entryFor(self, one, 'await'))
  const failed = (entry: TaskEntry) => entry.outcome !== undefined && 'exit' in entry.outcome
  await someSettled(processOf(self), entries, entries.length, timeoutMs, failed)
  // The first failure is the outcome of all; without one, whoever is late.
  const first = entries.find(failed) ?? entries.find((entry) => entry.outcome === undefined)
  const results = entries.map((entry) => entry.take())
  if (first !== undefined) value(first, 'task.awaitMany', first.outcome)
  return entries.map((entry, i) => value<R>(entry, 'task.awaitMany', results[i]))
}

/** Resolves when `count` of them have ended, one of them as `stop` says, or the time is up. */
function someSettled(
  owner: Process,
  entries: readonly TaskEntry[],
  count: number,
  timeoutMs: number,
  stop: (entry: TaskEntry) => boolean = () => false,
): Promise<void> {
  const { clock } = owner.scheduler
  return new Promise((resolve) => {
    let left = Math.min(count, entries.length)
    const timer =
      timeoutMs === Number.POSITIVE_INFINITY ? undefined : clock.after(owner, timeoutMs, resolve)
    const done = (): void => {
      if (timer !== undefined) clock.cancelRef(timer)
      resolve()
    }
    if (left === 0) done()
    for (const entry of entries) {
      entry.onOutcome(() => {
        if (--left <= 0 || stop(entry)) done()
      })
    }
  })
}

async function yieldOne<R>(
  self: Self,
  one: Task<R>,
  options: AwaitOptions = {},
): Promise<TaskResult<R> | undefined> {
  const { timeoutMs = TIMEOUT_MS } = options
  checkDelay(timeoutMs)
  if (isDead(processOf(self))) return afterDeath(processOf(self))
  const entry = entryFor(self, one, 'yield')
  if (!(await entry.settled(timeoutMs))) return undefined
  return entry.take() as TaskResult<R>
}

async function yieldMany<R>(
  self: Self,
  many: readonly Task<R>[],
  options: YieldManyOptions = {},
): Promise<(TaskResult<R> | undefined)[]> {
  const { timeoutMs = TIMEOUT_MS, limit = many.length, onTimeout = 'nothing' } = options
  checkDelay(timeoutMs)
  const process = processOf(self)
  if (isDead(process)) return afterDeath(process)
  const entries = many.map((one) => entryFor(self, one, 'yield'))
  await someSettled(process, entries, limit, timeoutMs)
  return Promise.all(
    many.map((one, i) => {
      const entry = entries[i] as TaskEntry
      if (entry.outcome !== undefined) return entry.take() as TaskResult<R>
      if (onTimeout === 'kill_task') return shutdown(self, one, 'brutal_kill')
      return onTimeout === 'ignore' ? ignore(self, one) : undefined
    }),
  )
}

async function shutdown<R>(
  self: Self,
  one: Task<R>,
  options: AwaitOptions | 'brutal_kill' = {},
): Promise<TaskResult<R> | undefined> {
  const brutal = options === 'brutal_kill'
  const timeoutMs = brutal ? Number.POSITIVE_INFINITY : (options.timeoutMs ?? TIMEOUT_MS)
  checkDelay(timeoutMs)
  if (isDead(processOf(self))) return afterDeath(processOf(self))
  const entry = entryFor(self, one, 'shutdown')
  if (entry.outcome === undefined) {
    await entry.end(brutal ? 'kill' : 'shutdown')
    if (!(await entry.settled(timeoutMs))) {
      await entry.end('kill')
      await entry.settled(Number.POSITIVE_INFINITY)
    }
  }
  const result = entry.take() as TaskResult<R>
  const asked = 'exit' in result && result.exit === (brutal ? 'killed' : 'shutdown')
  return asked ? undefined : result
}

async function ignore<R>(self: Self, one: Task<R>): Promise<TaskResult<R> | undefined> {
  if (isDead(processOf(self))) return afterDeath(processOf(self))
  const entry = entryFor(self, one, 'ignore')
  const result = entry.take() as TaskResult<R> | undefined
  await entry.spawned
  if (entry.pid !== 0) self.unlink(entry.pid)
  return result
}

async function start(
  self: Self,
  run: TaskFunction<unknown>,
  link: boolean,
  options: TaskOptions,
): Promise<Pid> {
  const process = processOf(self)
  if (isDead(process)) return afterDeath(process)
  const result = await launchAlone(process, run, link, options)
  if (!result.ok) throw new StartError(result)
  return result.pid
}

/**
 * Functions that run as processes of their own, beside the one that starts them (Elixir's Task). A task gets its own `self`, may
 * receive messages, contains its strays, and ends when its function does. Plain functions run on the thread of their owner;
 * `{ module, name, args }` names an exported function, called as `name(self, ...args)`, for any thread.
 *
 * `async` links: a task that fails takes an owner along that does not trap exits; `asyncNoLink` makes it an answer. Only the
 * process that started a task takes its outcome, once: with `await`, `yield` (again and again until it is there), `shutdown`,
 * `ignore`, or `deliver`, which makes it the message `{ type: 'task', ref, result }`. Nothing of a task comes to the mailbox
 * otherwise, however late.
 *
 * @throws BEAMISH_TASK_OWNER, BEAMISH_TASK_SPENT, BEAMISH_FUNCTION_ELSEWHERE, BEAMISH_BAD_OPTION, BEAMISH_BAD_TIMEOUT
 *
 * @example
 * ```ts
 * import { process, task } from 'beamish'
 * const hash = async (text: string) => crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
 * export const Reader = process('doc-reader', async (self, texts: string[]) => {
 *   const first = task.async(self, () => hash(texts[0] ?? ''))
 *   console.log(await task.await(self, first, { timeoutMs: 1_000 }))
 *   for await (const result of task.asyncStream(self, texts, (_self, text) => hash(text), { maxConcurrency: 4 })) {
 *     if ('ok' in result) console.log(result.ok)
 *   }
 * })
 * ```
 */
export const task = {
  /** Starts a task, linked to its owner. A start that fails elsewhere is an outcome as any other. */
  async: <R>(self: Self, run: TaskFunction<R>, options: TaskOptions = {}): Task<R> =>
    begin(self, 'task.async', run, true, options),

  /** async without a link: its crash is an outcome and nothing else (otp 176). It outlives its owner. */
  asyncNoLink: <R>(self: Self, run: TaskFunction<R>, options: TaskOptions = {}): Task<R> =>
    begin(self, 'task.asyncNoLink', run, false, options),

  /** Runs a function of which nothing is heard again. Rejects with a StartError. */
  start: (self: Self, run: TaskFunction<unknown>, options: TaskOptions = {}): Promise<Pid> =>
    start(self, run, false, options),

  /** start with a link. */
  startLink: (self: Self, run: TaskFunction<unknown>, options: TaskOptions = {}): Promise<Pid> =>
    start(self, run, true, options),

  /**
   * What the task returns. Rejects with an Exit `{ call, reason }`, which ends the owner if not caught, when the task ended
   * without an answer (otp 172), or with reason timeout after `timeoutMs`: the task runs on, unheard.
   */
  await: awaitOne,

  /** await for several: their values in order, or the first failure. `timeoutMs` is for all together. */
  awaitMany,

  /** The outcome as data, or undefined if the task has none after `timeoutMs`: then it may be yielded again (otp 173). */
  yield: yieldOne,

  /** yield for several: their outcomes in order, once all or `limit` have one. `timeoutMs` is for all together. */
  yieldMany,

  /**
   * Ends the task with shutdown, kills it after `timeoutMs` (default 5,000) or at once with `'brutal_kill'`, and waits for its
   * end. An answer that was there already is the result; undefined means that it ended as it was told to (otp 174, 175).
   */
  shutdown,

  /** Unlinks the task and forgets it; what it had answered already is the result. It runs on. */
  ignore,

  /** The outcome comes as a message `{ type: 'task', ref, result }`: for servers, which go on meanwhile. */
  deliver: (self: Self, one: Task): void => {
    if (!isDead(processOf(self))) entryFor(self, one, 'deliver').deliver()
  },

  /**
   * Runs a function over items, at most `maxConcurrency` at a time, each in a linked task as `run(self, item)`; an exported one
   * gets its own `args` behind the item. Yields `{ ok }`, or `{ exit }` where the owner traps exits or a timeout is an item
   * (otp 177, 178). Leaving the loop, or the end of the owner, kills what still runs.
   */
  asyncStream: <T, R>(
    self: Self,
    items: Iterable<T> | AsyncIterable<T>,
    run: ((self: Self, item: T) => R | PromiseLike<R>) | RemoteFunction<R>,
    options: StreamOptions = {},
  ): AsyncIterableIterator<StreamResult<T, R>> =>
    stream<T, R>(processOf(self), items, run, true, options),

  /** asyncStream without links: a crash is an item. */
  asyncStreamNoLink: <T, R>(
    self: Self,
    items: Iterable<T> | AsyncIterable<T>,
    run: ((self: Self, item: T) => R | PromiseLike<R>) | RemoteFunction<R>,
    options: StreamOptions = {},
  ): AsyncIterableIterator<StreamResult<T, R>> =>
    stream<T, R>(processOf(self), items, run, false, options),

  cpu,

  /** For a function that task.cpu runs: its result, with buffers that move to the caller instead of being copied. */
  moved: <R>(value: R, transfer: readonly unknown[]): Moved<R> => new Moved(value, transfer),
} as const

/**
 * Describes a supervisor for tasks: start them with `{ supervisor: name }`. They are temporary children of it, on its thread;
 * plain functions need a supervisor on their own thread, such as the one of a partition supervisor there.
 *
 * @example
 * ```ts
 * import { genServer, supervisor, task, taskSupervisor } from 'beamish'
 * const Mailer = genServer('doc-task-mailer', {
 *   init: () => ({ sent: 0 }),
 *   handleCast: {
 *     send(_state, url: string, self) {
 *       const sending = { module: import.meta.url, name: 'post', args: [url] }
 *       task.deliver(self, task.asyncNoLink(self, sending, { supervisor: 'tasks' }))
 *     },
 *   },
 *   handleInfo: { task(state) { state.sent++ } },
 * })
 * export const post = (_self: unknown, url: string) => fetch(url, { method: 'POST' }).then(({ status }) => status)
 * export default supervisor({ children: [taskSupervisor({ name: 'tasks' }), Mailer.child(undefined)] })
 * ```
 */
export function taskSupervisor(options: DynamicSupervisorOptions = {}): ChildSpec {
  return dynamicSupervisor({ id: options.name ?? 'taskSupervisor', ...options })
}
