/**
 * The record of one process, kernel side. The tables it may never need (links, monitors, timers …) are made on first
 * use, and so is `self`, the context that user code sees.
 */
import type { AsyncResource } from 'node:async_hooks'
import { BeamishError } from '../errors.ts'
import { type ExitReason, reasonOf } from '../exit/reason.ts'
import type { IdleWatch } from '../hibernation/sleepers.ts'
import type { OwnedTimer } from '../scheduler/clock.ts'
import { limitHeap } from '../scheduler/heapLimit.ts'
import type { NameTaken } from '../scheduler/names.ts'
import type { Scheduler, SpawnRequest } from '../scheduler/scheduler.ts'
import type { Aliases } from './aliases.ts'
import type { Attendant } from './attendant.ts'
import type { Behaviour } from './behaviour.ts'
import { type Flags, type MailboxLimit, mailboxLimit, Rank, rankOf } from './flags.ts'
import type { Link } from './links.ts'
import { Mailbox } from './mailbox.ts'
import type { Pid, Ref } from './pid.ts'
import { RefMap } from './refMap.ts'
import { Self } from './self.ts'
import { asNobody, runAs } from './strays.ts'
import type { Waiting } from './waiting.ts'

export const Status = {
  Starting: 0,
  Idle: 1,
  Running: 2,
  /** A promise of its handler is pending. */
  Suspended: 3,
  Dead: 4,
} as const
export type Status = (typeof Status)[keyof typeof Status]

/** What a monitor points at: a pid, or what its DOWN shows besides: the name it was found by, a tag instead of DOWN. */
export type MonitorTarget = Pid | WatchedAs

export interface WatchedAs {
  readonly pid: Pid
  readonly name: string | undefined
  readonly tag: string | undefined
}

export const targetPid = (target: MonitorTarget): Pid =>
  typeof target === 'number' ? target : target.pid

/** Something this process awaits from another: a reply, a pid, the outcome of an init. */
export interface Pending {
  /** Where the answer comes from: if that thread is lost, so is the answer. */
  readonly scheduler: number
  reply(value: unknown, watched: boolean): void
  down(reason: ExitReason): void
  /** No code of the process waits for it: the kernel only keeps an eye on somebody. */
  readonly standing?: boolean
  /** The one who waits is dead: undo what waiting set up elsewhere. */
  abandon(ref: Ref): void
}

/** The outcome of a start. */
export type StartResult =
  | { readonly ok: true; readonly pid: Pid }
  | { readonly ok: false; readonly reason: ExitReason; readonly ignored?: boolean }

const MAX_ANCESTORS = 16

/** Limits of behaviours: all processes of one have the same. */
const limits = new WeakMap<Flags, MailboxLimit>()

function limitFor(flags: Flags): MailboxLimit | undefined {
  let limit = limits.get(flags)
  if (limit === undefined && flags.mailbox !== undefined) {
    limit = mailboxLimit(flags.mailbox)
    limits.set(flags, limit)
  }
  return limit
}

export class Process {
  readonly scheduler: Scheduler
  readonly pid: Pid
  /** Another version of it after a code change. */
  behaviour: Behaviour
  readonly parent: Pid
  readonly ancestors: readonly Pid[]
  readonly mailbox = new Mailbox()

