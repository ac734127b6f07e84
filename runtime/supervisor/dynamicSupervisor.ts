/**
 * DynamicSupervisor: children come and go, each one_for_one, keyed by pid (Elixir DynamicSupervisor). Transports and
 * channels live under one. On stop all children end at once, each with its own shutdown time.
 */

import { BeamishError } from '../errors.ts'
import { type ExitReason, isShutdown, safeText } from '../exit/reason.ts'
import { defineBehaviour } from '../process/behaviour.ts'
import type { Pid } from '../process/pid.ts'
import { type Process, type StartResult, Status } from '../process/process.ts'
import { type ChildOptions, type ChildSpec, checkChildSpec, childSpec } from './childSpec.ts'
import { afterExit, isReported, isShutdownError } from './policy.ts'
import { MAX_RESTARTS, MAX_SECONDS, whole } from './spec.ts'
import {
  Bookkeeping,
  type Child,
  type Failure,
  GONE,
  NOBODY,
  type Retry,
  Supervising,
} from './supervising.ts'

export interface DynamicSupervisorOptions extends ChildOptions {
  /**
   * Beside its own argument each child gets these, at restarts too: both are objects, and the child's own fields win
   * (Elixir's extra_arguments).
   */
  readonly extraArguments?: Readonly<Record<string, unknown>>
  /** Children beyond this are refused with max_children. Default Infinity. */
  readonly maxChildren?: number
  readonly maxRestarts?: number
  readonly maxSeconds?: number
}

interface Settings {
  readonly extraArguments?: object
  readonly maxChildren: number
  readonly maxRestarts: number
  readonly maxSeconds: number
}

/** A child; while it is restarting it is known by the pid it had last (otp 155). */
interface DynamicChild extends Child {
  key: Pid
}

class State extends Bookkeeping {
  readonly maxChildren: number
  readonly extraArguments: object | undefined
  readonly children = new Map<Pid, DynamicChild>()
  constructor(settings: Settings) {
    super(settings)
    this.maxChildren = settings.maxChildren
    this.extraArguments = settings.extraArguments
  }
}

const DYNAMIC_SUPERVISOR = 'beamish.dynamicSupervisor'

class DynamicSupervisorBehaviour extends Supervising {
  readonly name = DYNAMIC_SUPERVISOR

  inspectState(process: Process): unknown {
    return { children: (process.state as State).children.size }
  }

  kept(process: Process): Iterable<Child> {
    return process.state instanceof State ? process.state.children.values() : []
  }

  start(process: Process, argument: unknown): void {
    process.state = new State(argument as Settings)
    process.ready()
  }

  protected called(process: Process, event: string, payload: unknown): unknown {
    const { children } = process.state as State
    switch (event) {
      case 'startChild':
        return this.#startNew(process, payload)
      case 'terminateChild':
        return this.#terminate(process, payload as Pid)
      case 'whichChildren':
        return [...children.values()].map(({ spec, pid }) => ({
          id: spec.id,
          pid: pid ?? 'restarting',
          type: spec.type,
          behaviour: spec.behaviour,
        }))
      case 'countChildren': {
        const active = [...children.values()].filter(({ pid }) => pid !== undefined).length
        return { active, restarting: children.size - active }
      }
      default:
        return { ok: false, reason: `dynamic supervisors have no call ${event}` }
    }
  }

