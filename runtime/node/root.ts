/**
 * The root of an app's supervision tree, on main. Its children live on the threads: `any` (a singleton, the default), a
 * key, or `each`, one child of the tree with a process on every thread, which the thread's own supervisor keeps. A lost
 * thread does not count against its intensity.
 */
import { Exit, type ExitReason, reasonOf } from '../exit/reason.ts'
import { defineBehaviour } from '../process/behaviour.ts'
import { CallMessage, CastMessage } from '../process/messages.ts'
import { type Pid, schedulerOf } from '../process/pid.ts'
import type { Process, StartResult } from '../process/process.ts'
import { answer, call } from '../scheduler/calls.ts'
import { place } from '../scheduler/placement.ts'
import type { ChildSpec } from '../supervisor/childSpec.ts'
import { lossOf } from '../supervisor/losses.ts'
import { PARTITION_SUPERVISOR } from '../supervisor/partitionSupervisor.ts'
import type { SupervisorSpec } from '../supervisor/spec.ts'
import { stopChild } from '../supervisor/stopChild.ts'
import { restartPlan } from '../supervisor/strategy.ts'
import { type Child, type Failure, NOBODY, Retry } from '../supervisor/supervising.ts'
import { type ChildInfo, SupervisorBehaviour, SupervisorState } from '../supervisor/supervisor.ts'
import { checkRootPlace } from './rootPlace.ts'
import { SLOW_START_MS, tellSlow, within } from './slowStart.ts'
import { EACH_ENDED, type EachEnded, threadSupervisor } from './threadSupervisor.ts'

/** Registered name of an app's root supervisor; that of an application has the application's name behind it. */
export const ROOT_NAME = 'beamish.root'
/** The call that clears a thread before it is replaced in order. */
export const VACATE = 'vacate'
/** The cast that tells of a thread that is up. */
export const THREAD_UP = 'threadUp'
/** The call that is answered when every thread that is up has what is placed `each`. */
export const RAISED = 'raised'
const ROOT = 'beamish.rootSupervisor'

/** What a thread's supervisor may take to stop a child, beside the child's own time. */
const STOP_MARGIN_MS = 500

/** A live thread, as the root sees it. */
interface ThreadEntry {
  readonly scheduler: number
  readonly supervisor: Child & { readonly pid: Pid }
  /** The children placed `each` that its supervisor was given, by id, with the process they were started as. */
  readonly each: Map<string, Pid | undefined>
  /** Ids of those whose start is not through. */
  readonly starting: Set<string>
}

/** Tells the root that a child did not start on a thread, after it had gone on without waiting for that. */
class EachFailed {
  readonly on: ThreadEntry
  readonly id: string
  readonly failure: Failure
  constructor(on: ThreadEntry, id: string, failure: Failure) {
    this.on = on
    this.id = id
    this.failure = failure
  }
}

/** Tells the root that a thread has what is placed `each`, as far as that starts in time: what waited for it may come. */
class Raised {}

class RootState extends SupervisorState {
  readonly spec: SupervisorSpec
  readonly threads = new Map<number, ThreadEntry>()
  /** Its start is through. */
  up = false
  /** Resolves when no thread waits any more for what is placed `each`. */
  raised: Promise<unknown> = Promise.resolve()
  constructor(spec: SupervisorSpec) {
    super(spec)
    this.spec = spec
  }
}

const isEach = (child: Child): boolean => child.spec.place === 'each'

class RootBehaviour extends SupervisorBehaviour {
  override readonly name: string = ROOT

