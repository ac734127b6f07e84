/**
 * Supervisor, one_for_one: starts its children in order, restarts those that end, stops them in reverse (OTP supervisor,
 * with Elixir's default of 3 restarts in 5 seconds). A child that fails to restart is tried again by way of a message to
 * itself, so that other requests come in between.
 */
import { BeamishError } from '../errors.ts'
import { publish, type SupervisorReport } from '../events.ts'
import { type ExitReason, plain, reasonOf } from '../exit/reason.ts'
import { type Behaviour, defineBehaviour } from '../process/behaviour.ts'
import { CallMessage, ExitMessage, StopMessage } from '../process/messages.ts'
import { formatPid, type Pid } from '../process/pid.ts'
import { type Process, type StartResult, Status } from '../process/process.ts'
import { answer } from '../scheduler/calls.ts'
import { place } from '../scheduler/placement.ts'
import { start } from '../scheduler/starts.ts'
import { type ChildSpec, checkChildSpec } from './childSpec.ts'
import { Intensity, Losses } from './intensity.ts'
import { afterExit, isReported, isShutdownError } from './policy.ts'
import type { SupervisorSpec } from './spec.ts'
import { stopChild } from './stopChild.ts'

export interface Child {
  readonly spec: ChildSpec
  pid: Pid | undefined
  /** Its restart failed and is tried again. */
  restarting: boolean
}

/** What whichChildren answers. */
export interface ChildInfo {
  readonly id: string
  readonly pid: Pid | 'restarting' | undefined
  readonly type: 'worker' | 'supervisor'
  readonly behaviour: string
}

class Retry {
  readonly child: Child
  /** Why the last attempt failed. */
  readonly reason: ExitReason
  constructor(child: Child, reason: ExitReason) {
    this.child = child
    this.reason = reason
  }
}

export class SupervisorState {
  readonly children: Child[] = []
  readonly intensity: Intensity
  readonly losses = new Losses()
  constructor(spec: SupervisorSpec) {
    this.intensity = new Intensity(spec.maxRestarts, spec.maxSeconds)
  }
}

export const SUPERVISOR = 'beamish.supervisor'

export class SupervisorBehaviour implements Behaviour {
  readonly delivery = 'handle'
  readonly trapExit = true
  readonly name: string = SUPERVISOR

  inspectState(process: Process): unknown {
    return this.whichChildren(process)
  }

  async start(process: Process, argument: unknown): Promise<void> {
    const spec = argument as SupervisorSpec
    const state = new SupervisorState(spec)
    process.state = state
    for (const child of spec.children) {
      const added = await this.add(process, child)
      if (process.status === Status.Dead) return
      if (!added.ok && !added.ignored) {
        await this.stopAll(process)
        const failed = { failedToStartChild: child.id, reason: added.reason }
        process.scheduler.exit(process, { shutdown: failed })
        return
      }
    }
    process.ready()
  }

  handle(process: Process, message: unknown): unknown {
    if (message instanceof ExitMessage) {
      if (message.from === process.parent) return this.#stop(process, message.reason)
      return this.childExited(process, message.from, message.reason)
    }
    if (message instanceof StopMessage) return this.#stop(process, message.reason)
    if (message instanceof Retry) {
      // Terminated while its retry was waiting.
      if (!message.child.restarting) return undefined
      return this.#restart(process, message.child, message.reason)
    }
    if (message instanceof CallMessage) return this.called(process, message)
    publish('notice', () => ({
      level: 'warn',
      code: 'unhandled_info',
      message: `supervisor ${formatPid(process.pid)} got a message it has no use for: dropped`,
    }))
    return undefined
  }