  async #terminate(process: Process, pid: Pid): Promise<'ok' | 'not_found'> {
    const { children } = process.state as State
    const child = children.get(pid)
    if (child === undefined) return 'not_found'
    children.delete(child.key)
    child.retry = undefined
    await this.end(process, child)
    return 'ok'
  }

  async #startNew(process: Process, asked: unknown): Promise<StartResult> {
    checkChildSpec(asked)
    const { children, maxChildren, extraArguments } = process.state as State
    if (children.size >= maxChildren) return { ok: false, reason: 'max_children' }
    const spec = extraArguments === undefined ? asked : withExtra(asked, extraArguments)
    const result = await this.launch(process, spec)
    if (result.ok) {
      const { pid } = result
      // One that is never started again needs no argument, which may be large (Elixir lets go of it as well).
      const kept = spec.restart === 'temporary' ? { ...spec, argument: undefined } : spec
      children.set(pid, { spec: kept, pid, key: pid, retry: undefined })
    }
    return result
  }

  protected childExited(process: Process, pid: Pid, reason: ExitReason): unknown {
    const { children } = process.state as State
    const child = children.get(pid)
    if (child?.pid === undefined) return undefined
    child.pid = undefined
    const { restart } = child.spec
    if (isReported(restart, reason) && !isShutdown(reason)) {
      this.report(process, 'child_terminated', child, pid, reason)
    }
    if (afterExit(restart, reason) === 'restart') {
      return this.restart(process, child, this.counts(process, reason))
    }
    children.delete(pid)
    return undefined
  }

  protected async restart(process: Process, child: Child, counts: boolean): Promise<void> {
    const { key, spec } = child as DynamicChild
    child.retry = undefined
    if (!this.mayRestart(process, child, counts)) return this.stop(process, 'shutdown')
    const result = await this.launch(process, spec)
    if (process.status === Status.Dead) return
    if (result === NOBODY) return this.awaitPlace(process, child, [child])
    if (result === GONE) this.report(process, 'start_error', child, undefined, result.reason)
    else if (!result.ok && !result.ignored) {
      return this.tryAgain(process, child, result as Failure)
    }
    const { children } = process.state as State
    children.delete(key)
    if (result.ok) {
      const { pid } = result
      children.set(pid, { spec, pid, key: pid, retry: undefined })
    }
  }

  protected resume(process: Process, { child }: Retry): Promise<void> {
    return this.restart(process, child, false)
  }

  protected override isUnexpected({ restart, shutdown }: ChildSpec, reason: ExitReason): boolean {
    return !isShutdown(reason) && isShutdownError(restart, shutdown, reason)
  }

  /** Side by side, each with its own time (otp 157). */
  protected async stopAll(process: Process): Promise<void> {
    const { children } = process.state as State
    await Promise.all([...children.values()].map((child) => this.end(process, child)))
  }
}

defineBehaviour(new DynamicSupervisorBehaviour())

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const proto: unknown = Object.getPrototypeOf(value)
  return proto === null || proto === Object.prototype
}

function withExtra(spec: ChildSpec, extra: object): ChildSpec {
  const { id, argument } = spec
  if (argument !== undefined && !isRecord(argument)) {
    throw new BeamishError('BEAMISH_BAD_CHILD', {
      child: `"${id}"`,
      fix: 'under a supervisor with extraArguments give an object as its argument, or none',
    })
  }
  return { ...spec, argument: { ...extra, ...argument } }
}

/**
 * Describes a dynamic supervisor. Start children with `await self.call(name, 'startChild', Behaviour.child(…))`, which
 * answers `{ ok: true, pid }` or `{ ok: false, reason }`.
 *
 * @example
 * ```ts
 * import { dynamicSupervisor, supervisor } from 'beamish'
 * export default supervisor({ children: [dynamicSupervisor({ name: 'sessions', maxChildren: 10_000 })] })
 * ```
 */
export function dynamicSupervisor(options: DynamicSupervisorOptions = {}): ChildSpec {
  const { maxChildren = Number.POSITIVE_INFINITY, extraArguments } = options
  if (extraArguments !== undefined && !isRecord(extraArguments)) {
    throw new BeamishError('BEAMISH_BAD_OPTION', {
      option: 'extraArguments',
      got: safeText(extraArguments, 50),
      fix: 'give an object',
    })
  }
  const settings: Settings = {
    ...(extraArguments === undefined ? {} : { extraArguments }),
    maxChildren:
      maxChildren === Number.POSITIVE_INFINITY ? maxChildren : whole('maxChildren', maxChildren, 0),
    maxRestarts: whole('maxRestarts', options.maxRestarts ?? MAX_RESTARTS, 0),
    maxSeconds: whole('maxSeconds', options.maxSeconds ?? MAX_SECONDS, 1),
  }
  return childSpec(DYNAMIC_SUPERVISOR, settings, options, 'supervisor')
}
