/**
 * A task as a process: it runs one function, answers its owner with what that returns, and ends. It is linked to its owner
 * or monitored by it from its first step on, so that no end of it goes unnoticed.
 */
import { reasonOf } from '../exit/reason.ts'
import { type Behaviour, defineBehaviour } from '../process/behaviour.ts'
import type { From } from '../process/messages.ts'
import { type Pid, type Ref, schedulerOf } from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import {
  type AnyFunction,
  type ExportedFunction,
  functionName,
  runFunction,
} from '../process/remoteFunction.ts'
import { answer } from '../scheduler/calls.ts'
import { link, monitor } from '../scheduler/signals.ts'

/** A function of this thread on its way through a supervisor, whose messages cannot carry it: its owner keeps it. */
export interface Parked {
  readonly owner: Pid
  readonly parked: Ref
}

export interface TaskArgument {
  readonly run: AnyFunction | ExportedFunction | Parked
  /** Handed over behind `self`: the item of a stream. */
  readonly input: readonly unknown[]
  /** Whom the outcome goes to, if anyone. */
  readonly from: From | undefined
  /** Its parent is a supervisor: it sees to the link or the monitor of its owner itself. */
  readonly adopted: 'link' | 'monitor' | undefined
  readonly callers: readonly Pid[]
  /** It is killed when its owner ends, however that ends, be it before it knows this process. */
  readonly endsWithOwner?: boolean
}

const parked = new WeakMap<Process, Map<Ref, AnyFunction>>()

/** Keeps a function with its owner until its task takes it. Returns what undoes that. */
export function park(owner: Process, ref: Ref, run: AnyFunction): () => void {
  let kept = parked.get(owner)
  if (kept === undefined) {
    kept = new Map()
    parked.set(owner, kept)
  }
  kept.set(ref, run)
  return () => kept.delete(ref)
}

function unpark(process: Process, { owner, parked: ref }: Parked): AnyFunction | undefined {
  const holder = process.scheduler.find(owner)
  return holder === undefined ? undefined : parked.get(holder)?.get(ref)
}

export const callersOf = (owner: Process): readonly Pid[] =>
  [owner.pid, ...(owner.callers ?? [])].slice(0, 16)

class TaskBehaviour implements Behaviour {
  readonly delivery = 'pull'
  readonly name = 'beamish.task'
  readonly containStrays = true

  start(process: Process, argument: unknown): unknown {
    const { run, input, from, adopted, callers, endsWithOwner } = argument as TaskArgument
    const { scheduler } = process
    const found = 'parked' in run ? unpark(process, run) : run
    const orphan =
      from !== undefined &&
      schedulerOf(from.pid) === scheduler.id &&
      scheduler.find(from.pid) === undefined
    // Its owner ended while it was being started: nobody wants it any more.
    if (found === undefined || orphan) {
      scheduler.exit(process, { shutdown: 'noproc' })
      return undefined
    }
    process.callers = callers
    process.state = functionName(found)
    if (from !== undefined && adopted !== undefined) process.watchersOrNew().set(from.ref, from.pid)
    if (adopted === 'link') link(scheduler, process, callers[0] as Pid)
    if (from !== undefined && endsWithOwner === true && process.alive) {
      const ref = scheduler.refs.next()
      const down = (): void => scheduler.exit(process, 'killed')
      const pending = { scheduler: schedulerOf(from.pid), reply: () => {}, down, abandon: () => {} }
      process.pendingOrNew().set(ref, pending)
      monitor(scheduler, process, from.pid, ref)
    }
    process.ready()
    const result = runFunction(found, [process.self, ...input])
    if (!isThenable(result)) return this.#done(process, from, result)
    return Promise.resolve(result).then((value) => this.#done(process, from, value))
  }

  #done(process: Process, from: From | undefined, value: unknown): void {
    if (!process.alive) return
    if (from !== undefined) answer(process.scheduler, process, from, value)
    process.scheduler.exit(process, 'normal')
  }

  handle(): void {}

  crashed(process: Process, thrown: unknown): void {
    const reason = reasonOf(thrown)
    process.scheduler.report(process, reason, process.lastMessage)
    process.scheduler.exit(process, reason)
  }

  describe(process: Process): string | undefined {
    return process.state === undefined ? undefined : `task ${process.state}`
  }
}

export const taskBehaviour: Behaviour = defineBehaviour(new TaskBehaviour())

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}
