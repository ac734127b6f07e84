/**
 * A scheduler runs processes: a run queue drained by budgets, the process table, timers, and the ports to its peers. It is
 * an object, not a module global: a real node has one per worker thread, a test may hold several in one thread.
 *
 * Longer than 400 lines because a turn and all that ends one stand together: what a message costs can be read in one place.
 */
import { BeamishError } from '../errors.ts'
import { publish } from '../events.ts'
import {
  Exit,
  type ExitReason,
  formatReason,
  isPlanned,
  isShutdown,
  plain,
  reasonOf,
} from '../exit/reason.ts'
import { Sleepers } from '../hibernation/sleepers.ts'
import { NOTHING } from '../process/attendant.ts'
import { type Behaviour, findBehaviour } from '../process/behaviour.ts'
import type { Flags } from '../process/flags.ts'
import type { Link } from '../process/links.ts'
import {
  NO_PID,
  type Pid,
  type Ref,
  RefSource,
  schedulerOf,
  schedulerOfRef,
} from '../process/pid.ts'
import { Process, type StartResult, Status } from '../process/process.ts'
import { Slots } from '../process/slots.ts'
import { runAs, type Stray } from '../process/strays.ts'
import { PubSub } from '../pubsub/pubsub.ts'
import { Registries } from '../registry/registries.ts'
import type { Board } from './board.ts'
import { Clock } from './clock.ts'
import { crashReport } from './crashReport.ts'
import type { Host } from './host.ts'
import type { Journal } from './journal.ts'
import { Names } from './names.ts'
import { Op } from './ops.ts'
import { admit } from './overload.ts'
import { Peers } from './peers.ts'
import { noSuchScheduler } from './receive.ts'
import { RunQueue } from './runQueue.ts'
import { announceExit } from './signals.ts'
import { isThenable } from './thenable.ts'
import type { TimerQueue } from './timers.ts'
import type { Tracer } from './tracer.ts'
import { Turns } from './turns.ts'

export interface SchedulerOptions {
  readonly id: number
  readonly host: Host
  /** Clones and freezes every message at the send, as if all processes were on other threads. */
  readonly development?: boolean
  readonly board: Board
  /** Its slot on the board. */
  readonly slot: number
  /** Messages one process may handle before the next one runs. Default 256. */
  readonly messageBudget?: number
  /** Milliseconds a turn may take before I/O gets its chance. Default 4. */
  readonly turnBudgetMs?: number
  /** Where its timers wait. */
  readonly timers?: TimerQueue | undefined
}

interface Waiter {
  readonly pid: Pid
  readonly ref: Ref
}

/** How a process comes into being; the kernel's form, see Self for the public one. */
export interface SpawnRequest {
  readonly parent: Pid
  readonly ancestors: readonly Pid[]
  readonly groupLeader?: Pid | undefined
  readonly link?: { readonly pid: Pid; readonly link: Link } | undefined
  readonly watcher?: Waiter | undefined
  /** Who waits for the outcome of init. */
  readonly ack?: Waiter | undefined
  readonly name?: string | undefined
  readonly flags?: Flags | undefined
}

const begin = (process: Process): unknown => process.begin()

const DEFAULT_MESSAGE_BUDGET = 256
const DEFAULT_TURN_BUDGET_MS = 4

export class Scheduler {
  readonly id: number
  readonly host: Host
  readonly development: boolean
  readonly board: Board
  readonly slot: number
  /** What main reads of this thread when it does not answer. */
  readonly journal: Journal
  readonly slots: Slots<Process>
  readonly refs: RefSource
  readonly clock: Clock
  readonly names: Names
  readonly peers: Peers
  readonly pubsub: PubSub
  readonly registries: Registries
  readonly sleepers: Sleepers
  /** The process whose code runs now; undefined between processes and in continuations. */
  current: Process | undefined
  /** Is told of every step; see tracer.ts. */
  tracer: Tracer | undefined = undefined
  /** Messages that full mailboxes did not take since the start. */
  dropped = 0
  /** Ids of the LINK signals sent from here. */
  linkIds = 0

  readonly #messageBudget: number
  readonly #queue = new RunQueue<Process>()
  readonly #turns: Turns
  readonly #exits: Process[] = []
  #exiting = false
  #handled = 0
  /** A promise was settled: whoever awaits it goes on only once the run queue has paused. */
  awaited = false
  #paused = false
  /** Messages beyond the first that receive() may still hand over at once in this turn; others go through the run queue. */
  receivesLeft: number

