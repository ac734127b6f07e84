/** A node for tests: several schedulers in one thread, virtual time, a seeded schedule, and a timeline of all that happened. */
import {
  APPLICATIONS,
  type ApplicationResult,
  BOOT,
  controllerBehaviour,
} from '../application/controller.ts'
import { applicationsOf, startError } from '../application/outcome.ts'
import { type Application, isApplication } from '../application/spec.ts'
import { BeamishError } from '../errors.ts'
import type { ExitReason } from '../exit/reason.ts'
import { makeLocalNode } from '../node/local.ts'
import { ROOT_NAME, rootBehaviour, THREAD_UP } from '../node/root.ts'
import type { Behaviour } from '../process/behaviour.ts'
import type { DownMessage } from '../process/messages.ts'
import { type Destination, NO_PID, type Pid, type Ref } from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import type { ArgumentOf, ProtocolOf } from '../process/protocol.ts'
import { anonymous, type RawBody } from '../process/raw.ts'
import { Self, type SpawnOptions } from '../process/self.ts'
import { LOCKS_NAME, Locks } from '../registry/locks.ts'
import { checkDelay } from '../scheduler/delay.ts'
import type { ChildSpec } from '../supervisor/childSpec.ts'
import { type SupervisorTree, supervisor, whole } from '../supervisor/spec.ts'
import { type AssertOptions, Asserts } from './asserts.ts'
import { DrawnChoice } from './choice.ts'
import { Driver } from './driver.ts'
import type { TimelineEvent } from './events.ts'
import { Faults } from './faults.ts'
import type { Match } from './match.ts'
import { checkKnown, NoDirty } from './notSimulated.ts'
import { Recorder } from './recorder.ts'
import { Simulation } from './simulation.ts'
import { abridged, type Named, namesOf, timelineMermaid, timelineText } from './timeline.ts'

export interface TestNodeOptions {
  /** Scheduler threads beside main. Default 2. */
  readonly schedulers?: number
  /** Which of all the schedules the semantics allow. Default 1. */
  readonly seed?: number
  /** Only so many choices are drawn from the seed; what comes after goes in plain order. Default: all. See explore(). */
  readonly draws?: number
  /** Children of a root supervisor with the default strategy. */
  readonly children?: readonly (ChildSpec | SupervisorTree)[]
  /** What the module of an app exports as default: a supervision tree, or an application with those it needs. */
  readonly app?: SupervisorTree | Application
  /** Clones and freezes messages at the send, as start() does outside of production. Default true. */
  readonly development?: boolean
  /** Time moves by itself while the test awaits something that only time can bring. Default true. */
  readonly autoAdvance?: boolean
  /** Steps that one await of the test may take. Default 100,000. */
  readonly maxSteps?: number
}

/** What happened on a test node: as text when called, as data, as a diagram. */
export interface Timeline {
  (): string
  /** In the order they happened; a message stands where it was sent. */
  readonly events: readonly TimelineEvent[]
  /** A Mermaid sequence diagram. */
  toMermaid(): string
  /** Forgets what has been until now. */
  clear(): void
}

const MAX_SCHEDULERS = 64
const IDENTITY = { secret: 'the secret of a test node, known to everybody', life: 'test' }
/** As start() has it. */
const SHUTDOWN_TIMEOUT_MS = 30_000

/** What the outside awaits by itself drives the node, too. */
interface Awaits {
  advance(ms: number): Promise<void>
  next(match: (message: unknown) => boolean): Promise<unknown>
  received<T>(message: () => Promise<T>): Promise<T>
}

/** The outside, whose sleep is virtual time, and whose receive() ends when nothing is left to happen. */
class TestSelf extends Self {
  readonly #awaits: Awaits
  constructor(process: Process, awaits: Awaits) {
    super(process)
    this.#awaits = awaits
  }

  override receive<T>(match: (message: unknown) => message is T): Promise<T>
  override receive<T>(
    match: (message: unknown) => message is T,
    timeoutMs: number,
  ): Promise<T | undefined>
  override receive(match?: (message: unknown) => boolean, timeoutMs?: number): Promise<unknown>
  override receive(match = (_: unknown): boolean => true, timeoutMs?: number): Promise<unknown> {
    if (timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY) {
      return this.#awaits.next(match)
    }
    return this.#awaits.received(() => super.receive(match, timeoutMs))
  }

  override sleep(ms: number): Promise<void> {
    return this.#awaits.advance(ms)
  }
}

export class TestNode {
  /** The outside as a process: raw, traps exits. Awaiting its calls drives the node. */
  readonly self: Self
  readonly seed: number
  readonly faults: Faults
  readonly timeline: Timeline
  readonly #choice: DrawnChoice
  readonly #simulation: Simulation
  readonly #driver: Driver
  readonly #recorder: Recorder
  readonly #outside: Process
  readonly #asserts: Asserts