  status: Status = Status.Starting
  /** In the run queue. */
  queued = false
  /** undefined: its mailbox has no limit. */
  limit: MailboxLimit | undefined = undefined
  /** Which queue it waits in for its turn. */
  rank: Rank = Rank.Normal
  /** Messages its mailbox was too full for. */
  dropped = 0
  /** Number of its description in the thread's journal; 0: not looked up yet. */
  label = 0
  trapExit: boolean
  /** Who speaks for the group it was spawned into. */
  groupLeader: Pid | undefined
  /** A stray of its code ends this process, not its thread. */
  readonly containStrays: boolean
  /** Its registered name; set by the name table. */
  name: string | undefined = undefined
  exitReason: ExitReason = 'normal'
  /** The node's outside: no program of its own, so its mistakes cost it nothing but themselves. */
  outside = false
  /** init answered ignore(). */
  ignored = false
  /** Its behaviour already handles a crash: a second one ends it at once. */
  crashing = false
  /** What the behaviour keeps here. */
  state: unknown = undefined
  lastMessage: unknown = undefined
  /** A pending receive(): looks through the mailbox again. */
  receiver: (() => void) | undefined = undefined
  /** Who waits for the outcome of init. */
  ack: SpawnRequest['ack']
  links: RefMap<Pid, Link> | undefined = undefined
  monitors: RefMap<Ref, MonitorTarget> | undefined = undefined
  watchers: RefMap<Ref, Pid> | undefined = undefined
  aliases: Aliases | undefined = undefined
  pending: RefMap<Ref, Pending> | undefined = undefined
  /** The latest of the timers that end with this process; kept by the clock. */
  timers: OwnedTimer | undefined = undefined
  /** What its own code keeps beside its state. */
  dictionary: Map<unknown, unknown> | undefined = undefined
  /** A server's timeout while it waits for a message. */
  waiting: Waiting | undefined = undefined
  /** Stands between it and its messages; see attendant.ts. */
  attendant: Attendant | undefined = undefined
  /** The turn it ran in last: tells who is idle. */
  ranIn = 0
  /** Watches it for idleness. */
  idleWatch: IdleWatch | undefined = undefined
  /** Its keys in unique registries with their values; kept by the name table. */
  keys: Map<string, unknown> | undefined = undefined

  /** A task: who asked for it, then who asked for that one. */
  callers: readonly Pid[] | undefined = undefined

  /** Made by strays.ts on first use. */
  ownContext: AsyncResource | undefined = undefined

  #argument: unknown
  readonly #startName: string | undefined
  #lineage: readonly Pid[] | undefined
  #self: Self | undefined
  #abort: AbortController | undefined
  #onExit: ((reason: ExitReason) => void)[] | undefined

  constructor(
    scheduler: Scheduler,
    pid: Pid,
    behaviour: Behaviour,
    argument: unknown,
    request: SpawnRequest,
  ) {
    this.scheduler = scheduler
    this.pid = pid
    this.behaviour = behaviour
    this.parent = request.parent
    this.ancestors = request.ancestors
    this.trapExit = behaviour.trapExit ?? false
    this.containStrays = behaviour.containStrays ?? false
    this.ack = request.ack
    this.groupLeader = request.groupLeader
    const { flags } = request
    if (flags !== undefined) this.#raise({ ...behaviour.flags, ...flags })
    else if (behaviour.flags !== undefined) this.#raise(behaviour.flags, limitFor(behaviour.flags))
    this.#argument = argument
    this.#startName = request.name
    if (request.link !== undefined) {
      this.linksOrNew().set(request.link.pid, request.link.link)
    }
    if (request.watcher !== undefined) {
      this.watchersOrNew().set(request.watcher.ref, request.watcher.pid)
    }
  }