  protected async called(process: Process, call: CallMessage): Promise<void> {
    const reply = (value: unknown): void => answer(process.scheduler, process, call, value)
    switch (call.event) {
      case 'whichChildren':
        return reply(this.whichChildren(process))
      case 'countChildren':
        return reply(this.#count(process))
      case 'startChild': {
        try {
          return reply(await this.#startNew(process, call.payload))
        } catch (thrown) {
          return reply({ ok: false, reason: reasonOf(thrown) } satisfies StartResult)
        }
      }
      case 'terminateChild':
        return reply(await this.#terminate(process, call.payload as string))
      default:
        return reply({ ok: false, reason: `supervisors have no call ${call.event}` })
    }
  }

  protected state(process: Process): SupervisorState {
    return process.state as SupervisorState
  }

  /** Starts the process of a spec; where it goes is the one thing the root does differently. */
  protected async launch(process: Process, spec: ChildSpec): Promise<StartResult> {
    if (spec.place === 'each') {
      throw new BeamishError('BEAMISH_BAD_CHILD', {
        child: `"${spec.id}"`,
        fix: 'place "each" works at the root of an app only',
      })
    }
    return this.startAt(process, spec, place(process.scheduler, spec.place))
  }

  protected startAt(process: Process, spec: ChildSpec, scheduler: number): Promise<StartResult> {
    const { behaviour, argument, name } = spec
    const options = { link: true, ack: true, ...(name === undefined ? {} : { name }) }
    return start(process.scheduler, process, scheduler, behaviour, argument, options).result
  }

  /** Ends the process of a child, if it has one. */
  protected async end(process: Process, child: Child): Promise<void> {
    const { pid, spec } = child
    if (pid === undefined) return
    const reason = await stopChild(process, pid, spec.shutdown)
    child.pid = undefined
    if (isShutdownError(spec.restart, spec.shutdown, reason)) {
      this.report(process, 'shutdown_error', child, pid, reason)
    }
  }

  protected async add(process: Process, spec: ChildSpec): Promise<StartResult> {
    checkChildSpec(spec)
    const child: Child = { spec, pid: undefined, restarting: false }
    const result = await this.launch(process, spec)
    if (result.ok) child.pid = result.pid
    else if (!result.ignored) {
      this.report(process, 'start_error', child, undefined, result.reason, true)
      return result
    }
    if (result.ok || spec.restart !== 'temporary') this.state(process).children.push(child)
    return result
  }

  async #startNew(process: Process, spec: unknown): Promise<StartResult> {
    checkChildSpec(spec)
    const known = this.state(process).children.find((child) => child.spec.id === spec.id)
    if (known === undefined) return this.add(process, spec)
    const reason =
      known.pid === undefined ? 'already_present' : { alreadyStarted: known.pid as number }
    return { ok: false, reason }
  }

  async #terminate(process: Process, id: string): Promise<'ok' | 'not_found'> {
    const { children } = this.state(process)
    const child = children.find((c) => c.spec.id === id)
    if (child === undefined) return 'not_found'
    child.restarting = false
    await this.end(process, child)
    if (child.spec.restart === 'temporary') remove(children, child)
    return 'ok'
  }

  /** A link partner ended; strangers are ignored (otp 150). */
  protected childExited(process: Process, pid: Pid, reason: ExitReason): unknown {
    const { children } = this.state(process)
    const child = children.find((c) => c.pid === pid)
    if (child === undefined) return undefined
    child.pid = undefined
    const { restart } = child.spec
    if (isReported(restart, reason)) this.report(process, 'child_terminated', child, pid, reason)
    const next = afterExit(restart, reason)
    if (next === 'forget') remove(children, child)
    if (next !== 'restart') return undefined
    return this.#restart(process, child, reason)
  }

  /** Whether a restart for this reason counts: all ends by one lost thread count once. */
  protected counts(process: Process, reason: ExitReason): boolean {
    return this.state(process).losses.isNew(reason)
  }

  async #restart(process: Process, child: Child, reason: ExitReason): Promise<void> {
    const state = this.state(process)
    if (this.counts(process, reason) && !state.intensity.add(process.scheduler.host.now())) {
      this.report(process, 'shutdown', child, undefined, 'reached_max_restart_intensity')
      return this.#stop(process, 'shutdown')
    }
    const result = await this.launch(process, child.spec)
    if (process.status === Status.Dead) return
    child.restarting = !result.ok && !result.ignored
    if (result.ok) child.pid = result.pid
    else if (child.restarting) {
      this.report(process, 'start_error', child, undefined, result.reason)
      process.scheduler.deliver(process, new Retry(child, result.reason))
    }
  }

  protected async stopAll(process: Process): Promise<void> {
    const { children } = this.state(process)
    for (let i = children.length - 1; i >= 0; i--) {
      const child = children[i]
      if (child !== undefined) await this.end(process, child)
      if (process.status === Status.Dead) return
    }
  }

  async #stop(process: Process, reason: ExitReason): Promise<void> {
    await this.stopAll(process)
    process.scheduler.exit(process, plain(reason))
  }

  crashed(process: Process, thrown: unknown): unknown {
    const reason = plain(reasonOf(thrown))
    process.scheduler.report(process, reason, process.lastMessage)
    return this.#stop(process, reason)
  }

  protected whichChildren(process: Process): ChildInfo[] {
    return this.state(process)
      .children.map(({ spec, pid, restarting }) => ({
        id: spec.id,
        pid: restarting ? ('restarting' as const) : pid,
        type: spec.type,
        behaviour: spec.behaviour,
      }))
      .reverse()
  }

  #count(process: Process): Record<'specs' | 'active' | 'supervisors' | 'workers', number> {
    const { children } = this.state(process)
    const supervisors = children.filter((child) => child.spec.type === 'supervisor').length
    return {
      specs: children.length,
      active: children.filter((child) => child.pid !== undefined).length,
      supervisors,
      workers: children.length - supervisors,
    }
  }

  protected report(
    process: Process,
    context: SupervisorReport['context'],
    child: Child,
    pid: Pid | undefined,
    reason: ExitReason,
    initial = false,
  ): void {
    publish('supervisor', () => ({
      initial,
      supervisor: process.name ?? formatPid(process.pid),
      context,
      child: child.spec.id,
      pid,
      reason,
    }))
  }
}

function remove(children: Child[], child: Child): void {
  const at = children.indexOf(child)
  if (at >= 0) children.splice(at, 1)
}

export const supervisorBehaviour: SupervisorBehaviour = defineBehaviour(new SupervisorBehaviour())
