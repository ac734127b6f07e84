/** The threads of a node: booted, watched, told of each other, replaced when lost, restarted on demand. */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { BeamishError } from '../errors.ts'
import { publish } from '../events.ts'
import { MAX_SCHEDULERS, NO_PID } from '../process/pid.ts'
import { Op } from '../scheduler/ops.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import { Intensity } from '../supervisor/intensity.ts'
import { forgetThread } from './forget.ts'
import type { NodeIdentity } from './local.ts'
import { describeLoss, threadLoss } from './loss.ts'
import type { Settings } from './options.ts'
import { isDebugged } from './stack.ts'
import { Thread, type ThreadEnd } from './thread.ts'
import { Watchdog } from './watchdog.ts'

const STOP_ACCEPTING_MS = 5_000
/** What is left of the time of a restart for the supervisors, once draining has had its share. */
const VACATE_SHARE_MS = 2_000
const FLUSH_TIMEOUT_MS = 1_000

/** Before the next attempt to replace a thread whose replacement did not load the app; doubled each time. */
const FIRST_PAUSE_MS = 100
const MAX_PAUSE_MS = 10_000

export interface ThreadsListener {
  /** A replacement is there, and has yet to load the app. */
  introduced(thread: Thread): void
  /** A thread is about to be replaced: what its supervisors run there ends in order, or moves. */
  leaving(scheduler: number, timeoutMs: number): Promise<void>
  /** Resolves when what is placed `each` is up on the replacements there are, or does not come up. */
  raised(): Promise<void>
  /** A replacement has loaded the app. */
  replaced(scheduler: number): void
  /** Too many were lost, or none can be made any more: the node ends. */
  failed(error: BeamishError): void
}

export class Threads {
  readonly #scheduler: Scheduler
  readonly #settings: Settings
  readonly #identity: NodeIdentity
  readonly #listener: ThreadsListener
  readonly #slots: (Thread | undefined)[]
  /** Declared dead, but not ended yet. */
  readonly #ending = new Set<Thread>()
  readonly #losses: Intensity
  readonly #watchdog: Watchdog
  readonly #stacks = new Map<number, readonly string[]>()
  /** Who waits for the replacement in a slot. */
  readonly #awaited = new Map<number, PromiseWithResolvers<number>>()
  /** Replacements in a row that did not load the app, by slot. */
  readonly #failedBoots: number[] = []
  readonly #pauses = new Set<ReturnType<typeof setTimeout>>()
  #restart: Promise<unknown> = Promise.resolve()
  #looks: ReturnType<typeof setInterval> | undefined
  #nextId = 1
  #replaces = true
  #closed = false

  constructor(
    scheduler: Scheduler,
    settings: Settings,
    identity: NodeIdentity,
    listener: ThreadsListener,
  ) {
    this.#scheduler = scheduler
    this.#settings = settings
    this.#identity = identity
    this.#listener = listener
    this.#slots = new Array<Thread | undefined>(settings.schedulers + 1).fill(undefined)
    this.#losses = new Intensity(settings.maxLostThreads, settings.maxLostSeconds)
    this.#watchdog = new Watchdog(settings.maxBlockedMs)
  }

  /** Those that are not lost, replacements that still boot included. */
  live(): Thread[] {
    return this.#slots.filter((thread) => thread !== undefined)
  }

  /** Ids of those that run processes. */
  ready(): number[] {
    const { board } = this.#scheduler
    return this.live().flatMap(({ id, slot }) => (board.isReady(slot) ? [id] : []))
  }

  find(id: number): Thread | undefined {
    return this.#slots.find((thread) => thread?.id === id)
  }