  #raise(
    { mailbox, priority, maxHeapBytes }: Flags,
    limit = mailbox === undefined ? undefined : mailboxLimit(mailbox),
  ): void {
    if (maxHeapBytes !== undefined) limitHeap(this, maxHeapBytes)
    if (priority !== undefined) this.rank = rankOf(priority)
    if (limit !== undefined) {
      this.limit = limit
      this.mailbox.watch(limit.highWater)
    }
  }

  get alive(): boolean {
    return this.status !== Status.Dead
  }

  /** Code of it waits for an answer. */
  get awaits(): boolean {
    if (this.pending === undefined) return false
    for (const one of this.pending.values()) if (one.standing !== true) return true
    return false
  }

  /** The ancestors of its children: itself, then its own. */
  get lineage(): readonly Pid[] {
    this.#lineage ??= [this.pid, ...this.ancestors].slice(0, MAX_ANCESTORS)
    return this.#lineage
  }

  linksOrNew(): RefMap<Pid, Link> {
    this.links ??= new RefMap()
    return this.links
  }

  monitorsOrNew(): RefMap<Ref, MonitorTarget> {
    this.monitors ??= new RefMap()
    return this.monitors
  }

  watchersOrNew(): RefMap<Ref, Pid> {
    this.watchers ??= new RefMap()
    return this.watchers
  }

  aliasesOrNew(): Aliases {
    this.aliases ??= new Map()
    return this.aliases
  }

  pendingOrNew(): RefMap<Ref, Pending> {
    this.pending ??= new RefMap()
    return this.pending
  }

  /** First step: takes its name, then runs the behaviour's start. */
  begin(): unknown {
    const argument = this.#argument
    this.#argument = undefined
    const name = this.#startName
    if (name === undefined) return this.behaviour.start(this, argument)
    return this.scheduler.names.register(this, name).then(
      () => {
        if (this.status === Status.Dead) return undefined
        return this.scheduler.runCode(this, () => this.behaviour.start(this, argument))
      },
      (error: unknown) => this.#unnamed(error),
    )
  }

  /** It did not get its name: nothing of it has run, so there is nothing to terminate (otp 65). */
  #unnamed(error: unknown): void {
    const taken = error instanceof BeamishError && error.code === 'BEAMISH_NAME_TAKEN'
    const reason = taken ? { alreadyStarted: (error as NameTaken).pid } : reasonOf(error)
    if (!taken) this.scheduler.report(this, reason, undefined)
    this.scheduler.exit(this, reason)
  }

  /** init is through: releases who waits for it. */
  ready(): void {
    if (this.ack !== undefined && this.status !== Status.Dead) {
      this.scheduler.started(this, { ok: true, pid: this.pid })
    }
  }

  /** Runs `listener`, as nobody's, when this process has ended; at once if it has. For kernel-side resources such as sockets. */
  onExit(listener: (reason: ExitReason) => void): void {
    if (this.status === Status.Dead) asNobody(listener, this.exitReason)
    else {
      // A literal has room for one; the first push makes room for many.
      if (this.#onExit === undefined) this.#onExit = [listener]
      else this.#onExit.push(listener)
    }
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      if (this.status === Status.Dead) this.#abort.abort(this.exitReason)
    }
    return this.#abort.signal
  }

  /** Its context, as user code sees it. */
  get self(): Self {
    this.#self ??= new Self(this)
    return this.#self
  }

  /** Lets go of what is made anew on first use: tables with nothing in them, its context, the room of its mailbox. */
  compact(): void {
    if (this.links?.size === 0) this.links = undefined
    if (this.monitors?.size === 0) this.monitors = undefined
    if (this.watchers?.size === 0) this.watchers = undefined
    if (this.pending?.size === 0) this.pending = undefined
    if (this.keys?.size === 0) this.keys = undefined
    this.lastMessage = undefined
    this.ownContext = undefined
    this.#self = undefined
    this.mailbox.clear()
  }

  /** Last act of its death: lets go of what it held and tells listeners within this thread. */
  released(reason: ExitReason): void {
    this.links = this.monitors = this.watchers = this.pending = this.aliases = undefined
    if (this.idleWatch !== undefined || this.attendant !== undefined) {
      this.scheduler.sleepers.forget(this)
    }
    this.receiver = this.attendant = this.waiting = undefined
    this.mailbox.clear()
    this.state = this.dictionary = undefined
    // A listener that throws is a stray of the dead, whoever ended it.
    if (this.#abort !== undefined) runAs(this, (why) => this.#abort?.abort(why), reason)
    const listeners = this.#onExit
    this.#onExit = undefined
    if (listeners !== undefined) for (const listener of listeners) asNobody(listener, reason)
  }
}
