/**
 * DynamicSupervisor: children come and go, each one_for_one, keyed by pid (Elixir DynamicSupervisor). Transports and
 * channels live under one. On stop all children end at once, each with its own shutdown time.
 */

import { publish } from '../events.ts'
import { type ExitReason, isShutdown, plain, reasonOf } from '../exit/reason.ts'
import { type Behaviour, defineBehaviour } from '../process/behaviour.ts'
import { CallMessage, ExitMessage, StopMessage } from '../process/messages.ts'
import { formatPid, type Pid } from '../process/pid.ts'
import { type Process, type StartResult, Status } from '../process/process.ts'
import { answer } from '../scheduler/calls.ts'
import { place } from '../scheduler/placement.ts'
import { start } from '../scheduler/starts.ts'
import { type ChildOptions, type ChildSpec, checkChildSpec, childSpec } from './childSpec.ts'
import { Intensity, Losses } from './intensity.ts'
import { afterExit, isReported, isShutdownError } from './policy.ts'
import { MAX_RESTARTS, MAX_SECONDS, whole } from './spec.ts'
import { stopChild } from './stopChild.ts'

export interface DynamicSupervisorOptions extends ChildOptions {
  /** Children beyond this are refused with max_children. Default Infinity. */
  readonly maxChildren?: number
  readonly maxRestarts?: number
  readonly maxSeconds?: number
}

interface Settings {
  readonly maxChildren: number
  readonly maxRestarts: number
  readonly maxSeconds: number
}

/** Tries again to restart what had this pid. */
class Retry {
  readonly pid: Pid
  constructor(pid: Pid) {
    this.pid = pid
  }
}

interface Child {
  readonly spec: ChildSpec
  /** Its process has ended and its restart failed: it is tried again, known by its last pid meanwhile (otp 155). */
  restarting: boolean
}

interface State {
  readonly settings: Settings
  readonly children: Map<Pid, Child>
  readonly intensity: Intensity
  readonly losses: Losses
}

const DYNAMIC_SUPERVISOR = 'beamish.dynamicSupervisor'

class DynamicSupervisorBehaviour implements Behaviour {
  readonly delivery = 'handle'
  readonly trapExit = true
  readonly name = DYNAMIC_SUPERVISOR

  inspectState(process: Process): unknown {
    return { children: (process.state as State).children.size }
  }

  start(process: Process, argument: unknown): void {
    const settings = argument as Settings
    process.state = {
      settings,
      children: new Map(),
      intensity: new Intensity(settings.maxRestarts, settings.maxSeconds),
      losses: new Losses(),
    } satisfies State
    process.ready()
  }

  handle(process: Process, message: unknown): unknown {
    const state = process.state as State
    if (message instanceof ExitMessage) {
      if (message.from === process.parent) return this.#stop(process, message.reason)
      return this.#exited(process, state, message.from, message.reason)
    }
    if (message instanceof StopMessage) return this.#stop(process, message.reason)
    if (message instanceof Retry) {
      const child = state.children.get(message.pid)
      return child?.restarting ? this.#restart(process, state, message.pid, child, true) : undefined
    }
    if (message instanceof CallMessage) return this.#called(process, state, message)
    return undefined
  }

  async #called(process: Process, state: State, call: CallMessage): Promise<void> {
    const reply = (value: unknown): void => answer(process.scheduler, process, call, value)
    switch (call.event) {
      case 'startChild':
        try {
          return reply(await this.#startNew(process, state, call.payload))
        } catch (thrown) {
          return reply({ ok: false, reason: reasonOf(thrown) } satisfies StartResult)
        }
      case 'terminateChild': {
        const pid = call.payload as Pid
        const child = state.children.get(pid)
        if (child === undefined) return reply('not_found')
        state.children.delete(pid)
        await this.#end(process, pid, child)
        return reply('ok')
      }
      case 'whichChildren':
        return reply(
          [...state.children].map(([pid, { spec, restarting }]) => ({
            id: spec.id,
            pid: restarting ? 'restarting' : pid,
            type: spec.type,
            behaviour: spec.behaviour,
          })),
        )
      case 'countChildren': {
        const restarting = [...state.children.values()].filter((c) => c.restarting).length
        return reply({ active: state.children.size - restarting, restarting })
      }
      default:
        return reply({ ok: false, reason: `dynamic supervisors have no call ${call.event}` })
    }
  }

