/**
 * `self`: a process's own context. Everything a process does to the world goes through it, so sender, order and liveness are
 * known. Once the process is dead its operations do nothing, and what it awaits never resolves: a killed process's
 * continuation is dropped, finally blocks included (otp 15).
 *
 * Longer than 400 lines because it is the catalogue of all a process can do: one line of code to a docstring, mostly.
 */

import { BeamishError } from '../errors.ts'
import { Exit, type ExitReason, plain, safeText } from '../exit/reason.ts'
import type { Topic, TopicEvents } from '../pubsub/topic.ts'
import { CALL_TIMEOUT_MS, call, cast, reply, send, sendIsolated } from '../scheduler/calls.ts'
import { checkDelay } from '../scheduler/delay.ts'
import { type ProcessInfo, processInfo } from '../scheduler/info.ts'
import { isolate } from '../scheduler/isolate.ts'
import { type Placement, place } from '../scheduler/placement.ts'
import { alive, ask } from '../scheduler/queries.ts'
import { demonitor, link, monitor, sendExit, unlink } from '../scheduler/signals.ts'
import { StartError, type StartOptions, spawnHere, start } from '../scheduler/starts.ts'
import { stop } from '../scheduler/stops.ts'
import { afterDeath } from './afterDeath.ts'
import { type AliasMode, MONITOR_ALIASES, type MonitorAlias } from './aliases.ts'
import type { Behaviour } from './behaviour.ts'
import { type Priority, priorityOf, rankOf } from './flags.ts'
import { forever } from './forever.ts'
import { DownMessage, type From } from './messages.ts'
import { type Alias, type Destination, NO_PID, type Pid, type Ref, schedulerOf } from './pid.ts'
import { type Process, Status } from './process.ts'
import type {
  ArgumentOf,
  CallEvent,
  CallPayload,
  CallReply,
  CastEvent,
  CastPayload,
  ProtocolOf,
} from './protocol.ts'
import { anonymous, type RawBody } from './raw.ts'
import { receive } from './receive.ts'

export interface CallOptions {
  /** Default 5,000; Infinity waits for ever. */
  readonly timeoutMs?: number
}

export interface MonitorOptions {
  /** The `type` of its DOWN message instead of DOWN. */
  readonly tag?: string
  /** Makes an alias beside the monitor; says what switches it off. */
  readonly alias?: MonitorAlias
}

const NO_OPTIONS: MonitorOptions = {}

function checkedMonitor(options: MonitorOptions = NO_OPTIONS): MonitorOptions {
  const { alias, tag } = options
  if (alias !== undefined && !MONITOR_ALIASES.includes(alias)) {
    const fix = `use one of ${MONITOR_ALIASES.join(', ')}`
    throw new BeamishError('BEAMISH_BAD_OPTION', { option: 'alias', got: safeText(alias, 50), fix })
  }
  if (tag !== undefined && (typeof tag !== 'string' || tag === '')) {
    const fix = 'give a string that is not empty'
    throw new BeamishError('BEAMISH_BAD_OPTION', { option: 'tag', got: safeText(tag, 50), fix })
  }
  return options
}

export interface SpawnOptions extends StartOptions {
  /** Default here. Anywhere else the process is made by name: its arguments must be plain data. */
  readonly place?: Placement
}

export class Self {
  readonly #process: Process

  /** Made by the kernel. */
  constructor(process: Process) {
    this.#process = process
  }

  /** Kernel side of a context; modules of the runtime only. */
  static processOf(self: Self): Process {
    return self.#process
  }

  get pid(): Pid {
    return this.#process.pid
  }

  /** Pid of the process that started this one. */
  get parent(): Pid {
    return this.#process.parent
  }

  /** Parent first. */
  get ancestors(): readonly Pid[] {
    return this.#process.ancestors
  }