  /** Made by testNode(). */
  constructor(options: TestNodeOptions) {
    checkKnown(options)
    const { schedulers = 2, seed = 1, development = true, autoAdvance = true } = options
    const count = whole('schedulers', schedulers, 1)
    if (count > MAX_SCHEDULERS) throw tooMany(count)
    this.seed = whole('seed', seed, 0)
    const maxSteps = whole('maxSteps', options.maxSteps ?? 100_000, 1)
    const { draws = Number.POSITIVE_INFINITY } = options
    if (draws !== Number.POSITIVE_INFINITY) whole('draws', draws, 0)
    this.#choice = new DrawnChoice(this.seed, draws)
    let simulation: Simulation
    let driver: Driver | undefined
    this.#recorder = new Recorder(() => simulation?.nowMs ?? 0)
    this.faults = new Faults(this.#recorder, () => simulation)
    simulation = new Simulation(count + 1, {
      choose: this.#choice.choose,
      seed: this.seed,
      development,
      messageBudget: 1,
      tracer: this.#recorder,
      interference: this.faults,
      stirred: () => driver?.stir(),
      lost: (scheduler, cause) => {
        const reason: ExitReason = { noconnection: { scheduler, cause } }
        this.#recorder.threadLost(scheduler, reason)
      },
      up: (scheduler) => this.#up(scheduler),
    })
    this.#simulation = simulation
    for (const scheduler of simulation.schedulers) makeLocalNode(scheduler, IDENTITY, new NoDirty())
    const body = anonymous(function outside() {
      return new Promise(() => {})
    })
    const origin = { parent: NO_PID, ancestors: [] }
    this.#outside = simulation.scheduler(0).spawn(body, undefined, origin)
    this.#recorder.clear()
    this.#outside.trapExit = true
    this.#outside.outside = true
    driver = new Driver(simulation, { autoAdvance, maxSteps }, () => this.#outside)
    this.#driver = driver
    this.self = new TestSelf(this.#outside, {
      advance: (ms) => this.advance(ms),
      next: (match) => this.#asserts.next(match),
      received: (message) => this.#driver.received(message),
    })
    this.timeline = this.#makeTimeline()
    this.#asserts = new Asserts({
      simulation,
      driver,
      recorder: this.#recorder,
      outside: this.#outside,
      timeline: () => `${abridged(this.timeline())}\n\nseed ${this.seed}`,
    })
  }

  #makeTimeline(): Timeline {
    const recorder = this.#recorder
    const { pid } = this.#outside
    const named = (): Named => namesOf(recorder.born.values(), pid)
    const text = (): string => timelineText(recorder.told(), named())
    return Object.defineProperties(text, {
      events: { get: () => recorder.told() },
      toMermaid: { value: () => timelineMermaid(recorder.told(), named()) },
      clear: { value: () => recorder.clear() },
    }) as unknown as Timeline
  }

  /** Starts the tree. Used by testNode(). */
  async boot({ app, children }: TestNodeOptions): Promise<void> {
    await this.self.start(Locks, undefined, { name: LOCKS_NAME })
    // No part of what is tested.
    this.#recorder.clear()
    if (isApplication(app)) return this.#bootApplications(app)
    const tree = app ?? (children === undefined ? undefined : supervisor({ children }))
    if (tree === undefined) return
    await this.self.start(rootBehaviour, tree.argument, { name: ROOT_NAME })
  }

  async #bootApplications(app: Application): Promise<void> {
    const applications = applicationsOf(app, 'of the test')
    const argument = { applications, shutdownTimeoutMs: SHUTDOWN_TIMEOUT_MS }
    await this.self.start(controllerBehaviour, argument, { name: APPLICATIONS })
    this.#recorder.clear()
    const timeoutMs = Number.POSITIVE_INFINITY
    const asked = this.self.call(APPLICATIONS, BOOT, undefined as never, { timeoutMs })
    const result = (await asked) as ApplicationResult
    if (!result.ok) throw startError(result)
  }

  /** Who keeps what runs: the applications, or the one tree. */
  get #top(): string {
    const { names } = this.#simulation.scheduler(0)
    return names.find(APPLICATIONS) === undefined ? ROOT_NAME : APPLICATIONS
  }

  #up(scheduler: number): void {
    makeLocalNode(this.#simulation.scheduler(scheduler), IDENTITY, new NoDirty())
    this.#recorder.note('thread', `thread ${scheduler} is up in place of a lost one`)
    this.self.cast(this.#top, THREAD_UP, scheduler)
  }

  /** Virtual milliseconds since the start. */
  get now(): number {
    return this.#simulation.nowMs
  }

  /** Choices drawn from the seed until now. */
  get drawn(): number {
    return this.#choice.drawn
  }

  /** Steps done until now: turns of processes, batches that arrived, timers that rang. */
  get steps(): number {
    return this.#simulation.steps
  }

  /** Ids of the scheduler threads that run processes. */
  schedulers(): number[] {
    return this.#simulation.live()
  }

  /**
   * Starts a process and resolves with its pid once its init is through; on any thread, unless `place` says which. A function
   * is a raw process of a thread: the one with the fewest processes, or `scheduler`.
   */
  spawn(body: RawBody<undefined>, options?: { readonly scheduler?: number }): Promise<Pid>
  spawn<B extends Behaviour>(
    behaviour: B,
    argument: ArgumentOf<B>,
    options?: SpawnOptions,
  ): Promise<Pid<ProtocolOf<B>>>
  async spawn(
    behaviour: Behaviour | RawBody<undefined>,
    argument?: unknown,
    options: SpawnOptions = {},
  ): Promise<Pid> {
    if (typeof behaviour !== 'function') {
      return this.self.start(behaviour, argument as never, { place: 'any', ...options })
    }
    const where = (argument as { readonly scheduler?: number } | undefined)?.scheduler
    const target = where ?? this.#leastLoaded()
    if (target === undefined || !this.schedulers().includes(target)) {
      throw new BeamishError('BEAMISH_NO_SCHEDULER', { scheduler: target })
    }
    const { pid } = this.#outside
    const request = { parent: pid, ancestors: [pid] }
    return this.#simulation.scheduler(target).spawn(anonymous(behaviour), undefined, request).pid
  }

  /** Of those that run: main may not have heard of the last loss. */
  #leastLoaded(): number | undefined {
    const least = this.#simulation.board.leastLoaded()
    const live = this.schedulers()
    return least !== undefined && live.includes(least) ? least : live[0]
  }

  monitor(target: Destination): Ref {
    return this.self.monitor(target)
  }

  /** Sends an exit signal, as the outside. */
  exit(to: Pid, reason: ExitReason): void {
    this.self.exit(to, reason)
  }

  /** Lets so many virtual milliseconds pass: everything due on the way happens, in its order. */
  async advance(ms: number): Promise<void> {
    checkDelay(ms)
    await this.#driver.advance(ms)
  }

  /** Resolves when no process has anything left to do before time passes. */
  runUntilIdle(): Promise<void> {
    return this.#driver.idle()
  }

  /** Takes the first message to the outside that matches. */
  assertReceive<T = unknown>(match: Match, options?: AssertOptions): Promise<T> {
    return this.#asserts.receive(match, options) as Promise<T>
  }

  /** No such message comes to the outside within 100 ms of virtual time, or `withinMs`. */
  refuteReceive(match: Match, options?: AssertOptions): Promise<void> {
    return this.#asserts.refuteReceive(match, options)
  }

  /** The DOWN of a monitor of the outside comes, with that reason if one is given. */
  assertDown(ref: Ref, reason?: Match, options?: AssertOptions): Promise<DownMessage> {
    return this.#asserts.down(ref, reason, options)
  }

  /** A process ends, or has ended, with that reason if one is given; it need not be monitored. */
  assertExit(pid: Pid, reason?: Match, options?: AssertOptions): Promise<ExitReason> {
    return this.#asserts.exit(pid, reason, options)
  }

  /**
   * A supervisor has started a child again and its init is through; its new pid. `child` is its name, its id, or its behaviour's
   * name. Each call answers for one restart.
   */
  assertRestarted(child: string, options?: AssertOptions): Promise<Pid> {
    return this.#asserts.restarted(child, options)
  }

  /** A process ends, or has ended, with that reason, and its terminate callback ran or did not. */
  assertTerminated(
    pid: Pid,
    options: AssertOptions & { readonly reason?: Match; readonly terminateRan?: boolean } = {},
  ): Promise<ExitReason> {
    return this.#asserts.terminated(pid, options)
  }

  /** Stops the tree in order, then everything else. */
  async stop(): Promise<void> {
    const root = this.#simulation.scheduler(0).names.find(this.#top)
    if (root !== undefined) await this.self.stop(root, 'shutdown')
    await this.runUntilIdle()
    this.close()
  }

  /** Nothing runs any more from here on: for when a test is over. */
  close(): void {
    this.#driver.close()
  }
}

