/** A running node, from outside its processes: main's side of everything. Made by start(). */
import { randomBytes } from 'node:crypto'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { ThreadStats } from '../edge/control.ts'
import { startLog } from '../edge/log.ts'
import { BeamishError } from '../errors.ts'
import { publish } from '../events.ts'
import { type ErrorData, type ExitReason, formatReason } from '../exit/reason.ts'
import { MAX_SCHEDULERS, NO_PID } from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import { anonymous } from '../process/raw.ts'
import type { Self } from '../process/self.ts'
import { Board } from '../scheduler/board.ts'
import { nodeHost } from '../scheduler/host.ts'
import { Op } from '../scheduler/ops.ts'
import { lost } from '../scheduler/receive.ts'
import { Scheduler } from '../scheduler/scheduler.ts'
import { checkChildSpec } from '../supervisor/childSpec.ts'
import { Intensity } from '../supervisor/intensity.ts'
import { type SupervisorSpec, type SupervisorTree, supervisor } from '../supervisor/spec.ts'
import { supervisorBehaviour } from '../supervisor/supervisor.ts'
import { COUNTERS_NAME, Counters } from './counters.ts'
import { makeLocalNode } from './local.ts'
import type { Settings } from './options.ts'
import { type Address, PORTS_NAME, Ports } from './ports.ts'
import { ROOT_NAME, rootBehaviour } from './root.ts'
import { Thread, type ThreadEnd } from './thread.ts'

const STOP_ACCEPTING_MS = 5_000
/** What is left of the deadline for the tree itself, once draining has had its share. */
const TREE_SHARE_MS = 2_000

export class BeamishNode {
  /** The outside as a process: raw, traps exits, lives as long as the node. */
  readonly self: Self
  /** Resolves with why when the node has ended: stopped, or an error that ended it. */
  readonly closed: Promise<BeamishError | undefined>

