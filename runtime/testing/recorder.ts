/**
 * Writes down what happens on the schedulers of a test node: a tracer that pairs what was sent with what is handled. One for
 * all schedulers, as they share a thread.
 */
import type { ExitReason } from '../exit/reason.ts'
import type { SignalEffect, SignalKind } from '../exit/rules.ts'
import {
  BroadcastMessage,
  DownMessage,
  ExitMessage,
  KernelMessage,
  messageName,
  StopMessage,
  SystemMessage,
} from '../process/messages.ts'
import { NO_PID, type Pid, type Ref, schedulerOf } from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import { Op } from '../scheduler/ops.ts'
import type { Tracer } from '../scheduler/tracer.ts'
import { Supervising } from '../supervisor/supervising.ts'
import type {
  ExitEvent,
  MessageEvent,
  Outcome,
  RestartEvent,
  SpawnEvent,
  TerminateEvent,
  TimelineEvent,
  When,
} from './events.ts'

/** A message while its story goes on. */
type Note = { -readonly [K in keyof MessageEvent]: MessageEvent[K] }

/** Looks on at every handled message, ahead of its handler; what it throws is thrown there. */
export type Onlooker = (process: Process, message: unknown) => void

type Distributed<T> = T extends When ? Omit<T, keyof When> : never

const COUNTED = new Set<number>([Op.Send, Op.SendAlias, Op.Cast, Op.Call, Op.System])

/** A message that is about to be delivered. */
export interface Passing {
  readonly kind: 'send' | 'cast' | 'call' | 'reply' | 'broadcast'
  readonly from: Pid
  readonly name: string
}

export class Recorder implements Tracer {
  readonly events: TimelineEvent[] = []
  readonly ends = new Map<Pid, ExitEvent>()
  readonly terminated = new Map<Pid, TerminateEvent>()
  readonly born = new Map<Pid, SpawnEvent | RestartEvent>()
  onHandle: Onlooker | undefined = undefined
  readonly #now: () => number
  #seq = 0
  /** The message that is about to be delivered. */
  #current: Note | undefined
  /** Sent to another scheduler and not heard of yet, by the pair of pids. */
  readonly #away = new Map<string, Note[]>()
  /** In the mailbox of a process. */
  readonly #waiting = new Map<Pid, { readonly message: unknown; readonly note: Note }[]>()
  /** Calls that are not answered yet. */
  readonly #calls = new Map<Ref, Note>()

  constructor(now: () => number) {
    this.#now = now
  }

  #when(): When {
    return { seq: ++this.#seq, atMs: this.#now() }
  }

  #add<E extends TimelineEvent>(event: Distributed<E>): E {
    const whole = { ...this.#when(), ...event } as unknown as E
    this.events.push(whole)
    return whole
  }

  /** A fault, or what became of a thread. */
  note(kind: 'fault' | 'thread', text: string, pid: Pid = NO_PID): void {
    this.#add({ kind, text, pid })
  }

  /** All that happened, as it stands now. */
  told(): TimelineEvent[] {
    this.#next(undefined)
    for (const event of this.events) {
      if (!('outcome' in event) || event.outcome !== 'waits' || !this.ends.has(event.to)) continue
      ;(event as Note).outcome = 'lost'
    }
    return [...this.events]
  }

  /** Forgets what has been, except who lives. */
  clear(): void {
    this.events.length = 0
  }

  /** What is delivered to that process now, as far as it is known. */
  passing(to: Pid, message?: unknown): Passing | undefined {
    if (message instanceof BroadcastMessage) {
      return { kind: 'broadcast', from: NO_PID, name: message.event }
    }
    const current = this.#current
    if (current?.to !== to || message instanceof KernelMessage) return undefined
    return current as Passing
  }