  /** Launches all threads and loads the app on each; what each module exports. */
  async boot(): Promise<unknown[]> {
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
    const { maxBlockedMs } = this.#settings
    if (maxBlockedMs !== Number.POSITIVE_INFINITY) {
      this.#looks = setInterval(() => this.#look(), Watchdog.lookMs(maxBlockedMs))
      this.#looks.unref()
    }
    const threads = ports.map((peers, i) => this.#launch(i + 1, peers))
    for (const thread of threads) this.#scheduler.board.claim(thread.slot, thread.id)
    return Promise.all(threads.map((thread) => this.#load(thread)))
  }

  /** Rejects when one is lost during the boot: nothing on it will answer any more. */
  lostDuringBoot(): Promise<never> {
    return Promise.race(
      this.live().map(async (thread) => {
        const end = await thread.lost
        if (end.cause === 'stopped') return new Promise<never>(() => {})
        const message = describeLoss(threadLoss(thread.id, end, thread.journal))
        throw new BeamishError('BEAMISH_BOOT_EXIT', { scheduler: thread.id, message })
      }),
    )
  }

  /** From here on a lost thread is replaced. */
  watch(): void {
    for (const thread of this.live()) this.#watch(thread)
  }

  #launch(slot: number, peers: readonly { id: number; port: MessagePort }[]): Thread {
    const id = this.#nextId++
    if (id >= MAX_SCHEDULERS) {
      throw new BeamishError('BEAMISH_SCHEDULER_IDS_SPENT', { limit: MAX_SCHEDULERS })
    }
    const thread = new Thread(this.#scheduler, this.#settings, this.#identity, id, slot, peers)
    this.#slots[slot] = thread
    return thread
  }

  async #load(thread: Thread): Promise<unknown> {
    const started = performance.now()
    const exported = await thread.boot(this.#settings)
    this.#scheduler.board.setReady(thread.slot)
    const bootMs = performance.now() - started
    publish('schedulerUp', () => ({ scheduler: thread.id, bootMs }))
    return exported
  }

  #watch(thread: Thread): void {
    void thread.lost.then((end) => {
      if (!this.#closed) this.#lost(thread, end)
    })
  }

  /** The watchdog's round: only threads that have loaded the app are expected to beat. */
  #look(): void {
    const beats = new Map<number, number>()
    if (!isDebugged()) {
      for (const { id, booted, journal } of this.live()) {
        if (booted) beats.set(id, journal.beats)
      }
    }
    const { suspects, stuck } = this.#watchdog.look(performance.now(), beats)
    for (const id of suspects) {
      this.#stacks.delete(id)
      void this.find(id)
        ?.stack()
        .then((stack) => {
          if (stack !== undefined) this.#stacks.set(id, stack)
        })
    }
    for (const { id, blockedMs } of stuck) {
      const stack = this.#stacks.get(id)
      this.find(id)?.declareDead({
        cause: 'stuck',
        message: `gave no sign of life for ${Math.round(blockedMs)} ms`,
        blockedMs: Math.round(blockedMs),
        ...(stack === undefined ? {} : { stack }),
      })
    }
  }

  /** A thread is gone: what it said last is heard, its names are free, then everybody is told, then it is replaced. */
  #lost(thread: Thread, end: ThreadEnd): void {
    const { id, slot } = thread
    const scheduler = this.#scheduler
    const loss = threadLoss(id, end, thread.journal)
    publish('schedulerLost', () => loss)
    this.#slots[slot] = undefined
    this.#stacks.delete(id)
    this.#awaitEnd(thread)
    forgetThread(scheduler, id, slot, end.cause)
    if (!this.#replaces) return
    this.#failedBoots[slot] = thread.booted ? 0 : (this.#failedBoots[slot] ?? 0) + 1
    // As long as others serve, one that cannot boot is tried again, ever more slowly, and costs them nothing.
    const counts = end.cause !== 'stopped' && (thread.booted || this.ready().length === 0)
    if (counts && !this.#losses.add(scheduler.host.now())) {
      this.#listener.failed(
        new BeamishError('BEAMISH_THREADS_LOST', {
          max: this.#settings.maxLostThreads,
          seconds: this.#settings.maxLostSeconds,
          message: describeLoss(loss),
        }),
      )
      return
    }
    void this.#replace(slot)
  }

  #awaitEnd(thread: Thread): void {
    const lostAt = performance.now()
    this.#ending.add(thread)
    void thread.ended.then(() => {
      this.#ending.delete(thread)
      const afterMs = performance.now() - lostAt
      publish('schedulerEnded', () => ({ scheduler: thread.id, afterMs }))
    })
  }

