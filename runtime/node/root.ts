/**
 * The root of an app's supervision tree, on main. Its children live on the threads: `any` (a singleton, the default), a
 * key, or `each`, which is kept by the thread's own supervisor. A lost thread does not count against its intensity.
 */
import { BeamishError } from '../errors.ts'
import type { ExitReason } from '../exit/reason.ts'
import { defineBehaviour } from '../process/behaviour.ts'
import { CastMessage } from '../process/messages.ts'
import type { Pid } from '../process/pid.ts'
import type { Process, StartResult } from '../process/process.ts'
import { call } from '../scheduler/calls.ts'
import { place } from '../scheduler/placement.ts'
import type { ChildSpec } from '../supervisor/childSpec.ts'
import { supervisor } from '../supervisor/spec.ts'
import {
  type Child,
  type ChildInfo,
  SUPERVISOR,
  SupervisorBehaviour,
} from '../supervisor/supervisor.ts'

/** Registered name of an app's root supervisor. */
export const ROOT_NAME = 'beamish.root'
const ROOT = 'beamish.rootSupervisor'

/** How long a thread's supervisor may take to start or stop one child. */
const EACH_TIMEOUT_MS: number = Number.POSITIVE_INFINITY

class RootBehaviour extends SupervisorBehaviour {
  override readonly name: string = ROOT
  /** Thread supervisors by process of the root, then scheduler id. */
  readonly #threads = new WeakMap<Process, Map<number, Pid>>()

  #threadsOf(process: Process): Map<number, Pid> {
    let threads = this.#threads.get(process)
    if (threads === undefined) {
      threads = new Map()
      this.#threads.set(process, threads)
    }
    return threads
  }

  override async start(process: Process, argument: unknown): Promise<void> {
    const { board } = process.scheduler
    for (let slot = 1; slot < board.slots; slot++) {
      const holder = board.holder(slot)
      if (holder >= 0) await this.#startThread(process, holder)
    }
    await super.start(process, argument)
  }

  /** One supervisor per thread, which keeps the children placed `each`. */
  async #startThread(process: Process, scheduler: number): Promise<boolean> {
    const spec = supervisor({ children: [], id: `thread ${scheduler}` })
    const result = await this.startAt(process, { ...spec, behaviour: SUPERVISOR }, scheduler)
    if (result.ok) this.#threadsOf(process).set(scheduler, result.pid)
    return result.ok
  }

  override handle(process: Process, message: unknown): unknown {
    if (message instanceof CastMessage && message.event === 'threadUp') {
      return this.#threadUp(process, message.payload as number)
    }
    return super.handle(process, message)
  }

  /** A replacement is there: it gets its supervisor and every child placed `each`, in order. */
  async #threadUp(process: Process, scheduler: number): Promise<void> {
    if (!(await this.#startThread(process, scheduler))) return
    const pid = this.#threadsOf(process).get(scheduler) as Pid
    for (const child of this.state(process).children) {
      if (child.spec.place === 'each') await this.#startEach(process, pid, child.spec)
    }
    for (const child of this.state(process).children) {
      if (child.restarting && child.spec.place !== 'each') {
        const result = await this.launch(process, child.spec)
        if (result.ok) {
          child.pid = result.pid
          child.restarting = false
        }
      }
    }
  }

  async #startEach(process: Process, pid: Pid, spec: ChildSpec): Promise<StartResult> {
    const local: ChildSpec = { ...spec, place: 'here' }
    try {
      const answer = call(process.scheduler, process, pid, 'startChild', local, EACH_TIMEOUT_MS)
      return (await answer) as StartResult
    } catch (thrown) {
      return { ok: false, reason: (thrown as { reason?: ExitReason }).reason ?? 'noproc' }
    }
  }

  protected override async launch(process: Process, spec: ChildSpec): Promise<StartResult> {
    if (spec.place === 'here') {
      throw new BeamishError('BEAMISH_PLACEMENT_HERE', { child: `"${spec.id}"` })
    }
    if (spec.place !== 'each') {
      const target = place(process.scheduler, spec.place ?? 'any')
      // Main runs no user code: without a thread there is nobody to run it yet.
      if (target === process.scheduler.id) return { ok: false, reason: 'noproc' }
      return this.startAt(process, spec, target)
    }
    const started = await Promise.all(
      [...this.#threadsOf(process).values()].map((pid) => this.#startEach(process, pid, spec)),
    )
    return started.find((result) => !result.ok) ?? { ok: true, pid: process.pid }
  }

  protected override async end(process: Process, child: Child): Promise<void> {
    if (child.spec.place !== 'each') return super.end(process, child)
    await Promise.all(
      [...this.#threadsOf(process).values()].map((pid) =>
        call(process.scheduler, process, pid, 'terminateChild', child.spec.id, EACH_TIMEOUT_MS)
          // A thread that ends meanwhile has nothing left to stop.
          .catch(() => 'not_found'),
      ),
    )
    child.pid = undefined
  }

  protected override childExited(process: Process, pid: Pid, reason: ExitReason): unknown {
    const threads = this.#threadsOf(process)
    for (const [scheduler, supervisorPid] of threads) {
      if (supervisorPid !== pid) continue
      threads.delete(scheduler)
      // A lost thread gets its supervisor with its replacement; one that gave up on a live thread ends the node's tree.
      if (isLoss(reason)) return undefined
      return process.scheduler.exit(process, { shutdown: { threadSupervisor: scheduler, reason } })
    }
    return super.childExited(process, pid, reason)
  }

  protected override counts(_process: Process, reason: ExitReason): boolean {
    return !isLoss(reason)
  }

  protected override async stopAll(process: Process): Promise<void> {
    await super.stopAll(process)
    const threads = this.#threadsOf(process)
    await Promise.all(
      [...threads.values()].map((pid) =>
        super.end(process, {
          spec: { ...supervisor({ children: [] }) },
          pid,
          restarting: false,
        }),
      ),
    )
    threads.clear()
  }

  override whichChildren(process: Process): ChildInfo[] {
    // A child placed `each` has no one pid; the threads' supervisors know theirs.
    const each = new Set(
      this.state(process).children.flatMap(({ spec }) => (spec.place === 'each' ? [spec.id] : [])),
    )
    return super
      .whichChildren(process)
      .map((child) => (each.has(child.id) ? { ...child, pid: undefined } : child))
  }
}

function isLoss(reason: ExitReason): boolean {
  return typeof reason === 'object' && reason !== null && 'noconnection' in reason
}

export const rootBehaviour: RootBehaviour = defineBehaviour(new RootBehaviour())
