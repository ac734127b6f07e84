/**
 * Supervisor: starts its children in order, restarts those that end together with those their strategy ties to them, stops
 * them in reverse (OTP supervisor, with Elixir's default of 3 restarts in 5 seconds). While it waits for the init of a child
 * or for the end of one it does nothing else, as in OTP; between attempts to restart it serves whoever asks.
 */
import type { ExitReason } from '../exit/reason.ts'
import { defineBehaviour } from '../process/behaviour.ts'
import type { Pid } from '../process/pid.ts'
import { type Process, type StartResult, Status } from '../process/process.ts'
import { type AutoShutdown, type ChildSpec, checkChildSpec } from './childSpec.ts'
import { afterExit, endsSupervisor, isReported } from './policy.ts'
import type { SupervisorSpec } from './spec.ts'
import { restartPlan, type Strategy } from './strategy.ts'
import {
  Bookkeeping,
  type Child,
  type Failure,
  GONE,
  NOBODY,
  Retry,
  Supervising,
} from './supervising.ts'

/** What whichChildren answers. */
export interface ChildInfo {
  readonly id: string
  readonly pid: Pid | 'restarting' | undefined
  readonly type: 'worker' | 'supervisor'
  readonly behaviour: string
}

export class SupervisorState extends Bookkeeping {
  readonly strategy: Strategy
  readonly autoShutdown: AutoShutdown
  readonly children: Child[] = []
  constructor(spec: SupervisorSpec) {
    super(spec)
    this.strategy = spec.strategy
    this.autoShutdown = spec.autoShutdown ?? 'never'
  }
}

const SUPERVISOR = 'beamish.supervisor'

export class SupervisorBehaviour extends Supervising {
  readonly name: string = SUPERVISOR

  inspectState(process: Process): unknown {
    return this.whichChildren(process)
  }

  kept(process: Process): Iterable<Child> {
    return process.state instanceof SupervisorState ? process.state.children : []
  }

  start(process: Process, argument: unknown): Promise<void> {
    const spec = argument as SupervisorSpec
    process.state = new SupervisorState(spec)
    return this.startChildren(process, spec.children)
  }

  protected async startChildren(process: Process, specs: readonly ChildSpec[]): Promise<void> {
    for (const [i, spec] of specs.entries()) {
      let added = await this.#add(process, spec)
      while (added === NOBODY) {
        if (leaves(process, spec)) return this.#startLater(process, specs.slice(i))
        await this.placeMayBe(process)
        added = await this.#add(process, spec)
      }
      if (process.status === Status.Dead) return
      if (added === GONE) this.#keep(process, spec)
      else if (!added.ok && !added.ignored) {
        const failed = { failedToStartChild: spec.id, reason: added.reason }
        return this.stop(process, { shutdown: failed })
      }
    }
    process.ready()
  }