  async #startNew(process: Process, state: State, spec: unknown): Promise<StartResult> {
    checkChildSpec(spec)
    if (state.children.size >= state.settings.maxChildren) {
      return { ok: false, reason: 'max_children' }
    }
    return this.#launch(process, state, spec)
  }

  async #launch(process: Process, state: State, spec: ChildSpec): Promise<StartResult> {
    const where = place(process.scheduler, spec.place === 'each' ? 'here' : spec.place)
    const { behaviour, argument, name } = spec
    const options = { link: true, ack: true, ...(name === undefined ? {} : { name }) }
    const { result } = start(process.scheduler, process, where, behaviour, argument, options)
    const started = await result
    if (started.ok) state.children.set(started.pid, { spec, restarting: false })
    return started
  }

  #exited(process: Process, state: State, pid: Pid, reason: ExitReason): unknown {
    const child = state.children.get(pid)
    if (child === undefined || child.restarting) return undefined
    const { spec } = child
    if (isReported(spec.restart, reason) && !isShutdown(reason)) {
      this.#report(process, 'child_terminated', spec, pid, reason)
    }
    if (afterExit(spec.restart, reason) === 'restart') {
      return this.#restart(process, state, pid, child, state.losses.isNew(reason))
    }
    state.children.delete(pid)
    return undefined
  }

  async #restart(
    process: Process,
    state: State,
    pid: Pid,
    child: Child,
    counts: boolean,
  ): Promise<void> {
    const { spec } = child
    child.restarting = true
    if (counts && !state.intensity.add(process.scheduler.host.now())) {
      this.#report(process, 'shutdown', spec, undefined, 'reached_max_restart_intensity')
      return this.#stop(process, 'shutdown')
    }
    const result = await this.#launch(process, state, spec)
    if (process.status === Status.Dead) return
    if (result.ok || result.ignored) {
      state.children.delete(pid)
      return
    }
    this.#report(process, 'start_error', spec, undefined, result.reason)
    process.scheduler.deliver(process, new Retry(pid))
  }

  async #end(process: Process, pid: Pid, { spec, restarting }: Child): Promise<void> {
    if (restarting) return
    const reason = await stopChild(process, pid, spec.shutdown)
    if (!isShutdown(reason) && isShutdownError(spec.restart, spec.shutdown, reason)) {
      this.#report(process, 'shutdown_error', spec, pid, reason)
    }
  }

  async #stop(process: Process, reason: ExitReason): Promise<void> {
    const { children } = process.state as State
    await Promise.all([...children].map(([pid, child]) => this.#end(process, pid, child)))
    process.scheduler.exit(process, plain(reason))
  }

  crashed(process: Process, thrown: unknown): unknown {
    const reason = plain(reasonOf(thrown))
    process.scheduler.report(process, reason, process.lastMessage)
    return this.#stop(process, reason)
  }

  #report(
    process: Process,
    context: 'child_terminated' | 'start_error' | 'shutdown_error' | 'shutdown',
    spec: ChildSpec,
    pid: Pid | undefined,
    reason: ExitReason,
  ): void {
    const supervisor = process.name ?? formatPid(process.pid)
    publish('supervisor', () => ({ supervisor, context, child: spec.id, pid, reason }))
  }
}

defineBehaviour(new DynamicSupervisorBehaviour())

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
  const { maxChildren = Number.POSITIVE_INFINITY } = options
  const settings: Settings = {
    maxChildren:
      maxChildren === Number.POSITIVE_INFINITY ? maxChildren : whole('maxChildren', maxChildren, 0),
    maxRestarts: whole('maxRestarts', options.maxRestarts ?? MAX_RESTARTS, 0),
    maxSeconds: whole('maxSeconds', options.maxSeconds ?? MAX_SECONDS, 1),
  }
  return childSpec(DYNAMIC_SUPERVISOR, settings, options, 'supervisor')
}
