/** A running node, from outside its processes: main's side of everything. Made by start(). */
import { randomBytes } from 'node:crypto'
import type { ThreadStats } from '../edge/control.ts'
import { startLog } from '../edge/log.ts'
import { BeamishError } from '../errors.ts'
import { publish } from '../events.ts'
import { type ErrorData, type ExitReason, formatReason, reasonOf } from '../exit/reason.ts'
import { NO_PID } from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import { anonymous } from '../process/raw.ts'
import type { Self } from '../process/self.ts'
import { LOCKS_NAME, Locks } from '../registry/locks.ts'
import { Board } from '../scheduler/board.ts'
import { nodeHost } from '../scheduler/host.ts'
import { Scheduler } from '../scheduler/scheduler.ts'
import { checkChildSpec } from '../supervisor/childSpec.ts'
import { type SupervisorSpec, type SupervisorTree, supervisor } from '../supervisor/spec.ts'
import { supervisorBehaviour } from '../supervisor/supervisor.ts'
import { COUNTERS_NAME, Counters } from './counters.ts'
import type { Dirty } from './dirty.ts'
import { makeLocalNode } from './local.ts'
import { MAX_TIMEOUT_MS, type Settings, whole } from './options.ts'
import { type Address, PORTS_NAME, Ports } from './ports.ts'
import { RAISED, ROOT_NAME, rootBehaviour, VACATE } from './root.ts'
import { threadStats } from './stats.ts'
import { Threads } from './threads.ts'

const STOP_ACCEPTING_MS = 5_000
/** What is left of the deadline for the tree itself, once draining has had its share. */
const TREE_SHARE_MS = 2_000
/** More than the root gives a slow init. */
const RAISED_TIMEOUT_MS = 10_000
/** How long a thread may take to end once it is told to: only a native call makes it wait. */
const END_TIMEOUT_MS = 1_000

export class BeamishNode {
  /** The outside as a process: raw, traps exits, lives as long as the node. */
  readonly self: Self
  /** Resolves with why when the node has ended: stopped, or an error that ended it. */
  readonly closed: Promise<BeamishError | undefined>

  readonly #settings: Settings
  readonly #secret: string
  readonly #scheduler: Scheduler
  readonly #threads: Threads
  readonly #dirty: Dirty
  readonly #outside: Process
  #stillRunning = 0
  #root: Process | undefined
  #stopping: Promise<void> | undefined
  #endLog: () => void = () => {}
  #close: (error: BeamishError | undefined) => void = () => {}

  constructor(settings: Settings) {
    this.#settings = settings
    this.#secret = settings.secretKeyBase ?? randomBytes(48).toString('base64url')
    const board = Board.create(settings.schedulers)
    board.claim(0, 0)
    this.#scheduler = new Scheduler({
      id: 0,
      slot: 0,
      board,
      host: nodeHost(),
      development: settings.development,
    })
    this.#dirty = makeLocalNode(this.#scheduler, this.#secret, settings.dirty).dirty
    if (settings.log !== false) this.#endLog = startLog(0, settings.log)
    this.#threads = new Threads(this.#scheduler, settings, this.#secret, {
      leaving: (scheduler, timeoutMs) => this.#vacate(scheduler, timeoutMs),
      raised: async () => {
        await this.self.call(ROOT_NAME, RAISED, undefined as never, {
          timeoutMs: RAISED_TIMEOUT_MS,
        })
      },
      replaced: (scheduler) => this.self.cast(ROOT_NAME, 'threadUp', scheduler),
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
  }

  /** Boots the threads, then the tree. Used by start(). */
  async boot(): Promise<void> {
    try {
      const exported = await this.#threads.boot()
      const tree = this.#startTree(this.#checkTree(exported[0]))
      await Promise.race([tree, this.#threads.lostDuringBoot()])
      this.#threads.watch()
    } catch (error) {
      await this.#endThreads()
      this.#scheduler.close()
      throw error
    }
  }

  #checkTree(exported: unknown): SupervisorTree {
    const { module } = this.#settings
    if (typeof exported !== 'object' || exported === null || !('behaviour' in exported)) {
      const got = exported === undefined ? 'nothing' : `a ${typeof exported}`
      throw new BeamishError('BEAMISH_APP_EXPORT', { module, got })
    }
    checkChildSpec(exported)
    if (exported.type !== 'supervisor') {
      throw new BeamishError('BEAMISH_APP_EXPORT', { module, got: `child "${exported.id}"` })
    }
    return exported as SupervisorTree
  }

  async #startTree(tree: SupervisorTree): Promise<void> {
    const services = supervisor({
      children: [
        Ports.child(undefined, { name: PORTS_NAME }),
        Counters.child(undefined, { name: COUNTERS_NAME }),
        Locks.child(undefined, { name: LOCKS_NAME }),
      ],
    })
    await this.self.start(supervisorBehaviour, services.argument)
    const spec: SupervisorSpec = tree.argument
    try {
      const pid = await this.self.start(rootBehaviour, spec, { name: ROOT_NAME })
      this.#root = this.#scheduler.find(pid)
    } catch (error) {
      throw startError((error as { reason?: ExitReason }).reason ?? String(error))
    }
    this.#root?.onExit((reason) => {
      if (this.#stopping !== undefined) return
      const fields = { reason: innermost(reason) ?? formatReason(reason) }
      void this.#fail(new BeamishError('BEAMISH_TREE_ENDED', fields))
    })
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
    await this.self.call(ROOT_NAME, VACATE, scheduler as never, { timeoutMs })
  }

  /** Ends a thread the hard way, as an accident would. For tests of what the survivors see. */
  killThread(scheduler: number): void {
    this.#threads.find(scheduler)?.kill()
  }

  /**
   * Stops in order: every thread closes its listeners, then all drain, then the tree stops in reverse of its start. What
   * is not done within shutdownTimeoutMs is ended by force. Resolves when no thread is left; one in a native call is not
   * waited for.
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
    if (this.#root?.alive) {
      await this.self.stop(this.#root.pid, 'shutdown', { timeoutMs: left() }).catch(() => {})
    }
    await this.#endThreads()
    this.#closeOutside()
  }

  /** Whoever waits for an answer outside is told that none will come. */
  #closeOutside(): void {
    const stopped = reasonOf(new BeamishError('BEAMISH_NODE_STOPPED'))
    for (const one of [...(this.#outside.pending?.values() ?? [])]) one.down(stopped)
    this.#scheduler.close()
    void this.#dirty.close()
  }

  async #endThreads(): Promise<void> {
    const running = await this.#threads.end(END_TIMEOUT_MS)
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

/** What kept a tree from starting, with the innermost error in front: the one line that helps. */
function startError(reason: ExitReason): BeamishError {
  const fields = { reason: innermost(reason) ?? formatReason(reason) }
  return new BeamishError('BEAMISH_START_FAILED', fields)
}

/** The message of the error at the bottom of a nested reason, if there is one. */
function innermost(reason: ExitReason): string | undefined {
  let inner: unknown = reason
  for (;;) {
    const next = inner as { shutdown?: unknown; reason?: unknown; error?: ErrorData } | null
    if (typeof next !== 'object' || next === null) return undefined
    if (next.error !== undefined) return next.error.message
    if (next.shutdown !== undefined) inner = next.shutdown
    else if (next.reason !== undefined) inner = next.reason
    else return undefined
  }
}