  constructor(options: SchedulerOptions) {
    this.id = options.id
    this.host = options.host
    this.development = options.development ?? false
    this.#messageBudget = options.messageBudget ?? DEFAULT_MESSAGE_BUDGET
    this.receivesLeft = this.#messageBudget - 1
    const queue = this.#queue
    this.#turns = new Turns(this.host, options.turnBudgetMs ?? DEFAULT_TURN_BUDGET_MS, {
      drain: () => this.#drain(),
      turned: () => this.#turned(),
      get busy() {
        return !queue.empty
      },
    })
    this.slots = new Slots(this.id)
    this.refs = new RefSource(this.id)
    this.clock = new Clock(this.host, this.refs, options.timers)
    this.names = new Names(this)
    this.peers = new Peers(this)
    this.board = options.board
    this.slot = options.slot
    this.journal = options.board.journal(options.slot)
    this.pubsub = new PubSub(this, options.board, options.slot)
    this.registries = new Registries(this)
    this.sleepers = new Sleepers(this)
  }

  get processCount(): number {
    return this.slots.size
  }

  /** Messages handled since the start. */
  get handled(): number {
    return this.#handled
  }

  /** Processes that wait for their turn. */
  get runnable(): number {
    return this.#queue.length
  }

  find(pid: Pid): Process | undefined {
    return this.slots.get(pid)
  }

  spawn(behaviour: Behaviour, argument: unknown, request: SpawnRequest): Process {
    const pid = this.slots.reserve()
    if (pid === NO_PID) {
      throw new BeamishError('BEAMISH_PROCESS_LIMIT', {
        scheduler: this.id,
        limit: this.slots.size,
      })
    }
    const process = new Process(this, pid, behaviour, argument, request)
    this.slots.put(process)
    this.board.setLoad(this.slot, this.slots.size)
    this.tracer?.spawned(process, request.name)
    this.enqueue(process)
    return process
  }

  /** The behaviour of that name, or an Exit that says how to make it known. */
  behaviour(name: string): Behaviour {
    const behaviour = findBehaviour(name)
    if (behaviour === undefined) {
      throw new Exit(
        reasonOf(
          new BeamishError('BEAMISH_BEHAVIOUR_UNKNOWN', { name: `"${name}"`, scheduler: this.id }),
        ),
      )
    }
    return behaviour
  }

  /** deliver, of what a suspended process serves all the same: requests of sys, a stop, the end of its parent. */
  deliverUrgent(process: Process, message: unknown): void {
    const { attendant } = process
    if (attendant?.takes(process, message) !== true) this.deliver(process, message)
    else if (process.status === Status.Idle) this.enqueue(process)
  }

  /** Puts a message into a local mailbox, unless that is full. Never fails, never runs the receiver. */
  deliver(process: Process, message: unknown): void {
    if (process.status === Status.Dead) return
    const { mailbox } = process
    if (mailbox.length >= mailbox.mark && !admit(process, message)) return
    mailbox.push(message)
    this.tracer?.delivered(process, message)
    if (process.status === Status.Idle || process.receiver !== undefined) this.enqueue(process)
  }

  /** Hands an answer to what awaits it. If nothing does, or no longer, it goes nowhere. */
  answered(to: Pid, ref: Ref, value: unknown, watched: boolean): void {
    this.find(to)?.pending?.get(ref)?.reply(value, watched)
  }

  enqueue(process: Process): void {
    if (process.queued) return
    process.queued = true
    this.#queue.push(process)
    this.wake()
  }

  /** Makes sure a turn comes. */
  wake(): void {
    this.#turns.wake()
  }

  /** Runs `flush` once at the end of this turn (or of the next, outside of one): for writes that leave together. */
  atTurnEnd(flush: () => void): void {
    this.#turns.atEnd(flush)
  }

  #drain(): void {
    const { time } = this.#turns
    this.awaited = this.#paused = false
    while (!time.turnOver && !this.#paused) {
      const process = this.#queue.shift()
      if (process === undefined) break
      process.queued = false
      if (process.containStrays) runAs(process, this.#runOwn, process)
      else this.#run(process)
      time.tick()
    }
  }

  #turned(): void {
    this.receivesLeft = this.#messageBudget - 1
    this.peers.flush()
  }

  readonly #runOwn = (process: Process): void => this.#run(process)

  #run(process: Process): void {
    if (process.status === Status.Dead) return
    process.ranIn = this.#turns.count
    this.journal.runs(process)
    if (process.receiver !== undefined) {
      this.runCode(process, process.receiver)
      return
    }
    if (process.status === Status.Suspended) return
    this.current = process
    let budget = this.#messageBudget
    const time = this.#turns.time
    time.slice()
    if (process.status === Status.Starting) {
      this.journal.notes('init')
      this.#step(process, begin)
      // Its description may say more now that it has a state.
      process.label = 0
      budget--
    }
    const behaviour = process.behaviour
    while (
      process.status === Status.Idle &&
      (process.mailbox.length > 0 || process.attendant?.urgent === true)
    ) {
      if (budget-- <= 0 || time.sliceOver || time.turnOver) {
        this.enqueue(process)
        // One with endless messages must not fill the turn while others wait for a pause.
        this.#paused = this.awaited
        break
      }
      const { attendant } = process
      let message: unknown
      if (attendant === undefined) {
        message = process.mailbox.shift()
        process.lastMessage = message
      } else {
        message = attendant.next(process)
        if (message === NOTHING) break
      }
      time.tick()
      this.#handled++
      this.journal.handles(message)
      process.status = Status.Running
      try {
        this.tracer?.handles(process, message)
        const result =
          attendant === undefined
            ? behaviour.handle(process, message)
            : attendant.handle(process, message)
        if (isThenable(result)) this.#suspend(process, result)
        else if (process.status === Status.Running) process.status = Status.Idle
      } catch (thrown) {
        this.crash(process, thrown, message)
      }
    }
    this.current = undefined
  }

  #step(process: Process, step: (process: Process) => unknown): void {
    process.status = Status.Running
    try {
      const result = this.runCode(process, step)
      if (isThenable(result)) this.#suspend(process, result)
      else this.#resume(process)
    } catch (thrown) {
      this.crash(process, thrown, undefined)
    }
  }

  /** Runs code of a process that is no message's handler: what it does to the world is that process's doing. */
  runCode<R>(process: Process, step: (process: Process) => R): R {
    const before = this.current
    this.current = process
    try {
      return process.containStrays ? runAs(process, step, process) : step(process)
    } finally {
      this.current = before
    }
  }

  #suspend(process: Process, promise: PromiseLike<unknown>): void {
    if ((process.status as Status) === Status.Dead) {
      promise.then(undefined, () => {})
      return
    }
    process.status = Status.Suspended
    const message = process.lastMessage
    promise.then(
      () => this.#resume(process),
      (thrown: unknown) => this.crash(process, thrown, message),
    )
  }

  #resume(process: Process): void {
    if (process.status === Status.Dead) return
    process.status = Status.Idle
    process.ranIn = this.#turns.count
    if (process.mailbox.length > 0 || process.attendant?.urgent === true) this.enqueue(process)
  }

  /** A throw or rejection in user code: the behaviour may run terminate, then the process exits. */
  crash(process: Process, thrown: unknown, message: unknown): void {
    if (process.status === Status.Dead) return
    const { crashed } = process.behaviour
    if (crashed !== undefined && !process.crashing) {
      process.crashing = true
      this.#step(process, () => crashed.call(process.behaviour, process, thrown, message))
      return
    }
    const reason = plain(reasonOf(thrown))
    this.report(process, reason, message)
    this.exit(process, reason)
  }

  /** Emits the crash report of a process, unless its end is an orderly one. `stray`: it was no handler that failed. */
  report(process: Process, reason: ExitReason, message: unknown, stray?: Stray): void {
    if (isShutdown(reason) || isPlanned(reason)) return
    if (process.attendant?.hibernated === true) {
      process.attendant.wake(process)
      if (process.attendant.hibernated) process.attendant = undefined
    }
    publish('crash', () => crashReport(process, reason, message, stray))
  }

  /**
   * Ends a process at once. Whatever it still executes can no longer send, reply or change anything. A chain of links
   * is worked off in a loop, not by recursion: it may be as long as the process table.
   */
  exit(process: Process, reason: ExitReason): void {
    if (process.status === Status.Dead) return
    process.status = Status.Dead
    process.exitReason = reason
    this.tracer?.exited(process, reason)
    this.slots.remove(process.pid)
    this.board.setLoad(this.slot, this.slots.size)
    this.#exits.push(process)
    if (this.#exiting) return
    this.#exiting = true
    for (let i = 0; i < this.#exits.length; i++) {
      try {
        announceExit(this, this.#exits[i] as Process)
      } catch (thrown) {
        // What listens to one death must not keep the next from being told.
        publish('notice', () => ({
          level: 'error',
          code: 'exit_listener',
          message: `what listened to the end of a process threw: ${formatReason(reasonOf(thrown))}`,
        }))
      }
    }
    this.#exits.length = 0
    this.#exiting = false
  }

  /** The outcome of a process's init goes to whoever waits for it. */
  started(process: Process, result: StartResult): void {
    const { ack } = process
    if (ack === undefined) return
    process.ack = undefined
    if (schedulerOf(ack.pid) !== this.id) {
      this.peers.push5(schedulerOf(ack.pid), Op.Started, process.pid, ack.pid, ack.ref, result)
    } else this.find(ack.pid)?.pending?.get(ack.ref)?.reply(result, false)
  }

  /** A signal for a scheduler that is gone. */
  noSuchScheduler(op: number, from: Pid, a: unknown, b: unknown): void {
    noSuchScheduler(this, op, from, a, b)
  }

  /** Cancels a timer here, or asks the thread that made it to. */
  cancelTimer(by: Pid, ref: Ref): number | false {
    const home = schedulerOfRef(ref)
    if (home === this.id) return this.clock.cancelAndRead(ref)
    this.peers.push4(home, Op.CancelTimer, by, ref, 0)
    return false
  }

  /** Ends every process without further ado and disarms the clock: the last thing a scheduler does. */
  close(): void {
    for (const process of [...this.slots]) this.exit(process, 'shutdown')
    this.clock.stop()
    this.peers.flush()
    this.peers.close()
  }
}