  async #replace(slot: number): Promise<void> {
    let replacement: Thread | undefined
    const failed = this.#failedBoots[slot] ?? 0
    if (failed > 0) await this.#pause(Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failed - 1)))
    if (!this.#replaces) return
    try {
      replacement = this.#introduce(slot)
      this.#watch(replacement)
      await this.#load(replacement)
      if (!this.#replaces) return
      this.#listener.replaced(replacement.id)
      this.#awaited.get(slot)?.resolve(replacement.id)
      this.#awaited.delete(slot)
    } catch (error) {
      if (!this.#replaces) return
      if (replacement === undefined) {
        this.#listener.failed(error as BeamishError)
        return
      }
      // One that ended by itself is lost already.
      const message = error instanceof Error ? error.message : String(error)
      replacement.declareDead({ cause: 'error', message })
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#pauses.delete(timer)
        resolve()
      }, ms)
      this.#pauses.add(timer)
    })
  }

  /** Launches a thread and makes it and the others known to each other. */
  #introduce(slot: number): Thread {
    const { peers: connections, names, board } = this.#scheduler
    const peers: { id: number; port: MessagePort }[] = []
    const offers: { to: number; port: MessagePort }[] = []
    for (const { id } of this.live()) {
      const { port1, port2 } = new MessageChannel()
      peers.push({ id, port: port1 })
      offers.push({ to: id, port: port2 })
    }
    const thread = this.#launch(slot, peers)
    for (const { to, port } of offers) connections.offer(to, thread.id, port)
    for (const [name, pid] of names.entries()) {
      connections.push4(thread.id, Op.NameSet, NO_PID, name, pid)
    }
    connections.flush()
    // Only now: whoever finds it on the board finds its port, too.
    board.claim(slot, thread.id)
    this.#listener.introduced(thread)
    return thread
  }

  /**
   * Replaces a thread in order: it stops accepting, drains, its children end or move, and what it has said is heard before
   * its end is told. Restarts run one after the other. Resolves with the id of the replacement once that has loaded the app.
   */
  restart(id: number, timeoutMs: number): Promise<number> {
    const restarted = this.#restart.then(() => this.#restartNow(id, timeoutMs))
    this.#restart = restarted.catch(() => {})
    return restarted
  }

  async #restartNow(id: number, timeoutMs: number): Promise<number> {
    const thread = this.find(id)
    const { board } = this.#scheduler
    if (!this.#replaces) throw new BeamishError('BEAMISH_NODE_STOPPED')
    if (thread === undefined || !board.isReady(thread.slot)) {
      throw new BeamishError('BEAMISH_NO_SCHEDULER', { scheduler: id })
    }
    const { slot, control } = thread
    const awaited = Promise.withResolvers<number>()
    this.#awaited.set(slot, awaited)
    const settled = awaited.promise.then(
      () => undefined,
      () => undefined,
    )
    const deadline = performance.now() + timeoutMs
    const left = (): number => Math.max(0, deadline - performance.now())
    board.setLeaving(slot)
    // One that is lost meanwhile is replaced all the same, and what does not end in time is ended by force.
    const ignore = (): void => {}
    // Replaced one after the other, threads are not all without what is placed `each` at the same time.
    await Promise.race([this.#listener.raised().catch(ignore), settled])
    await control.stopAccepting(Math.min(STOP_ACCEPTING_MS, left())).catch(ignore)
    await control.drain(Math.max(0, left() - VACATE_SHARE_MS)).catch(ignore)
    const late = (): string[] => ['what the root keeps there']
    const kept = this.#listener.leaving(id, left()).then((): string[] => [], late)
    const forced = await Promise.race([kept, settled])
    if (forced === undefined) return awaited.promise
    forced.push(...(await control.vacate(left()).catch((): string[] => [])))
    if (forced.length > 0) {
      publish('notice', () => ({
        level: 'warn',
        code: 'restart_forced',
        message: `scheduler ${id} is replaced before all of it has ended: ${forced.join(', ')}`,
      }))
    }
    await control.flush(FLUSH_TIMEOUT_MS).catch(ignore)
    thread.declareDead({ cause: 'stopped', message: 'restarted' })
    const replacement = await awaited.promise
    // The next one may go only when this one serves.
    await this.#listener.raised().catch(ignore)
    return replacement
  }

  /** From here on a lost thread is told of, but not replaced: the node stops. */
  replaceNone(): void {
    this.#replaces = false
    for (const { reject } of this.#awaited.values())
      reject(new BeamishError('BEAMISH_NODE_STOPPED'))
    this.#awaited.clear()
  }

  /**
   * Ends all, and waits for it; one in a native call for `timeoutMs` at most. Resolves with the ids of those that have not
   * ended: as long as they run, the operating system process cannot exit in order.
   */
  async end(timeoutMs: number): Promise<number[]> {
    this.replaceNone()
    this.#closed = true
    clearInterval(this.#looks)
    for (const timer of this.#pauses) clearTimeout(timer)
    const left = new Set([...this.live(), ...this.#ending])
    const ends = [...left].map((thread) => thread.terminate().then(() => left.delete(thread)))
    this.#slots.fill(undefined)
    let timer: ReturnType<typeof setTimeout> | undefined
    const limit = new Promise((resolve) => {
      timer = setTimeout(resolve, timeoutMs)
    })
    await Promise.race([Promise.all(ends), limit])
    clearTimeout(timer)
    return [...left].map((thread) => thread.id)
  }
}