  #state(process: Process): RootState {
    return process.state as RootState
  }

  #threads(process: Process): Map<number, ThreadEntry> {
    return this.#state(process).threads
  }

  /** The supervisors of the threads first, which have what is placed `each`. */
  override kept(process: Process): Iterable<Child> {
    if (!(process.state instanceof RootState)) return []
    const { threads, children } = process.state
    return [...[...threads.values()].map(({ supervisor }) => supervisor), ...children]
  }

  override async start(process: Process, argument: unknown): Promise<void> {
    const spec = argument as SupervisorSpec
    process.state = new RootState(spec)
    const { board } = process.scheduler
    for (let slot = 1; slot < board.slots; slot++) {
      const holder = board.holder(slot)
      // One that is about to be replaced gets nothing any more: its replacement does.
      if (holder >= 0 && !board.isLeaving(slot)) await this.#startThread(process, holder)
    }
    await this.startChildren(process, spec.children)
    this.#state(process).up = true
  }

  /** One supervisor per thread. False when the thread was lost before it was up: its replacement gets one. */
  async #startThread(process: Process, scheduler: number): Promise<boolean> {
    const spec = threadSupervisor(scheduler, this.#state(process).spec)
    const result = await this.startAt(process, spec, scheduler)
    if (!result.ok) {
      if (process.scheduler.peers.has(scheduler)) throw new Exit(result.reason)
      return false
    }
    const supervisor = { spec, pid: result.pid, retry: undefined }
    const entry = { scheduler, supervisor, each: new Map(), starting: new Set<string>() }
    this.#threads(process).set(scheduler, entry)
    return true
  }

  override handle(process: Process, message: unknown): unknown {
    if (message instanceof CastMessage) {
      if (message.event === THREAD_UP) return this.#threadUp(process, message.payload as number)
      if (message.event === EACH_ENDED) return this.#eachEnded(process, message.payload)
    }
    if (message instanceof EachFailed) return this.#eachFailed(process, message)
    if (message instanceof Raised) return this.#resumeAll(process)
    if (message instanceof CallMessage && message.event === RAISED) {
      return this.#answerRaised(process, message)
    }
    return super.handle(process, message)
  }

  /** Goes on meanwhile. */
  #answerRaised(process: Process, asked: CallMessage): void {
    void this.#state(process).raised.then(() => answer(process.scheduler, process, asked, 'ok'))
  }

  protected override called(process: Process, event: string, payload: unknown): unknown {
    if (event === VACATE) return this.#vacate(process, payload as number)
    return super.called(process, event, payload)
  }

  /** A thread is about to be replaced: what it has for itself stops, what the node has once moves. */
  async #vacate(process: Process, scheduler: number): Promise<'ok'> {
    const threads = this.#threads(process)
    const leaving = threads.get(scheduler)
    threads.delete(scheduler)
    if (leaving !== undefined) await this.#endThread(process, leaving)
    for (const child of [...this.state(process).children]) {
      // One that is tied to another may have moved with it.
      if (isEach(child) || child.pid === undefined || schedulerOf(child.pid) !== scheduler) continue
      await this.end(process, child)
      if (!process.alive) break
      if (child.spec.restart === 'temporary') this.forget(process, child)
      else await this.restart(process, child, false)
    }
    return 'ok'
  }

  /** A replacement has loaded the app. */
  async #threadUp(process: Process, scheduler: number): Promise<void> {
    // Lost again, or known already.
    if (!process.scheduler.board.runs(scheduler) || this.#threads(process).has(scheduler)) return
    if (await this.#startThread(process, scheduler)) this.#raise(process, scheduler)
  }

  /**
   * Gives a thread every child placed `each`, in order, while the root goes on. One that does not start there is tried again
   * as after any failed restart. What waits for a thread to go to comes after them.
   */
  #raise(process: Process, scheduler: number): void {
    const on = this.#threads(process).get(scheduler) as ThreadEntry
    const { children, strategy } = this.state(process)
    const retries = children.flatMap((child) => child.retry ?? [])
    /** What a retry is about to start comes with it, in its order. */
    const soon = new Set(
      retries.flatMap((one) =>
        one.failure === NOBODY
          ? one.rest
          : restartPlan(strategy, children, children.indexOf(one.child)).start,
      ),
    )
    const starts = children.flatMap((child) =>
      isEach(child) && child.pid !== undefined && !soon.has(child)
        ? this.#tellFailure(process, on, child.spec.id, this.#startEachOn(process, on, child.spec))
        : [],
    )
    const raised = within(process, SLOW_START_MS, Promise.all(starts))
    const state = this.#state(process)
    state.raised = Promise.all([state.raised, raised]).then(() => undefined)
    void raised.then(() => process.scheduler.deliver(process, new Raised()))
  }

  async #tellFailure(
    process: Process,
    on: ThreadEntry,
    id: string,
    start: Promise<StartResult>,
  ): Promise<void> {
    const result = await start
    if (result.ok) return
    process.scheduler.deliver(process, new EachFailed(on, id, result as Failure))
  }

  #eachFailed(process: Process, { on, id, failure }: EachFailed): void {
    const child = this.childOf(process, id)
    // Stopped or started by another restart meanwhile, or gone with its thread.
    const stale = on.each.has(id) || on.starting.has(id) || child?.retry !== undefined
    if (stale || this.#threads(process).get(on.scheduler) !== on) return
    if (child?.pid === undefined) return
    child.pid = undefined
    this.tryAgain(process, child, failure)
  }

  #resumeAll(process: Process): void {
    for (const { retry } of this.state(process).children) {
      if (retry?.failure === NOBODY) process.scheduler.deliver(process, retry)
    }
  }

  /** Where siblings are tied to it, the end of a child on one thread is the end of that child. */
  #eachEnded(process: Process, told: unknown): unknown {
    const { scheduler, id, pid, reason } = told as EachEnded
    const child = this.childOf(process, id)
    // Stopped by another restart while the news was on its way, or gone with its thread.
    if (this.#threads(process).get(scheduler)?.each.get(id) !== pid) return undefined
    return child && this.restart(process, child, this.counts(process, reason))
  }

  protected override async startPlaced(process: Process, spec: ChildSpec): Promise<StartResult> {
    checkRootPlace(spec)
    if (spec.place === 'each') return this.#startEach(process, spec)
    // It runs no code of the app, and no lost thread takes it along.
    if (spec.behaviour === PARTITION_SUPERVISOR && spec.place === undefined) {
      return this.startAt(process, spec, process.scheduler.id)
    }
    const target = place(process.scheduler, spec.place ?? 'any')
    // Main runs no user code.
    if (target === process.scheduler.id) return NOBODY
    return tellSlow(process, spec.id, target, this.startOn(process, spec, target))
  }

  /**
   * On every thread that does not have it yet. Once the root is up it does not wait for ever: a thread where the init hangs
   * holds nobody up elsewhere.
   */
  async #startEach(process: Process, spec: ChildSpec): Promise<StartResult> {
    const { id } = spec
    const lacking = [...this.#threads(process).values()].filter(
      ({ each, starting }) => !each.has(id) && !starting.has(id),
    )
    const starts = lacking.map((on) => this.#startEachOn(process, on, spec))
    const all = Promise.all(starts)
    const results = await (this.#state(process).up ? within(process, SLOW_START_MS, all) : all)
    const started: StartResult = { ok: true, pid: process.pid }
    if (results !== undefined) return results.find((result) => !result.ok) ?? started
    for (const [i, on] of lacking.entries()) {
      void this.#tellFailure(process, on, id, starts[i] as Promise<StartResult>)
    }
    return started
  }

  async #startEachOn(process: Process, on: ThreadEntry, spec: ChildSpec): Promise<StartResult> {
    const { id } = spec
    const local: ChildSpec = { ...spec, place: 'here' }
    on.starting.add(id)
    const asked = this.#ask(process, on, 'startChild', local, Number.POSITIVE_INFINITY)
    const result = (await tellSlow(process, id, on.scheduler, asked)) as StartResult
    on.starting.delete(id)
    if (result.ok || result.ignored) {
      on.each.set(id, result.ok ? result.pid : undefined)
      return { ok: true, pid: process.pid }
    }
    // A thread that is lost meanwhile, or whose supervisor is, is no failure of the child: it comes with the next one.
    const gone = this.#threads(process).get(on.scheduler) !== on
    if (gone || !process.scheduler.peers.has(on.scheduler)) return { ok: true, pid: process.pid }
    return result
  }

  async #ask(
    process: Process,
    { supervisor }: ThreadEntry,
    event: string,
    payload: unknown,
    timeoutMs: number,
  ): Promise<unknown> {
    try {
      return await call(process.scheduler, process, supervisor.pid, event, payload, timeoutMs)
    } catch (thrown) {
      return { ok: false, reason: reasonOf(thrown) } satisfies StartResult
    }
  }

  protected override async end(process: Process, child: Child): Promise<void> {
    if (!isEach(child)) return super.end(process, child)
    const { id } = child.spec
    const having = [...this.#threads(process).values()].filter(
      ({ each, starting }) => each.delete(id) || starting.has(id),
    )
    await Promise.all(having.map((on) => this.#endOn(process, on, child.spec)))
    // One that was still starting on a thread has been noted there meanwhile.
    for (const on of having) on.each.delete(id)
    child.pid = undefined
  }

  /** A thread's supervisor that waits for an init hears nothing: it is ended with all it has, and started anew. */
  async #endOn(process: Process, on: ThreadEntry, { id, shutdown }: ChildSpec): Promise<void> {
    const ownMs = on.starting.size > 0 || shutdown === 'brutal_kill' ? 0 : shutdown
    const timeoutMs = ownMs + STOP_MARGIN_MS
    const answer = await this.#ask(process, on, 'terminateChild', id, timeoutMs)
    if (answer === 'ok' || answer === 'not_found') {
      await this.#ask(process, on, 'deleteChild', id, timeoutMs)
      return
    }
    const { scheduler, supervisor } = on
    if (this.#threads(process).get(scheduler) !== on) return
    this.#threads(process).delete(scheduler)
    await stopChild(process, supervisor.pid, 'brutal_kill')
    process.scheduler.deliver(process, new CastMessage(THREAD_UP, scheduler))
  }

  /** It waits for the next thread to be up. */
  protected override awaitPlace(_process: Process, child: Child, rest: readonly Child[]): void {
    child.retry = new Retry(child, NOBODY, rest)
  }

  protected override childExited(process: Process, pid: Pid, reason: ExitReason): unknown {
    const threads = this.#threads(process)
    for (const [scheduler, { supervisor }] of threads) {
      if (supervisor.pid !== pid) continue
      threads.delete(scheduler)
      // A lost thread gets its supervisor with its replacement.
      if (!process.scheduler.peers.has(scheduler)) return undefined
      this.report(process, 'child_terminated', supervisor, pid, reason)
      return this.#restartThread(process, scheduler, supervisor, this.counts(process, reason))
    }
    return super.childExited(process, pid, reason)
  }

  /** The supervisor of a live thread gave up. */
  async #restartThread(
    process: Process,
    scheduler: number,
    supervisor: Child,
    counts: boolean,
  ): Promise<void> {
    if (!this.mayRestart(process, supervisor, counts)) return this.stop(process, 'shutdown')
    if (!(await this.#startThread(process, scheduler))) return
    const { children, strategy } = this.state(process)
    const first = children.find((child) => isEach(child) && child.pid !== undefined)
    if (strategy === 'one_for_one' || first === undefined) this.#raise(process, scheduler)
    // Its end on one thread is the end of that child.
    else await this.restart(process, first, false)
  }

  /** Threads have an intensity of their own. */
  protected override counts(_process: Process, reason: ExitReason): boolean {
    return lossOf(reason) === undefined
  }

  protected override async stopAll(process: Process): Promise<void> {
    await super.stopAll(process)
    const threads = [...this.#threads(process).values()]
    await Promise.all(threads.map((on) => this.#endThread(process, on)))
  }

  /** One that waits for an init hears nothing but a kill. */
  async #endThread(process: Process, { supervisor, starting }: ThreadEntry): Promise<void> {
    if (starting.size > 0) await stopChild(process, supervisor.pid, 'brutal_kill')
    else await super.end(process, supervisor)
  }

  override whichChildren(process: Process): ChildInfo[] {
    // A child placed `each` has no one pid; the threads' supervisors know theirs.
    const each = new Set(
      this.state(process).children.flatMap((child) => (isEach(child) ? [child.spec.id] : [])),
    )
    return super
      .whichChildren(process)
      .map((info) =>
        each.has(info.id) && info.pid !== 'restarting' ? { ...info, pid: undefined } : info,
      )
  }
}

export const rootBehaviour: RootBehaviour = defineBehaviour(new RootBehaviour())