  /**
   * Who speaks for the group of processes this one belongs to: inherited from the spawner, on any thread. What it is used
   * for is up to those who set it (OTP group_leader).
   */
  get groupLeader(): Pid | undefined {
    return this.#process.groupLeader
  }

  /** Counts for processes spawned from now on. */
  set groupLeader(leader: Pid | undefined) {
    this.#process.groupLeader = leader
  }

  /**
   * A Map that is this process's alone, made when it is first asked for: for what code that runs in many kinds of processes
   * keeps per process, such as a request id. State belongs into the state (OTP process dictionary).
   */
  get dictionary(): Map<unknown, unknown> {
    const process = this.#process
    // What the dead put there is kept for nobody.
    if (process.status === Status.Dead) return new Map()
    process.dictionary ??= new Map()
    return process.dictionary
  }

  /** In a task: the process that started it, then the one that started that task, … ($callers). Empty elsewhere. */
  get callers(): readonly Pid[] {
    return this.#process.callers ?? []
  }

  /** The registered name, if any. */
  get name(): string | undefined {
    return this.#process.name
  }

  /** Id of the scheduler thread this process lives on. */
  get scheduler(): number {
    return this.#process.scheduler.id
  }

  /** Fires when this process ends, however it ends: pass it to fetch and the like. */
  get signal(): AbortSignal {
    return this.#process.signal
  }

  /** Monotonic milliseconds of the scheduler's clock. */
  now(): number {
    return this.#process.scheduler.host.now()
  }

  /** 0 <= x < 1, from the scheduler's source. */
  random(): number {
    return this.#process.scheduler.host.random()
  }

  /** Resolves after `ms` milliseconds; never, if the process ends before. */
  sleep(ms: number): Promise<void> {
    checkDelay(ms)
    const process = this.#process
    if (process.status === Status.Dead) return afterDeath(process)
    if (ms === Number.POSITIVE_INFINITY) return forever(process)
    return new Promise((resolve) => {
      process.scheduler.clock.after(process, ms, () => resolve())
    })
  }

