/** A running node, from outside its processes: main's side of everything. Made by start(). */
import { randomBytes } from 'node:crypto'
import {
  APPLICATIONS,
  type ApplicationInfo,
  type ApplicationResult,
  BOOT,
  controllerBehaviour,
} from '../application/controller.ts'
import { applicationsOf, endError, startError } from '../application/outcome.ts'
import type { Application } from '../application/spec.ts'
import type { ThreadStats } from '../edge/control.ts'
import { startLog } from '../edge/log.ts'
import { BeamishError } from '../errors.ts'
import { publish } from '../events.ts'
import { type ExitReason, reasonOf, safeText } from '../exit/reason.ts'
import type { NodeReport } from '../observe/figures.ts'
import { Observer, observedMain } from '../observe/observe.ts'
import { checkObserve, type ObserveOptions } from '../observe/options.ts'
import { type AskTrace, type NodeTrace, Traces, traceMain } from '../observe/trace.ts'
import { checkTrace, type NodeTraceOptions } from '../observe/traceOptions.ts'
import { NO_PID } from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import { anonymous } from '../process/raw.ts'
import type { Self } from '../process/self.ts'
import { LOCKS_NAME, Locks } from '../registry/locks.ts'
import { Board } from '../scheduler/board.ts'
import { nodeHost } from '../scheduler/host.ts'
import { Scheduler } from '../scheduler/scheduler.ts'
import { supervisor } from '../supervisor/spec.ts'
import { supervisorBehaviour } from '../supervisor/supervisor.ts'
import { COUNTERS_NAME, Counters } from './counters.ts'
import type { Dirty } from './dirty.ts'
import { makeLocalNode, type NodeIdentity } from './local.ts'
import { MAX_TIMEOUT_MS, type Settings, whole } from './options.ts'
import { type Address, PORTS_NAME, Ports } from './ports.ts'
import { RAISED, THREAD_UP, VACATE } from './root.ts'
import { threadStats } from './stats.ts'
import type { Thread } from './thread.ts'
import { Threads } from './threads.ts'

const STOP_ACCEPTING_MS = 5_000
/** What is left of the deadline for the tree itself, once draining has had its share. */
const TREE_SHARE_MS = 2_000
const TRACE_TIMEOUT_MS = 1_000
/** More than the root gives a slow init. */
const RAISED_TIMEOUT_MS = 10_000
/** How long a thread may take at the least to end once it is told to: a native call, or a machine with much to do, delays it. */
const END_TIMEOUT_MS = 1_000

export class BeamishNode {
  /** The outside as a process: raw, traps exits, lives as long as the node. */
  readonly self: Self
  /** Resolves with why when the node has ended: stopped, or an error that ended it. */
  readonly closed: Promise<BeamishError | undefined>

  readonly #settings: Settings
  readonly #identity: NodeIdentity
  readonly #scheduler: Scheduler
  readonly #threads: Threads
  readonly #dirty: Dirty
  readonly #outside: Process
  readonly #observer = new Observer()
  readonly #traces = new Traces()
  #stillRunning = 0
  #applications: readonly Application[] = []
  #controller: Process | undefined
  #stopping: Promise<void> | undefined
  #endLog: () => void = () => {}
  #close: (error: BeamishError | undefined) => void = () => {}

