/** What each request of sys does with a process. Served between two messages, on the process's thread, by the kernel. */
import { BeamishError, type ErrorCode } from '../errors.ts'
import { Exit, formatReason, plain, reasonOf } from '../exit/reason.ts'
import type { SystemMessage, SystemRequest } from '../process/messages.ts'
import { formatPid } from '../process/pid.ts'
import { type Process, Status } from '../process/process.ts'
import { findUncloneable } from '../scheduler/isolate.ts'
import type { Attended } from './attended.ts'
import { type CodeChangeRequest, changeCode } from './codeChange.ts'
import { Counting } from './statistics.ts'
import { statusOf } from './status.ts'

/** What goes back to the one who asked. */
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false
      readonly code: ErrorCode
      readonly fields: Readonly<Record<string, unknown>>
    }

/** How a state is replaced; see sys.replaceState. */
export type StateUpdate<S = unknown> =
  | ((state: S) => S | undefined)
  | { readonly state: S }
  | { readonly module: string | URL; readonly export: string; readonly argument?: unknown }

const done: Outcome = { ok: true, value: 'ok' }

/** A request that cannot be met. */
function refuse(process: Process, request: SystemRequest, why: string): never {
  const { behaviour, pid } = process
  throw new BeamishError('BEAMISH_SYS_REFUSED', {
    behaviour: behaviour.name,
    pid: formatPid(pid),
    request,
    why,
  })
}

/** What was thrown while a request was served: nothing has changed. */
export function failure(process: Process, request: SystemRequest, thrown: unknown): Outcome {
  if (thrown instanceof BeamishError) {
    return { ok: false, code: thrown.code, fields: plain(thrown.fields) as Record<string, unknown> }
  }
  const reason = plain(thrown instanceof Exit ? thrown.reason : reasonOf(thrown))
  const fields = {
    behaviour: process.behaviour.name,
    pid: formatPid(process.pid),
    request,
    reason: formatReason(reason),
    cause: reason,
  }
  return { ok: false, code: 'BEAMISH_SYS_FAILED', fields }
}

export function serve(
  process: Process,
  attended: Attended,
  { request, argument }: SystemMessage,
): Outcome | Promise<Outcome> {
  switch (request) {
    case 'getState':
      return { ok: true, value: copyOf(process, stateOf(process, attended)) }
    case 'getStatus':
      return { ok: true, value: statusOf(process, attended, stateOf(process, attended)) }
    case 'replaceState':
      return replaceState(process, attended, argument as StateUpdate)
    case 'changeCode':
      return changeCode(process, attended, argument as CodeChangeRequest).then(() => done)
    case 'statistics':
      return { ok: true, value: statistics(process, attended, argument as boolean | 'get') }
    case 'trace':
      attended.traceLeft = argument as number
      return done
    case 'suspend':
      attended.suspend(process)
      return done
    case 'resume':
      attended.resume(process)
      return done
    case 'terminate':
      attended.resume(process)
      attended.wake(process)
      return done
    default:
      return refuse(process, request satisfies never, 'all threads must run the same version')
  }
}

/** The state as its user knows it; of a supervisor, its children. Does not wake one that hibernates. */
export function stateOf(process: Process, { asleep }: Attended): unknown {
  const { behaviour } = process
  if (behaviour.data === undefined) return behaviour.inspectState?.(process)
  return asleep === undefined ? behaviour.data.get(process) : asleep.look(process)
}

/** Nobody else gets hold of a state that its process changes in place. */
function copyOf(process: Process, state: unknown): unknown {
  try {
    return structuredClone(state)
  } catch {
    const { path, what } = findUncloneable(state, 'state')
    return refuse(
      process,
      'getState',
      `${path} is ${what}; sys.getStatus() shows what can be shown`,
    )
  }
}

function statistics(process: Process, attended: Attended, flag: boolean | 'get'): unknown {
  const now = process.scheduler.host.now()
  if (flag === true) attended.counting ??= new Counting(now)
  else if (flag === false) attended.counting = undefined
  else return attended.counting?.at(now)
  return 'ok'
}

function replaceState(
  process: Process,
  attended: Attended,
  update: StateUpdate,
): Outcome | Promise<Outcome> {
  const { data } = process.behaviour
  if (data === undefined) return refuse(process, 'replaceState', 'its state is its own affair')
  const { asleep } = attended
  const before = stateOf(process, attended)
  const replaced = (next: unknown): Outcome => {
    // It may have ended while its updater was loaded.
    if (process.status === Status.Dead) return done
    attended.wake(process)
    data.set(process, next)
    if (asleep !== undefined) process.scheduler.sleepers.soon(process)
    return done
  }
  const updated = (next: unknown): Outcome => replaced(next === undefined ? before : next)
  if (typeof update === 'function') return updated(update(before))
  if ('state' in update) {
    const { state } = update
    return replaced(typeof state === 'object' ? structuredClone(state) : state)
  }
  return updaterOf(process, update).then((updater) => updated(updater(before, update.argument)))
}

async function updaterOf(
  process: Process,
  update: { readonly module: string | URL; readonly export: string },
): Promise<(state: unknown, argument: unknown) => unknown> {
  const module = String(update.module)
  const loaded = await load(process, 'replaceState', module)
  const found = loaded[update.export]
  if (typeof found !== 'function') {
    throw moduleError(process, 'replaceState', module, `exports no function ${update.export}`)
  }
  return found as (state: unknown, argument: unknown) => unknown
}

export async function load(
  process: Process,
  request: SystemRequest,
  module: string,
): Promise<Record<string, unknown>> {
  try {
    return (await import(module)) as Record<string, unknown>
  } catch (error) {
    throw moduleError(process, request, module, `does not load: ${(error as Error).message}`)
  }
}

export function moduleError(
  { behaviour, pid }: Process,
  request: SystemRequest,
  module: string,
  why: string,
): BeamishError {
  const fields = { behaviour: behaviour.name, pid: formatPid(pid), request, module, why }
  return new BeamishError('BEAMISH_SYS_MODULE', fields)
}