  /**
   * The first of them waits for a thread that is replaced, which in turn waits for what moves from it, maybe for this
   * supervisor: it is up without them, and they come in their order.
   */
  #startLater(process: Process, specs: readonly ChildSpec[]): void {
    const late = specs.map((spec): Child => ({ spec, pid: undefined, retry: undefined }))
    this.state(process).children.push(...late)
    this.awaitPlace(process, late[0] as Child, late)
    process.ready()
  }

  protected called(process: Process, event: string, payload: unknown): unknown {
    switch (event) {
      case 'whichChildren':
        return this.whichChildren(process)
      case 'countChildren':
        return this.#count(process)
      case 'startChild':
        return this.#startNew(process, payload)
      case 'terminateChild':
        return this.#terminate(process, payload as string)
      case 'restartChild':
        return this.#startAgain(process, payload as string)
      case 'deleteChild':
        return this.#delete(process, payload as string)
      default:
        return { ok: false, reason: `supervisors have no call ${event}` }
    }
  }

  protected state(process: Process): SupervisorState {
    return process.state as SupervisorState
  }

  protected childOf(process: Process, id: string): Child | undefined {
    return this.state(process).children.find((child) => child.spec.id === id)
  }

  async #add(process: Process, spec: ChildSpec): Promise<StartResult> {
    const child: Child = { spec, pid: undefined, retry: undefined }
    const result = await this.#startAsked(process, child)
    const kept = result.ok || (result.ignored === true && spec.restart !== 'temporary')
    if (kept) this.state(process).children.push(child)
    return result
  }

  /** Its thread is gone for good: the others can do without it, and whoever reads the report may delete it. */
  #keep(process: Process, spec: ChildSpec): void {
    if (spec.restart === 'temporary') return
    this.state(process).children.push({ spec, pid: undefined, retry: undefined })
  }

  /** A start that somebody waits for: its failure is theirs to judge. */
  async #startAsked(process: Process, child: Child): Promise<StartResult> {
    const result = await this.launch(process, child.spec)
    if (result.ok) child.pid = result.pid
    else if (!result.ignored && result !== NOBODY) {
      this.report(process, 'start_error', child, undefined, result.reason, true)
      // At the root it may have started on some of the threads.
      await this.end(process, child)
    }
    return result
  }

  async #startNew(process: Process, spec: unknown): Promise<StartResult> {
    checkChildSpec(spec, this.state(process).autoShutdown)
    const known = this.childOf(process, spec.id)
    if (known === undefined) return this.#add(process, spec)
    const reason =
      known.pid === undefined ? 'already_present' : { alreadyStarted: known.pid as number }
    return { ok: false, reason }
  }

  async #terminate(process: Process, id: string): Promise<'ok' | 'not_found'> {
    const child = this.childOf(process, id)
    if (child === undefined) return 'not_found'
    const { retry } = child
    child.retry = undefined
    await this.end(process, child)
    if (child.spec.restart === 'temporary') this.forget(process, child)
    if (retry?.failure === NOBODY) this.#passOn(process, retry)
    return 'ok'
  }

  /** Those behind a child that waited for its thread wait no longer than it does. */
  #passOn(process: Process, { rest }: Retry): void {
    const down = this.#down(process, rest.slice(1))
    const [next] = down
    if (next === undefined) return
    next.retry = new Retry(next, NOBODY, down)
    process.scheduler.deliver(process, next.retry)
  }

  /** By request some may have been started or deleted meanwhile. */
  #down(process: Process, rest: readonly Child[]): Child[] {
    const { children } = this.state(process)
    return rest.filter((tied) => tied.pid === undefined && children.includes(tied))
  }

  async #startAgain(process: Process, id: string): Promise<StartResult> {
    const child = this.childOf(process, id)
    const busy = whyBusy(child)
    if (child === undefined || busy !== undefined) return { ok: false, reason: busy ?? 'not_found' }
    return this.#startAsked(process, child)
  }

  #delete(process: Process, id: string): 'ok' | 'running' | 'restarting' | 'not_found' {
    const child = this.childOf(process, id)
    const busy = whyBusy(child)
    if (child === undefined || busy !== undefined) return busy ?? 'not_found'
    this.forget(process, child)
    return 'ok'
  }

  protected forget(process: Process, child: Child): void {
    const { children } = this.state(process)
    const at = children.indexOf(child)
    if (at >= 0) children.splice(at, 1)
  }

  /** Strangers are ignored (otp 150). */
  protected childExited(process: Process, pid: Pid, reason: ExitReason): unknown {
    const child = this.state(process).children.find((c) => c.pid === pid)
    if (child === undefined) return undefined
    child.pid = undefined
    const { restart } = child.spec
    if (isReported(restart, reason)) this.report(process, 'child_terminated', child, pid, reason)
    const next = afterExit(restart, reason)
    if (next === 'restart') return this.ended(process, child, pid, reason)
    if (next === 'forget') this.forget(process, child)
    const { autoShutdown, children } = this.state(process)
    return endsSupervisor(autoShutdown, child, children)
      ? this.stop(process, 'shutdown')
      : undefined
  }

  /** A child is to be restarted after its end. */
  protected ended(process: Process, child: Child, _pid: Pid, reason: ExitReason): unknown {
    return this.restart(process, child, this.counts(process, reason))
  }

  protected async restart(process: Process, child: Child, counts: boolean): Promise<void> {
    child.retry = undefined
    if (!this.mayRestart(process, child, counts)) return this.stop(process, 'shutdown')
    const { strategy, children } = this.state(process)
    const plan = restartPlan(strategy, children, children.indexOf(child))
    for (const tied of plan.stop) {
      tied.retry = undefined
      await this.end(process, tied)
      if (process.status === Status.Dead) return
      if (tied.spec.restart === 'temporary') this.forget(process, tied)
    }
    await this.#startTied(process, plan.start)
  }

  async #startTied(process: Process, children: readonly Child[]): Promise<void> {
    for (const [i, tied] of children.entries()) {
      const result = await this.launch(process, tied.spec)
      if (process.status === Status.Dead) return
      if (result.ok) tied.pid = result.pid
      else if (result === NOBODY) return this.awaitPlace(process, tied, children.slice(i))
      else if (result === GONE) this.report(process, 'start_error', tied, undefined, result.reason)
      else if (result.ignored) {
        if (tied.spec.restart === 'temporary') this.forget(process, tied)
      } else {
        this.tryAgain(process, tied, result as Failure)
        // Where they are tied, its next restart starts those behind it.
        if (this.state(process).strategy !== 'one_for_one') return
      }
    }
  }

  /** What was before it runs already, and was restarted once. */
  protected async resume(process: Process, { child, rest }: Retry): Promise<void> {
    child.retry = undefined
    await this.#startTied(process, this.#down(process, rest))
  }

  protected async stopAll(process: Process): Promise<void> {
    for (const child of this.state(process).children.toReversed()) {
      await this.end(process, child)
      if (process.status === Status.Dead) return
    }
  }

  protected whichChildren(process: Process): ChildInfo[] {
    return this.state(process)
      .children.map(({ spec, pid, retry }) => ({
        id: spec.id,
        pid: retry === undefined ? pid : ('restarting' as const),
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
}

function leaves({ scheduler }: Process, { place }: ChildSpec): boolean {
  return typeof place === 'object' && 'key' in place && scheduler.board.leaves(place.key)
}

/** Why a child is neither restarted nor deleted by request (otp 143). */
function whyBusy(child: Child | undefined): 'running' | 'restarting' | undefined {
  if (child?.pid !== undefined) return 'running'
  return child?.retry === undefined ? undefined : 'restarting'
}

export const supervisorBehaviour: SupervisorBehaviour = defineBehaviour(new SupervisorBehaviour())