  constructor(settings: Settings) {
    this.#settings = settings
    this.#identity = {
      secret: settings.secretKeyBase ?? randomBytes(48).toString('base64url'),
      life: randomBytes(9).toString('base64url'),
    }
    const board = Board.create(settings.schedulers)
    board.claim(0, 0)
    this.#scheduler = new Scheduler({
      id: 0,
      slot: 0,
      board,
      host: nodeHost(),
      development: settings.development,
    })
    this.#dirty = makeLocalNode(this.#scheduler, this.#identity, settings.dirty).dirty
    if (settings.log !== false) this.#endLog = startLog(0, settings.log)
    this.#threads = new Threads(this.#scheduler, settings, this.#identity, {
      introduced: (thread) => this.#traces.introduce(askTrace(thread)),
      leaving: (scheduler, timeoutMs) => this.#vacate(scheduler, timeoutMs),
      raised: async () => {
        await this.self.call(APPLICATIONS, RAISED, undefined as never, {
          timeoutMs: RAISED_TIMEOUT_MS,
        })
      },
      replaced: (scheduler) => this.self.cast(APPLICATIONS, THREAD_UP, scheduler),
      failed: (error) => void this.#fail(error),
    })
    this.#outside = this.#scheduler.spawn(
      anonymous(function outside() {
        return new Promise(() => {})
      }),
      undefined,
      { parent: NO_PID, ancestors: [] },
    )
    this.#outside.trapExit = true
    this.#outside.outside = true
    this.self = this.#outside.self
    this.closed = new Promise((resolve) => {
      this.#close = resolve
    })
    void this.closed.then(() => this.#traces.end())
  }

  /** Boots the threads, then the tree. Used by start(). */
  async boot(): Promise<void> {
    try {
      const exported = await this.#threads.boot()
      this.#applications = applicationsOf(exported[0], this.#settings.module)
      await Promise.race([this.#startApplications(), this.#threads.lostDuringBoot()])
      this.#threads.watch()
    } catch (error) {
      await this.#endThreads()
      this.#scheduler.close()
      throw error
    }
  }

  async #startApplications(): Promise<void> {
    const services = supervisor({
      children: [
        Ports.child(undefined, { name: PORTS_NAME }),
        Counters.child(undefined, { name: COUNTERS_NAME }),
        Locks.child(undefined, { name: LOCKS_NAME }),
      ],
    })
    await this.self.start(supervisorBehaviour, services.argument)
    const { shutdownTimeoutMs } = this.#settings
    const applications = this.#applications
    const argument = { applications, shutdownTimeoutMs }
    const pid = await this.self.start(controllerBehaviour, argument, { name: APPLICATIONS })
    this.#controller = this.#scheduler.find(pid)
    const result = await this.#ask(BOOT).catch((thrown) => {
      // One that had started has ended, and the controller with it, before the others were up.
      throw endError((reasonOf(thrown) as { readonly reason: ExitReason }).reason, applications)
    })
    if (!result.ok) {
      // Those that had started end in order.
      const options = { timeoutMs: shutdownTimeoutMs }
      await this.self.stop(pid, 'shutdown', options).catch(() => {})
      throw startError(result, { plain: applications[0]?.plain })
    }
    this.#controller?.onExit((reason) => {
      if (this.#stopping === undefined) void this.#fail(endError(reason, applications))
    })
  }

  async #ask(event: string, name?: string): Promise<ApplicationResult> {
    const timeoutMs = Number.POSITIVE_INFINITY
    const asked = this.self.call(APPLICATIONS, event, name as never, { timeoutMs })
    return (await asked) as ApplicationResult
  }

  /**
   * All applications of this node in the order of their start, those that do not run included (OTP which_applications). A
   * supervisor that is exported as it is counts as one, named `app`.
   *
   * @throws BEAMISH_NODE_STOPPED
   * @example
   * ```ts no-run
   * for (const { name, state } of await node.applications()) console.log(name, state)
   * ```
   */
  async applications(): Promise<ApplicationInfo[]> {
    if (!this.#outside.alive) throw new BeamishError('BEAMISH_NODE_STOPPED')
    return (await this.self.call(APPLICATIONS, 'whichApplications')) as ApplicationInfo[]
  }

  /**
   * Starts an application that does not run, and before it those it needs: all of them or none. Whatever its type, one that does
   * not start leaves the node as it was (OTP application:ensure_all_started/1).
   *
   * @returns the names of those that were started, in order; none if it ran already
   * @throws BEAMISH_APPLICATION_UNKNOWN, BEAMISH_APPLICATION_START, BEAMISH_NODE_STOPPED
   * @example
   * ```ts no-run
   * await node.stopApplication('reports')
   * console.log(await node.startApplication('reports')) // [ 'reports' ]
   * ```
   */
  startApplication(name: string): Promise<readonly string[]> {
    return this.#change('startApplication', name)
  }

  /**
   * Stops an application in order: `prepStop`, its children in reverse, `stop`. Whatever its type, the node and those that need
   * it run on, and it may be started again (OTP application:stop/1). Resolves when nothing of it is left.
   *
   * @throws BEAMISH_APPLICATION_UNKNOWN, BEAMISH_APPLICATION_STOPPED, BEAMISH_NODE_STOPPED
   * @example
   * ```ts no-run
   * await node.stopApplication('reports')
   * ```
   */
  async stopApplication(name: string): Promise<void> {
    await this.#change('stopApplication', name)
  }

  async #change(event: string, name: string): Promise<readonly string[]> {
    if (!this.#outside.alive) throw new BeamishError('BEAMISH_NODE_STOPPED')
    let result: ApplicationResult
    try {
      result = await this.#ask(event, name)
    } catch (thrown) {
      // The node has stopped, or ended, meanwhile.
      throw new BeamishError('BEAMISH_NODE_STOPPED', {}, thrown)
    }
    if (result.ok) return result.done
    if (result.reason === 'node_stopping') throw new BeamishError('BEAMISH_NODE_STOPPED')
    if (result.reason === 'not_loaded') {
      const known = this.#applications.map(({ application }) => application).join(', ')
      const fields = { application: safeText(name, 50), known }
      throw new BeamishError('BEAMISH_APPLICATION_UNKNOWN', fields)
    }
    if (result.reason === 'not_started') {
      throw new BeamishError('BEAMISH_APPLICATION_STOPPED', { application: `"${name}"` })
    }
    throw startError(result)
  }

  /** Ids of the scheduler threads that run processes: not those lost, nor a replacement that has yet to boot. */
  schedulers(): number[] {
    return this.#threads.ready()
  }

  /** Threads that a native call keeps from ending after the node has: they hold up process.exit. */
  get stillRunning(): number {
    return this.#stillRunning
  }

  /** Counts of each thread; one that ends meanwhile is left out. With `main`, main's own come first, as scheduler 0. */
  async stats(options: { readonly main?: boolean } = {}): Promise<ThreadStats[]> {
    const main = options.main === true ? [threadStats(this.#scheduler)] : []
    const answers = await Promise.allSettled(
      this.#threads.live().map((thread) => thread.control.stats()),
    )
    const found = answers.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    return [...main, ...found]
  }

  /**
   * A look at everything: each thread's figures, the supervision tree with those of each process, and the processes with the
   * most of something. It is read from the threads' own records: no process is asked or waited for, so a stuck or busy
   * supervisor hides nothing, and a thread that does not answer is told as silent. What is shown is bounded, and what is left
   * out is counted: see ObserveOptions. Cost: one pass over the process table of each thread (docs/observing.md has figures).
   *
   * @throws BEAMISH_BAD_OPTION, BEAMISH_NODE_STOPPED
   * @example
   * ```ts no-run
   * const { threads, tree, top } = await node.observe({ windowMs: 1_000 })
   * for (const { scheduler, utilization } of threads) console.log(scheduler, utilization)
   * for (const { value, figures } of top.mailbox) console.log(figures.process, value)
   * ```
   */
  async observe(options: ObserveOptions = {}): Promise<NodeReport> {
    const settings = checkObserve(options)
    if (!this.#outside.alive) throw new BeamishError('BEAMISH_NODE_STOPPED')
    const { board } = this.#scheduler
    const threads = this.#threads.live().map((thread) => thread.observed(board))
    return this.#observer.observe([observedMain(this.#scheduler), ...threads], settings)
  }

  /**
   * Looks on at what processes do and what happens to them, on every thread and on those that replace them: those of a pid,
   * a name or a behaviour, or messages of a name. Resolves when every thread that answers traces. It ends by itself: after
   * `limit` events (100), `timeoutMs` (a minute), or with the node. What is traced goes on as without: events are
   * described as text of bounded length, none of its code is called, and where they come faster than main takes them they are dropped
   * and counted. While a trace is on, each message of a thread costs more, its matches some microseconds; without one nothing
   * (OTP: dbg, with the limits of recon_trace).
   *
   * @throws BEAMISH_BAD_OPTION, BEAMISH_NODE_STOPPED
   * @example
   * ```ts no-run
   * const trace = await node.trace({ behaviour: 'counter', event: 'add', limit: 20, sample: 0.1 })
   * for await (const { kind, process, event, text } of trace) console.log(kind, process, event, text)
   * console.log(await trace.ended) // { reason: 'limit', events: 20, dropped: 0 }
   * ```
   */
  async trace(options: NodeTraceOptions): Promise<NodeTrace> {
    const settings = checkTrace(options)
    if (!this.#outside.alive) throw new BeamishError('BEAMISH_NODE_STOPPED')
    const threads = this.#threads.live().map(askTrace)
    return this.#traces.begin(settings, [traceMain(this.#scheduler), ...threads])
  }

  /** Where the app's endpoints listen. Rejects with BEAMISH_NODE_STOPPED after stop(). */
  addresses(): Promise<Address[]> {
    // A dead process's call never resolves, and the outside died with the node.
    if (!this.#outside.alive) return Promise.reject(new BeamishError('BEAMISH_NODE_STOPPED'))
    return this.self.call(Ports.named(PORTS_NAME), 'addresses')
  }

  /**
   * Replaces one thread in order while the others go on: it stops accepting, its sockets close paced with 1012 so that their
   * clients come back on other threads, its children placed `each` stop, its singletons move, its keyed
   * children wait for the replacement, whatever supervisors elsewhere
   * placed there ends with `{ noconnection: { cause: 'stopped' } }` (terminate runs where exits are trapped), and everything
   * it has sent is heard before its end is told with the same reason, which counts at no supervisor. Several restarts run one
   * after the other. With one thread nothing is served in between.
   *
   * @param options.timeoutMs what is not done by then is ended by force; default shutdownTimeoutMs
   * @returns the id of the scheduler that took its place, once its children placed `each` are up
   * @throws BEAMISH_NO_SCHEDULER, BEAMISH_NODE_STOPPED, BEAMISH_BAD_OPTION
   * @example
   * ```ts no-run
   * for (const scheduler of node.schedulers()) await node.restartThread(scheduler)
   * ```
   */
  async restartThread(
    scheduler: number,
    options: { readonly timeoutMs?: number } = {},
  ): Promise<number> {
    if (!this.#outside.alive) throw new BeamishError('BEAMISH_NODE_STOPPED')
    const { timeoutMs = this.#settings.shutdownTimeoutMs } = options
    return this.#threads.restart(scheduler, whole('timeoutMs', timeoutMs, 0, MAX_TIMEOUT_MS))
  }

  async #vacate(scheduler: number, timeoutMs: number): Promise<void> {
    await this.self.call(APPLICATIONS, VACATE, scheduler as never, { timeoutMs })
  }

  /** Ends a thread the hard way, as an accident would. For tests of what the survivors see. */
  killThread(scheduler: number): void {
    this.#threads.find(scheduler)?.kill()
  }

  /**
   * Stops in order: every thread closes its listeners, then all drain, then the applications stop in reverse of their start,
   * and so does the tree of each. What is not done within shutdownTimeoutMs is ended by force. Resolves when no thread is left;
   * one that a native call keeps from ending is not waited for any longer, but for a second in any case.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop().finally(() => this.#close(undefined))
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const deadline = performance.now() + this.#settings.shutdownTimeoutMs
    const left = (): number => Math.max(0, deadline - performance.now())
    this.#threads.replaceNone()
    const threads = this.#threads.live()
    const share = Math.min(STOP_ACCEPTING_MS, left())
    await Promise.allSettled(threads.map((thread) => thread.control.stopAccepting(share)))
    const forDraining = Math.max(0, left() - TREE_SHARE_MS)
    await Promise.allSettled(threads.map((thread) => thread.control.drain(forDraining)))
    if (this.#controller?.alive) {
      await this.self.stop(this.#controller.pid, 'shutdown', { timeoutMs: left() }).catch(() => {})
    }
    await this.#endThreads(left())
    this.#closeOutside()
  }

  /** Whoever waits for an answer outside is told that none will come. */
  #closeOutside(): void {
    const stopped = reasonOf(new BeamishError('BEAMISH_NODE_STOPPED'))
    for (const one of [...(this.#outside.pending?.values() ?? [])]) one.down(stopped)
    this.#scheduler.close()
    void this.#dirty.close()
  }

  async #endThreads(timeoutMs = 0): Promise<void> {
    const running = await this.#threads.end(Math.max(END_TIMEOUT_MS, timeoutMs))
    for (const scheduler of running) {
      publish('notice', () => ({
        level: 'error',
        code: 'thread_not_ended',
        message: `scheduler ${scheduler} is in a native call that does not end: the operating system process cannot exit in order before it does`,
        scheduler,
      }))
    }
    this.#stillRunning = running.length
    this.#endLog()
  }

  async #fail(error: BeamishError): Promise<void> {
    if (this.#stopping !== undefined) return
    publish('notice', () => ({ level: 'error', code: error.code, message: error.message }))
    this.#stopping = this.#endThreads().then(() => this.#closeOutside())
    await this.#stopping
    this.#close(error)
  }
}

/** One that is stuck keeps nobody waiting: it begins when it can. */
const askTrace =
  ({ control }: Thread): AskTrace =>
  (spec, port) =>
    control.trace(spec, port, TRACE_TIMEOUT_MS)