  /** What is delivered now is taken away. */
  dropped(): void {
    if (this.#current !== undefined) this.#settle(this.#current, 'dropped')
    this.#current = undefined
  }

  /** Takes what is delivered now aside; the result makes it what is delivered now, again. */
  aside(): () => void {
    const note = this.#current
    this.#current = undefined
    return () => {
      this.#current = note
    }
  }

  spawned(process: Process, name: string | undefined): void {
    const { pid, parent, behaviour, scheduler } = process
    const linked = process.links?.has(parent) === true
    const kind = { behaviour: behaviour.name, name, scheduler: scheduler.id, linked }
    const facts = { pid, by: parent, ...kind }
    const was = this.#predecessor(parent, behaviour.name, name, process)
    const event =
      was === undefined
        ? this.#add<SpawnEvent>({ kind: 'spawn', ...facts })
        : this.#add<RestartEvent>({ kind: 'restart', was, ...facts })
    this.born.set(pid, event)
    for (const [ref, by] of process.watchers ?? []) {
      if (process.ack?.ref !== ref) this.monitors(by, pid, ref)
    }
  }

  /** The process a supervisor's new child takes the place of: of its kind, dead, and not yet replaced. */
  #predecessor(
    parent: Pid,
    behaviour: string,
    name: string | undefined,
    process: Process,
  ): Pid | undefined {
    if (!this.#supervises(parent, process)) return undefined
    const replaced = new Set<Pid>()
    let last: Pid | undefined
    for (const one of this.born.values()) {
      if (one.by !== parent || one.behaviour !== behaviour || one.name !== name) continue
      if (one.kind === 'restart') replaced.add(one.was)
      if (this.ends.has(one.pid)) last = one.pid
    }
    return last === undefined || replaced.has(last) ? undefined : last
  }

  readonly #supervisors = new Set<Pid>()

  #supervises(parent: Pid, process: Process): boolean {
    if (process.behaviour instanceof Supervising) this.#supervisors.add(process.pid)
    return this.#supervisors.has(parent)
  }