  readonly #settings: Settings
  readonly #secret: string
  readonly #scheduler: Scheduler
  readonly #threads: (Thread | undefined)[]
  readonly #losses: Intensity
  readonly #outside: Process
  #nextId = 1
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
    makeLocalNode(this.#scheduler, this.#secret)
    if (settings.log !== false) this.#endLog = startLog(0, settings.log)
    this.#threads = new Array<Thread | undefined>(settings.schedulers + 1).fill(undefined)
    this.#losses = new Intensity(settings.maxLostThreads, settings.maxLostSeconds)
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
      const ports: { id: number; port: MessagePort }[][] = []
      const count = this.#settings.schedulers
      for (let i = 0; i < count; i++) ports.push([])
      for (let a = 0; a < count; a++) {
        for (let b = a + 1; b < count; b++) {
          const { port1, port2 } = new MessageChannel()
          ports[a]?.push({ id: b + 1, port: port1 })
          ports[b]?.push({ id: a + 1, port: port2 })
        }
      }
      const threads = ports.map((peers, i) => this.#launch(i + 1, peers))
      for (const thread of threads) this.#scheduler.board.claim(thread.slot, thread.id)
      const exported = await Promise.all(threads.map((thread) => this.#bootThread(thread)))
      const lostThread = Promise.race(threads.map((thread) => thread.lostDuringBoot()))
      await Promise.race([this.#startTree(this.#checkTree(exported[0])), lostThread])
      for (const thread of threads) this.#watch(thread)
    } catch (error) {
      await this.#endThreads()
      this.#scheduler.close()
      throw error
    }
  }

  #launch(slot: number, peers: readonly { id: number; port: MessagePort }[]): Thread {
    const id = this.#nextId++
    if (id >= MAX_SCHEDULERS) {
      throw new BeamishError('BEAMISH_SCHEDULER_IDS_SPENT', { limit: MAX_SCHEDULERS })
    }
    const thread = new Thread(this.#scheduler, this.#settings, this.#secret, id, slot, peers)
    this.#threads[slot] = thread
    return thread
  }

  async #bootThread(thread: Thread): Promise<unknown> {
    const started = performance.now()
    const exported = await thread.boot(this.#settings)
    this.#scheduler.board.setReady(thread.slot)
    const bootMs = performance.now() - started
    publish('schedulerUp', () => ({ scheduler: thread.id, bootMs }))
    return exported
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

  #watch(thread: Thread): void {
    void thread.ended.then((end) => {
      if (end.cause !== 'stopped') void this.#lost(thread, end)
    })
  }

  /** A thread is gone: what it said last is heard, its names are free, then everybody is told, then it is replaced. */
  async #lost(thread: Thread, end: ThreadEnd): Promise<void> {
    const { id, slot } = thread
    const scheduler = this.#scheduler
    publish('schedulerLost', () => ({ scheduler: id, cause: end.cause, message: end.message }))
    scheduler.peers.port(id)?.drain()
    scheduler.board.clear(slot)
    scheduler.names.releaseScheduler(id)
    const reason: ExitReason = { noconnection: { scheduler: id, cause: end.cause } }
    for (const other of scheduler.peers.ids()) {
      if (other !== id) scheduler.peers.push4(other, Op.Lost, NO_PID, id, reason)
    }
    lost(scheduler, id, reason)
    scheduler.peers.flush()
    this.#threads[slot] = undefined
    // Those who wait for it while the node stops have been told; nobody needs another.
    if (this.#stopping !== undefined) return
    if (!this.#losses.add(scheduler.host.now())) {
      await this.#fail(
        new BeamishError('BEAMISH_THREADS_LOST', {
          max: this.#settings.maxLostThreads,
          seconds: this.#settings.maxLostSeconds,
          message: end.message,
        }),
      )
      return
    }
    await this.#replace(slot)
  }

  async #replace(slot: number): Promise<void> {
    try {
      const peers: { id: number; port: MessagePort }[] = []
      const offers: { thread: Thread; port: MessagePort }[] = []
      for (const thread of this.#threads) {
        if (thread === undefined) continue
        const { port1, port2 } = new MessageChannel()
        peers.push({ id: thread.id, port: port1 })
        offers.push({ thread, port: port2 })
      }
      const replacement = this.#launch(slot, peers)
      for (const { thread, port } of offers) {
        this.#scheduler.peers.offer(thread.id, replacement.id, port)
      }
      for (const [name, pid] of this.#scheduler.names.entries()) {
        this.#scheduler.peers.push4(replacement.id, Op.NameSet, NO_PID, name, pid)
      }
      this.#scheduler.peers.flush()
      // Only now: whoever finds it on the board finds its port, too.
      this.#scheduler.board.claim(slot, replacement.id)
      this.#watch(replacement)
      await this.#bootThread(replacement)
      if (this.#stopping === undefined) this.self.cast(ROOT_NAME, 'threadUp', replacement.id)
    } catch (error) {
      if (this.#stopping !== undefined) return
      if (error instanceof BeamishError && error.code === 'BEAMISH_SCHEDULER_IDS_SPENT') {
        await this.#fail(error)
        return
      }
      publish('notice', () => ({
        level: 'error',
        code: 'replacement_failed',
        message: error instanceof Error ? error.message : String(error),
      }))
      await this.#threads[slot]?.terminate()
    }
  }

  /** Ids of the scheduler threads that run processes: not those lost, nor a replacement that has yet to boot. */
  schedulers(): number[] {
    const { board } = this.#scheduler
    return this.#threads.flatMap((thread) =>
      thread === undefined || !board.isReady(thread.slot) ? [] : [thread.id],
    )
  }

  /** Counts of each thread; one that ends meanwhile is left out. */
  async stats(): Promise<ThreadStats[]> {
    const live = this.#threads.filter((thread) => thread !== undefined)
    const answers = await Promise.allSettled(live.map((thread) => thread.control.stats()))
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
  }

  /** Where the app's endpoints listen. Rejects with BEAMISH_NODE_STOPPED after stop(). */
  addresses(): Promise<Address[]> {
    // A dead process's call never resolves, and the outside died with the node.
    if (!this.#outside.alive) return Promise.reject(new BeamishError('BEAMISH_NODE_STOPPED'))
    return this.self.call(Ports.named(PORTS_NAME), 'addresses')
  }

  /** Ends a thread the hard way, as an accident would. For tests of what the survivors see. */
  killThread(scheduler: number): void {
    this.#threads.find((thread) => thread?.id === scheduler)?.kill()
  }

  /**
   * Stops in order: every thread closes its listeners, then all drain, then the tree stops in reverse of its start. What
   * is not done within shutdownTimeoutMs is ended by force. Resolves when no thread is left.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop().finally(() => this.#close(undefined))
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const deadline = performance.now() + this.#settings.shutdownTimeoutMs
    const left = (): number => Math.max(0, deadline - performance.now())
    const threads = this.#threads.filter((thread) => thread !== undefined)
    const share = Math.min(STOP_ACCEPTING_MS, left())
    await Promise.allSettled(threads.map((thread) => thread.control.stopAccepting(share)))
    const forDraining = Math.max(0, left() - TREE_SHARE_MS)
    await Promise.allSettled(threads.map((thread) => thread.control.drain(forDraining)))
    if (this.#root?.alive) {
      await this.self.stop(this.#root.pid, 'shutdown', { timeoutMs: left() }).catch(() => {})
    }
    await this.#endThreads()
    this.#scheduler.close()
  }

  async #endThreads(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread?.terminate()))
    this.#threads.fill(undefined)
    this.#endLog()
  }

  async #fail(error: BeamishError): Promise<void> {
    if (this.#stopping !== undefined) return
    publish('notice', () => ({ level: 'error', code: error.code, message: error.message }))
    this.#stopping = this.#endThreads().then(() => this.#scheduler.close())
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
