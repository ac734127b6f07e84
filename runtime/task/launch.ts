/** Starting a task: here, on another thread by the name of an exported function, or as the child of a supervisor. */
import { type ExitReason, reasonOf, safeText } from '../exit/reason.ts'
import {
  type Destination,
  formatDestination,
  type Pid,
  type Ref,
  schedulerOf,
} from '../process/pid.ts'
import type { Process, StartResult } from '../process/process.ts'
import {
  type AnyFunction,
  checkRunnable,
  type ExportedFunction,
  functionElsewhere,
  functionName,
  type RemoteFunction,
} from '../process/remoteFunction.ts'
import { call, callFailed } from '../scheduler/calls.ts'
import { isolate } from '../scheduler/isolate.ts'
import { type Placement, place } from '../scheduler/placement.ts'
import { spawnHere, start } from '../scheduler/starts.ts'
import { childSpec, DEFAULT_SHUTDOWN_MS, type Shutdown } from '../supervisor/childSpec.ts'
import { TaskEntry } from './entry.ts'
import { callersOf, park, type TaskArgument, taskBehaviour } from './process.ts'

export interface TaskOptions {
  /** Where it runs. Default here; anywhere else takes an exported function. */
  readonly place?: Placement
  /** It becomes a temporary child of this task supervisor, on that one's thread. */
  readonly supervisor?: Destination
  /** How that supervisor stops it. Default 5,000. */
  readonly shutdown?: Shutdown
}

type Runnable = AnyFunction | RemoteFunction

/** Starts a task whose outcome its owner gets. A start that fails is an outcome, too. */
export function launch(
  owner: Process,
  what: string,
  run: Runnable,
  input: readonly unknown[],
  link: boolean,
  options: TaskOptions,
  endsWithOwner = false,
): TaskEntry {
  const found = checkRunnable(what, run)
  const { scheduler } = owner
  const entry = new TaskEntry(owner, scheduler.refs.next(), functionName(found))
  entry.endsWithOwner = endsWithOwner
  begin(owner, entry, found, input, link, options)
  return entry
}

function begin(
  owner: Process,
  entry: TaskEntry,
  run: AnyFunction | ExportedFunction,
  input: readonly unknown[],
  link: boolean,
  options: TaskOptions,
): void {
  const from = { pid: owner.pid, ref: entry.ref }
  const callers = callersOf(owner)
  const { endsWithOwner } = entry
  const argument: TaskArgument = { run, input, from, adopted: undefined, callers, endsWithOwner }
  const spawned = (result: StartResult): void => {
    if (!result.ok) entry.down(result.reason)
    else entry.started(result.pid)
  }
  if (options.supervisor !== undefined) {
    const { supervisor } = options
    const adopted = { ...argument, adopted: link ? ('link' as const) : ('monitor' as const) }
    owner.pendingOrNew().set(entry.ref, entry)
    const found = supervised(owner, supervisor, adopted, entry.ref, options, (id) => {
      entry.scheduler = id
    })
    entry.spawned = found.then(spawned)
    return
  }
  const target = placeOf(owner, run, options)
  entry.scheduler = target
  const { ref } = entry
  if (target === owner.scheduler.id) {
    entry.pid = spawnTask(owner, argument, { link, monitor: true }, ref)
    owner.pendingOrNew().set(ref, entry)
  } else {
    const options = { link, monitor: true, ack: false, ref, heir: entry }
    const { result } = start(owner.scheduler, owner, target, taskBehaviour, argument, options)
    entry.spawned = result.then(spawned)
  }
}

/** Starts a task of which nothing is heard again. */
export async function launchAlone(
  owner: Process,
  run: Runnable,
  link: boolean,
  options: TaskOptions,
): Promise<StartResult> {
  const found = checkRunnable('task.start', run)
  const callers = callersOf(owner)
  const adopted = link && options.supervisor !== undefined ? ('link' as const) : undefined
  const argument = { run: found, input: [], from: undefined, adopted, callers }
  const ref = owner.scheduler.refs.next()
  if (options.supervisor !== undefined) {
    return supervised(owner, options.supervisor, argument, ref, options, () => {})
  }
  const target = placeOf(owner, found, options)
  if (target === owner.scheduler.id)
    return { ok: true, pid: spawnTask(owner, argument, { link }, ref) }
  const { scheduler } = owner
  return start(scheduler, owner, target, taskBehaviour, argument, { link, ack: false }).result
}

function placeOf(
  owner: Process,
  run: AnyFunction | ExportedFunction,
  options: TaskOptions,
): number {
  const { scheduler } = owner
  const { place: where = 'here' } = options
  // Refused wherever it may not work, and not only where it does not today.
  if (typeof run === 'function' && where !== 'here') {
    throw functionElsewhere(`a task placed ${safeText(where)}`, scheduler.id)
  }
  return place(scheduler, where)
}

function spawnTask(
  owner: Process,
  argument: TaskArgument,
  options: { readonly link: boolean; readonly monitor?: boolean },
  ref: Ref,
): Pid {
  const { scheduler } = owner
  const crosses = scheduler.development && typeof argument.run !== 'function'
  const sent = crosses ? isolate(argument, owner.pid, taskBehaviour.name) : argument
  return spawnHere(scheduler, owner, taskBehaviour, sent, options, ref).pid
}

/** Asks a task supervisor for it. What a supervisor gets is data, so a function waits with its owner. */
async function supervised(
  owner: Process,
  to: Destination,
  argument: TaskArgument,
  ref: Ref,
  options: TaskOptions,
  at: (scheduler: number) => void,
): Promise<StartResult> {
  const { scheduler } = owner
  const pid = typeof to === 'number' ? to : await scheduler.names.whereis(owner, to)
  if (pid === undefined) return failed(callFailed(to, 'startChild', 'noproc').reason)
  at(schedulerOf(pid))
  const { run } = argument
  let release: (() => void) | undefined
  let sent = argument
  try {
    if (typeof run === 'function') {
      if (schedulerOf(pid) !== scheduler.id) {
        throw functionElsewhere(`task supervisor ${formatDestination(to)}`, scheduler.id)
      }
      release = park(owner, ref, run)
      sent = { ...argument, run: { owner: owner.pid, parked: ref } }
    }
    const spec = childSpec(taskBehaviour.name, sent, {
      id: `task ${ref}`,
      restart: 'temporary',
      shutdown: options.shutdown ?? DEFAULT_SHUTDOWN_MS,
    })
    const asked = call(scheduler, owner, pid, 'startChild', spec, Number.POSITIVE_INFINITY)
    return (await asked) as StartResult
  } catch (thrown) {
    return failed(reasonOf(thrown))
  } finally {
    release?.()
  }
}

const failed = (reason: ExitReason): StartResult => ({ ok: false, reason })