  /**
   * Sends a message: plain data, read-only from now on for both sides. Never throws for a dead or unknown receiver; the
   * message is gone then, as it is when `to` is an alias that is off. Order is kept per pair of processes, over all kinds of signals (OTP).
   */
  send(to: Destination | Alias, message: unknown): void {
    if (this.#process.status !== Status.Dead) {
      send(this.#process.scheduler, this.#process.pid, to, message)
    }
  }

  /**
   * Sends a message after `ms` milliseconds (default: to itself). A timer to a pid of this thread ends with that process;
   * one to a name looks the name up when it fires (otp 50 to 53).
   */
  sendAfter(ms: number, message: unknown, to: Destination | Alias = this.#process.pid): Ref {
    checkDelay(ms)
    const { scheduler, pid } = this.#process
    if (this.#process.status === Status.Dead) return scheduler.refs.next()
    const here = typeof to === 'number' && schedulerOf(to) === scheduler.id
    const owner = here ? scheduler.find(to as Pid) : undefined
    if (here && owner === undefined) return scheduler.refs.next()
    // Isolated here, where its sender can hear of a mistake, and not when the timer rings.
    const sent = scheduler.development ? isolate(message, pid, to) : message
    return to === pid
      ? scheduler.clock.after(this.#process, ms, sendToOwner, sent)
      : scheduler.clock.after(owner, ms, () => sendIsolated(scheduler, pid, to, sent))
  }

  /**
   * Cancels a timer: the milliseconds that were left, or false if it has fired or is unknown; its message may be in a
   * mailbox already. A timer of another thread is cancelled there, and answers false here.
   */
  cancelTimer(ref: Ref): number | false {
    return this.#process.scheduler.cancelTimer(this.#process.pid, ref)
  }

  /** Milliseconds left of a timer of this thread, or false. */
  readTimer(ref: Ref): number | false {
    return this.#process.scheduler.clock.read(ref)
  }

  /**
   * Calls a server and resolves with its reply. Rejects with an Exit, which ends this process if not caught, when the
   * target is unknown or ends before it replies, or after `timeoutMs`: `{ call, reason }` (OTP gen_server:call).
   */
  call<P, E extends CallEvent<P>>(
    to: Destination<P>,
    event: E,
    ...rest: CallPayload<P, E, CallOptions>
  ): Promise<CallReply<P, E>> {
    const [payload, options] = rest as [unknown?, CallOptions?]
    const timeoutMs = options?.timeoutMs ?? CALL_TIMEOUT_MS
    const { scheduler } = this.#process
    return call(scheduler, this.#process, to, event, payload, timeoutMs) as Promise<CallReply<P, E>>
  }

  /** Sends a request that has no reply. Goes nowhere, silently, if the target is dead or unknown. */
  cast<P, E extends CastEvent<P>>(to: Destination<P>, event: E, ...rest: CastPayload<P, E>): void {
    if (this.#process.status === Status.Dead) return
    cast(this.#process.scheduler, this.#process.pid, to, event, rest[0])
  }

  /** Answers a call, from any process, at any time, once: later answers go nowhere. */
  reply(from: From, value: unknown): void {
    reply(this.#process.scheduler, this.#process, from, value)
  }

  /**
   * Spawns a process and returns its pid at once on this thread; with `place` elsewhere, a promise of it. Does not wait
   * for init. A plain function is spawned here only: it cannot cross threads; it contains its strays if its spawner does.
   */
  spawn(body: RawBody<undefined>, argument?: undefined, options?: StartOptions): Pid
  spawn<B extends Behaviour>(
    behaviour: B,
    argument: ArgumentOf<B>,
    options?: StartOptions & { readonly place?: 'here' },
  ): Pid<ProtocolOf<B>>
  spawn<B extends Behaviour>(
    behaviour: B,
    argument: ArgumentOf<B>,
    options: SpawnOptions,
  ): Promise<Pid<ProtocolOf<B>>>
  spawn(
    behaviour: Behaviour | RawBody<undefined>,
    argument?: unknown,
    options: SpawnOptions = {},
  ): Pid | Promise<Pid> {
    const { scheduler } = this.#process
    const found = typeof behaviour === 'function' ? this.#anonymous(behaviour) : behaviour
    const target = place(scheduler, options.place)
    if (target !== scheduler.id) return this.#startPid(found, argument, options, false)
    if (this.#process.status === Status.Dead) return NO_PID
    const ref = scheduler.refs.next()
    return spawnHere(scheduler, this.#process, found, this.#own(argument, found), options, ref).pid
  }

  /** The argument of a process spawned here, as it would have come to another thread. */
  #own(argument: unknown, { name }: Behaviour): unknown {
    const { scheduler, pid } = this.#process
    return scheduler.development ? isolate(argument, pid, name) : argument
  }

  #anonymous(body: RawBody<undefined>): Behaviour {
    return anonymous(body, this.#process.containStrays)
  }

  /** spawn with a link from birth: no moment in which a death could go unnoticed (otp 35). */
  spawnLink(body: RawBody<undefined>): Pid
  spawnLink<B extends Behaviour>(behaviour: B, argument: ArgumentOf<B>): Pid<ProtocolOf<B>>
  spawnLink(behaviour: Behaviour | RawBody<undefined>, argument?: unknown): Pid {
    return this.spawn(behaviour as Behaviour, argument as never, { link: true })
  }

  /** spawn with a monitor from birth. */
  spawnMonitor(body: RawBody<undefined>): { pid: Pid; ref: Ref }
  spawnMonitor<B extends Behaviour>(
    behaviour: B,
    argument: ArgumentOf<B>,
  ): { pid: Pid<ProtocolOf<B>>; ref: Ref }
  spawnMonitor(
    behaviour: Behaviour | RawBody<undefined>,
    argument?: unknown,
  ): { pid: Pid; ref: Ref } {
    const { scheduler } = this.#process
    const found = typeof behaviour === 'function' ? this.#anonymous(behaviour) : behaviour
    const ref = scheduler.refs.next()
    if (this.#process.status === Status.Dead) return { pid: NO_PID, ref }
    const own = this.#own(argument, found)
    return {
      pid: spawnHere(scheduler, this.#process, found, own, { monitor: true }, ref).pid,
      ref,
    }
  }

  /**
   * Starts a process and resolves with its pid once its init is through (OTP gen_server:start). Rejects with a StartError
   * whose `reason` says why: the init's exit reason, `timeout`, `{ alreadyStarted: pid }`, or `ignored` set.
   */
  start<B extends Behaviour>(
    behaviour: B,
    argument: ArgumentOf<B>,
    options: SpawnOptions = {},
  ): Promise<Pid<ProtocolOf<B>>> {
    return this.#startPid(behaviour, argument, options, true) as Promise<Pid<ProtocolOf<B>>>
  }

  /** start with a link: an abnormal init ends this process too, unless it traps exits (otp 64). */
  startLink<B extends Behaviour>(
    behaviour: B,
    argument: ArgumentOf<B>,
    options: SpawnOptions = {},
  ): Promise<Pid<ProtocolOf<B>>> {
    return this.start(behaviour, argument, { ...options, link: true })
  }

  async #startPid(
    behaviour: Behaviour,
    argument: unknown,
    options: SpawnOptions,
    ack: boolean,
  ): Promise<Pid> {
    const { scheduler } = this.#process
    const target = place(scheduler, options.place)
    const { result } = start(scheduler, this.#process, target, behaviour, argument, {
      ...options,
      ack,
    })
    const outcome = await result
    if (!outcome.ok) throw new StartError(outcome)
    return outcome.pid
  }

  /**
   * Asks a behaviour to stop with `reason` (default normal) and resolves when it has: its terminate runs. Rejects with an
   * Exit when it ends for another reason, is not alive (noproc), or does not end within `timeoutMs` (default Infinity).
   */
  stop(to: Destination, reason: ExitReason = 'normal', options: CallOptions = {}): Promise<void> {
    const timeoutMs = options.timeoutMs ?? Number.POSITIVE_INFINITY
    return stop(this.#process.scheduler, this.#process, to, reason, timeoutMs)
  }

  /** Links this process with another; once per pair. A dead one here ends the caller with noproc, unless it traps exits. */
  link(to: Pid): void {
    if (this.#process.status !== Status.Dead) link(this.#process.scheduler, this.#process, to)
  }

  /** Ends the link, whoever made it. No EXIT comes afterwards, but one already in the mailbox stays (otp 21). */
  unlink(to: Pid): void {
    if (this.#process.status !== Status.Dead) unlink(this.#process.scheduler, this.#process, to)
  }

  /**
   * Monitors a process: when it ends, a `{ type: 'DOWN', ref, object, reason }` comes. A name is looked up now; the DOWN
   * then carries the name. Dead or unknown targets answer DOWN with noproc. With `tag` that stands in place of DOWN, as
   * the name of a handleInfo say. With `alias` the answer is an alias of this process whose `ref` is the monitor's: what
   * the other one sends to it is dropped once the alias is off (OTP monitor/3).
   * @throws BEAMISH_BAD_OPTION
   */
  monitor(target: Destination, options: MonitorOptions & { readonly alias: MonitorAlias }): Alias
  monitor(target: Destination, options?: MonitorOptions & { readonly alias?: undefined }): Ref
  monitor(target: Destination, options?: MonitorOptions): Ref | Alias {
    const process = this.#process
    const { scheduler, pid: own } = process
    const ref = scheduler.refs.next()
    const { alias, tag } = checkedMonitor(options)
    if (process.status !== Status.Dead) {
      if (alias !== undefined) process.aliasesOrNew().set(ref, alias)
      if (typeof target !== 'number') {
        const pid = scheduler.names.findAfterDrain(target) ?? NO_PID
        monitor(scheduler, process, { pid, name: target, tag }, ref)
      } else if (tag === undefined) monitor(scheduler, process, target, ref)
      else monitor(scheduler, process, { pid: target, name: undefined, tag }, ref)
    }
    return alias === undefined ? ref : { pid: own, ref }
  }

  /**
   * Makes an address of this process that it can switch off: `send` to it works from anywhere, as to a pid, until
   * unalias() or, with `reply`, its first message; what is sent to it later vanishes silently (OTP alias/1).
   */
  alias(options: { readonly reply?: boolean } = {}): Alias {
    const process = this.#process
    const ref = process.scheduler.refs.next()
    const mode: AliasMode = options.reply === true ? 'reply' : 'explicit_unalias'
    if (process.status !== Status.Dead) process.aliasesOrNew().set(ref, mode)
    return { pid: process.pid, ref }
  }

  /** Switches an alias of this process off; messages that are queued already stay. False when it was not active. */
  unalias(alias: Alias): boolean {
    return alias.pid === this.pid && this.#process.aliases?.delete(alias.ref) === true
  }

  /**
   * Ends a monitor. `flush` also takes its DOWN out of the mailbox; with `info` the result is false if it had fired, true
   * otherwise; without, always true (otp 25 to 27).
   */
  demonitor(
    ref: Ref,
    options: { readonly flush?: boolean; readonly info?: boolean } = {},
  ): boolean {
    const process = this.#process
    if (process.status === Status.Dead) return true
    const active = demonitor(process.scheduler, process, ref)
    if (options.flush === true && !active) {
      const at = process.mailbox.find(
        (message) => message instanceof DownMessage && message.ref === ref,
      )
      if (at >= 0) process.mailbox.take(at)
    }
    return options.info === true ? active : true
  }

  /** `exit(reason)` ends this process (it throws; one who catches it lives). `exit(pid, reason)` sends an exit signal. */
  exit(reason: ExitReason): never
  exit(to: Pid, reason: ExitReason): void
  exit(...args: [ExitReason] | [Pid, ExitReason]): void {
    if (args.length === 1) throw new Exit(args[0])
    const process = this.#process
    if (process.status === Status.Dead) return
    sendExit(process.scheduler, process.pid, args[0], plain(args[1]))
    // exit(self, reason) acts before it returns: the code after it must not run on.
    if ((process.status as Status) === Status.Dead) throw new Exit(process.exitReason)
  }

  /** While true, exit signals become `{ type: 'EXIT', from, reason }` messages; kill excepted. Returns the old value. */
  trapExit(trap: boolean): boolean {
    const before = this.#process.trapExit
    this.#process.trapExit = trap
    return before
  }

  /**
   * How soon this process has its turn among those of its thread that are ready; high ones go first, and nobody starves.
   * Counts from its next turn on. Returns the old value (OTP process_flag priority).
   * @throws BEAMISH_BAD_OPTION
   */
  priority(priority: Priority): Priority {
    const before = priorityOf(this.#process.rank)
    this.#process.rank = rankOf(priority)
    return before
  }

  /**
   * Registers this process under a name, known on every thread when the promise resolves.
   * @throws BEAMISH_NAME_TAKEN, BEAMISH_NAME_SECOND, BEAMISH_NAME_INVALID
   */
  async register(name: string): Promise<void> {
    if (this.#process.status === Status.Dead) return afterDeath(this.#process)
    return this.#process.scheduler.names.register(this.#process, name)
  }

  /** Gives this process's name up. */
  unregister(): void {
    if (this.#process.status !== Status.Dead)
      this.#process.scheduler.names.unregister(this.#process)
  }

  /** The process of that name, or undefined. */
  async whereis(name: string): Promise<Pid | undefined> {
    if (this.#process.status === Status.Dead) return afterDeath(this.#process)
    return this.#process.scheduler.names.whereis(this.#process, name)
  }

  /** Whether a process lives, here or elsewhere; by the time one knows it may have changed. */
  async alive(pid: Pid): Promise<boolean> {
    if (this.#process.status === Status.Dead) return afterDeath(this.#process)
    return alive(this.#process.scheduler, this.#process, pid)
  }

  /** Status, mailbox length, links, monitors … of a process; undefined if it is dead. */
  async info(pid: Pid): Promise<ProcessInfo | undefined> {
    const { scheduler } = this.#process
    if (this.#process.status === Status.Dead) return afterDeath(this.#process)
    if (schedulerOf(pid) === scheduler.id) {
      const process = scheduler.find(pid)
      return process === undefined ? undefined : processInfo(process)
    }
    try {
      const answer = await ask(scheduler, this.#process, schedulerOf(pid), 'info', pid)
      return answer as ProcessInfo | undefined
    } catch (error) {
      if (error instanceof Exit) return undefined
      throw error
    }
  }

  /** Takes the first message that `match` accepts out of the mailbox. Raw processes only; see process(). */
  receive<T>(match: (message: unknown) => message is T): Promise<T>
  receive<T>(match: (message: unknown) => message is T, timeoutMs: number): Promise<T | undefined>
  receive(match?: (message: unknown) => boolean, timeoutMs?: number): Promise<unknown>
  receive(match?: (message: unknown) => boolean, timeoutMs?: number): Promise<unknown> {
    if (this.#process.behaviour.delivery !== 'pull') {
      throw new BeamishError('BEAMISH_NOT_RAW', { call: 'receive()' })
    }
    if (timeoutMs !== undefined) checkDelay(timeoutMs)
    return receive(this.#process, match, timeoutMs)
  }

  /** Subscribes to a topic: broadcasts come as `{ type: 'broadcast', topic, event, payload }`, one per subscription. */
  subscribe(topic: string | Topic): void {
    if (this.#process.status === Status.Dead) return
    this.#process.scheduler.pubsub.subscribe(this.#process, topicName(topic))
  }

  /** Ends all subscriptions of this process to a topic. */
  unsubscribe(topic: string | Topic): void {
    if (this.#process.status === Status.Dead) return
    this.#process.scheduler.pubsub.unsubscribe(this.#process, topicName(topic))
  }

  /** Sends an event to every subscriber of a topic, on every thread, this process included. */
  broadcast<T extends string | Topic, E extends keyof TopicEvents<T> & string>(
    topic: T,
    event: E,
    payload: TopicEvents<T>[E],
  ): void {
    this.#broadcast(topic, event, payload, NO_PID, false)
  }

  /** broadcast to everybody but this process, or but the one named: who asked for it over HTTP, say. */
  broadcastFrom<T extends string | Topic, E extends keyof TopicEvents<T> & string>(
    topic: T,
    event: E,
    payload: TopicEvents<T>[E],
    from: Pid = this.#process.pid,
  ): void {
    this.#broadcast(topic, event, payload, from, false)
  }

  /** broadcast to the subscribers on this thread. */
  localBroadcast<T extends string | Topic, E extends keyof TopicEvents<T> & string>(
    topic: T,
    event: E,
    payload: TopicEvents<T>[E],
  ): void {
    this.#broadcast(topic, event, payload, NO_PID, true)
  }

  #broadcast(
    topic: string | Topic,
    event: string,
    payload: unknown,
    except: Pid,
    local: boolean,
  ): void {
    const process = this.#process
    if (process.status === Status.Dead) return
    process.scheduler.pubsub.broadcast(process.pid, topicName(topic), event, payload, except, local)
  }
}

/** What a timer of a process sends that process. */
function sendToOwner(message: unknown, owner: Process | undefined): void {
  if (owner !== undefined) sendIsolated(owner.scheduler, owner.pid, owner.pid, message)
}

const topicName = (topic: string | Topic): string =>
  typeof topic === 'string' ? topic : topic.name