function tooMany(count: number): BeamishError {
  return new BeamishError('BEAMISH_BAD_OPTION', {
    option: 'schedulers',
    got: String(count),
    fix: `give a whole number from 1 to ${MAX_SCHEDULERS}`,
  })
}

/**
 * A node of several schedulers in this thread, whose time is virtual and whose schedule is drawn from a seed: the same test
 * with the same seed goes the same way. Awaiting anything of it drives it. It is main with the names and, given `children` or
 * an `app`, the root supervisor, as a real node has them; the watchdog, heaps, strays and endpoints are not simulated.
 *
 * @throws BEAMISH_BAD_OPTION, and what a child that does not start makes start() of the root throw
 * @example
 * ```ts
 * import { genServer } from 'beamish'
 * import { testNode } from 'beamish/testing'
 * const Counter = genServer('doc-test-counter', {
 *   init: (first: number) => ({ count: first }),
 *   handleCall: { read: (state) => state.count },
 * })
 * const node = await testNode({ schedulers: 2, seed: 7 })
 * const pid = await node.spawn(Counter, 40)
 * console.assert((await node.self.call(pid, 'read')) === 40)
 * const ref = node.monitor(pid)
 * node.exit(pid, 'boom')
 * await node.assertDown(ref, 'boom')
 * console.log(node.timeline())
 * ```
 */
export async function testNode(options: TestNodeOptions = {}): Promise<TestNode> {
  const node = new TestNode(options)
  await node.boot(options)
  return node
}