  #sent(kind: Note['kind'], from: Pid, to: Pid, name: string, payload: unknown): Note {
    const note = this.#add<MessageEvent>({
      kind,
      from,
      to,
      name,
      payload,
      outcome: 'waits',
      settled: undefined,
    }) as Note
    if (schedulerOf(from) === schedulerOf(to)) this.#next(note)
    else {
      const pair = `${from}>${to}`
      const away = this.#away.get(pair)
      if (away === undefined) this.#away.set(pair, [note])
      else away.push(note)
    }
    return note
  }

  sends(by: Pid, to: Pid, message: unknown): void {
    this.#sent('send', by, to, messageName(message), message)
  }

  casts(by: Pid, to: Pid, event: string, payload: unknown): void {
    this.#sent('cast', by, to, event, payload)
  }

  calls(by: Pid, to: Pid, ref: Ref, event: string, payload: unknown): void {
    this.#calls.set(ref, this.#sent('call', by, to, event, payload))
  }

  replies(by: Pid, to: Pid, ref: Ref, value: unknown): void {
    const name = this.#calls.get(ref)?.name ?? ''
    this.#calls.delete(ref)
    this.#sent('reply', by, to, name, value)
  }

  /** The answer that is delivered now has come to somebody who awaits it, or comes too late. */
  answered(awaited: boolean): void {
    const note = this.#current
    if (note?.kind !== 'reply') return
    this.#current = undefined
    // One that comes twice was handled the first time.
    if (note.outcome !== 'handled') this.#settle(note, awaited ? 'handled' : 'lost')
  }

  receives(batch: readonly unknown[], at: number): void {
    this.#next(undefined)
    const op = batch[at] as number
    if (op !== Op.Reply && !COUNTED.has(op)) return
    const note = this.#away.get(`${batch[at + 1] as Pid}>${batch[at + 2] as Pid}`)?.shift()
    if (note === undefined) return
    if (this.ends.has(note.to)) this.#settle(note, 'lost')
    else this.#next(note)
  }

  /** What comes next to a mailbox. What was to, and did not, found nobody there. */
  #next(note: Note | undefined): void {
    if (this.#current !== undefined) this.#settle(this.#current, 'lost')
    this.#current = note
  }

  delivered(process: Process, message: unknown): void {
    const plain = !(message instanceof KernelMessage) || message instanceof SystemMessage
    let note = plain ? this.#current : undefined
    if (note?.to === process.pid) this.#current = undefined
    else note = this.#fromKernel(process.pid, message)
    if (note === undefined) return
    const waiting = this.#waiting.get(process.pid)
    if (waiting === undefined) this.#waiting.set(process.pid, [{ message, note }])
    else waiting.push({ message, note })
  }

  /** A message that no process has sent: the EXIT among them is told as a signal. */
  #fromKernel(to: Pid, message: unknown): Note | undefined {
    if (message instanceof ExitMessage) return undefined
    const rest = { outcome: 'waits', settled: undefined } as const
    if (message instanceof DownMessage) {
      const { object, reason } = message
      const from = typeof object === 'number' ? object : NO_PID
      const name = typeof object === 'number' ? 'DOWN' : `DOWN "${object}"`
      return this.#add<MessageEvent>({ kind: 'down', from, to, name, payload: reason, ...rest })
    }
    if (message instanceof BroadcastMessage) {
      const { topic, event, payload } = message
      const name = `${topic} ${event}`
      return this.#add<MessageEvent>({
        kind: 'broadcast',
        from: NO_PID,
        to,
        name,
        payload,
        ...rest,
      })
    }
    if (message instanceof StopMessage) {
      const { from, reason } = message
      const facts = { from: from.pid, to, name: 'stop', payload: reason }
      return this.#add<MessageEvent>({ kind: 'kernel', ...facts, ...rest })
    }
    // What the runtime says to itself has no better name than its kind.
    const type = messageName(message)
    const name = type === 'message' ? (message as object).constructor.name : type
    const facts = { from: NO_PID, to, name, payload: undefined }
    return this.#add<MessageEvent>({ kind: 'kernel', ...facts, ...rest })
  }

  drops(process: Process, message: unknown): void {
    const found = this.#takeWaiting(process, message)
    if (found !== undefined) this.#settle(found, 'dropped')
    else if (this.#current?.to === process.pid) this.dropped()
  }

  handles(process: Process, message: unknown): void {
    // A request of sys may be served without having been in the mailbox.
    const urgent = message instanceof SystemMessage ? this.#calls.get(message.from.ref) : undefined
    const found = this.#takeWaiting(process, message) ?? urgent
    if (found !== undefined) this.#settle(found, 'handled')
    if (found === this.#current) this.#current = undefined
    this.onHandle?.(process, message)
  }

  #takeWaiting({ pid }: Process, message: unknown): Note | undefined {
    const waiting = this.#waiting.get(pid)
    const at = waiting?.findIndex((one) => Object.is(one.message, message)) ?? -1
    return at < 0 ? undefined : waiting?.splice(at, 1)[0]?.note
  }

  #settle(note: Note, outcome: Outcome): void {
    note.outcome = outcome
    note.settled ??= this.#when()
  }

  links(from: Pid, to: Pid): void {
    this.#add({ kind: 'link', from, to, ref: undefined })
  }

  unlinks(from: Pid, to: Pid): void {
    this.#add({ kind: 'unlink', from, to, ref: undefined })
  }

  monitors(from: Pid, to: Pid, ref: Ref): void {
    this.#add({ kind: 'monitor', from, to, ref })
  }

  signalled(
    { pid }: Process,
    from: Pid,
    reason: ExitReason,
    cause: SignalKind,
    effect: SignalEffect,
  ): void {
    this.#add({ kind: 'signal', from, to: pid, reason, cause, effect: effect.do })
  }

  terminates({ pid }: Process, reason: ExitReason): void {
    this.terminated.set(pid, this.#add<TerminateEvent>({ kind: 'terminate', pid, reason }))
  }

  exited({ pid }: Process, reason: ExitReason): void {
    this.ends.set(pid, this.#add<ExitEvent>({ kind: 'exit', pid, reason }))
    for (const { note } of this.#waiting.get(pid) ?? []) this.#settle(note, 'lost')
    this.#waiting.delete(pid)
  }

  /** All that lived on a lost thread ends with it. */
  threadLost(scheduler: number, reason: ExitReason): void {
    for (const { pid } of [...this.born.values()]) {
      if (schedulerOf(pid) === scheduler && !this.ends.has(pid)) {
        this.exited({ pid } as Process, reason)
      }
    }
  }
}
