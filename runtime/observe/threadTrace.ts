/**
 * A trace as a tracer of one scheduler. It only looks on: what it cannot describe it leaves out, it never throws into the
 * process it looks at, and what it tells is text. Where nothing matches a step costs a comparison or two.
 */
import { types } from 'node:util'
import { type ExitReason, formatReason } from '../exit/reason.ts'
import type { SignalEffect, SignalKind } from '../exit/rules.ts'
import {
  BroadcastMessage,
  CallMessage,
  CastMessage,
  DownMessage,
  ExitMessage,
  StopMessage,
  SystemMessage,
} from '../process/messages.ts'
import { formatPid, type Pid, type Ref } from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import type { Tracer } from '../scheduler/tracer.ts'
import { textOf } from './text.ts'
import type { NodeTraceEvent, TraceKind, TraceSpec } from './traceOptions.ts'

/** Calls whose reply is still to be told by name, at most. */
const MAX_CALLS = 1_000

export class ThreadTrace implements Tracer {
  readonly #scheduler: Scheduler
  readonly #spec: TraceSpec
  readonly #kinds: ReadonlySet<TraceKind>
  readonly #tell: (event: NodeTraceEvent, left: number) => boolean
  readonly #calls = new Map<Ref, string>()
  #left: number

  /** `tell` hears of each event, and of how many more there may be; one it does not take counts for nothing. */
  constructor(
    scheduler: Scheduler,
    spec: TraceSpec,
    tell: (event: NodeTraceEvent, left: number) => boolean,
  ) {
    this.#scheduler = scheduler
    this.#spec = spec
    this.#kinds = new Set(spec.kinds)
    this.#left = spec.limit
    this.#tell = tell
  }

  /** Whether an event of it is told: nothing is made before that is known. Counts it. */
  #wants(
    kind: TraceKind,
    process: Process,
    event: string | undefined,
    name = process.name,
  ): boolean {
    const spec = this.#spec
    if (spec.pid !== undefined && spec.pid !== process.pid) return false
    if (spec.name !== undefined && spec.name !== name) return false
    if (spec.behaviour !== undefined && !isOf(process, spec.behaviour)) return false
    if (spec.event !== undefined && spec.event !== event) return false
    if (!this.#kinds.has(kind) || this.#left <= 0) return false
    if (spec.sample < 1 && this.#scheduler.host.random() >= spec.sample) return false
    this.#left--
    return true
  }

  /** The process of a pid, if an event of it is told. */
  #actor(kind: TraceKind, by: Pid, event?: string): Process | undefined {
    const { pid } = this.#spec
    if (pid !== undefined && pid !== by) return undefined
    const process = this.#scheduler.find(by)
    return process !== undefined && this.#wants(kind, process, event) ? process : undefined
  }

  #note(
    kind: TraceKind,
    process: Process,
    peer: Pid | string | undefined,
    event?: string,
    text?: () => string,
    name = process.name,
  ): void {
    const { pid, behaviour } = process
    const { host, id } = this.#scheduler
    try {
      const told: NodeTraceEvent = {
        at: performance.timeOrigin + host.now(),
        scheduler: id,
        kind,
        pid,
        process: formatPid(pid),
        name,
        behaviour: behaviour.describe?.(process) ?? behaviour.name,
        peer: typeof peer === 'number' ? formatPid(peer) : peer,
        event,
        text: this.#spec.maxText === 0 ? undefined : text?.(),
      }
      if (!this.#tell(told, this.#left)) this.#left++
    } catch {
      // Whatever it was, the process that is looked at has nothing to do with it.
    }
  }

  #text(value: unknown): () => string {
    return () => textOf(value, this.#spec.maxText)
  }

  #reason(reason: ExitReason): () => string {
    return () => {
      const isError =
        typeof reason === 'object' && reason !== null && Object.hasOwn(reason, 'error')
      if (typeof reason !== 'string' && !isError) return textOf(reason, this.#spec.maxText)
      return formatReason(reason).slice(0, this.#spec.maxText)
    }
  }

  #message(kind: TraceKind, process: Process, message: unknown): void {
    const { pid } = this.#spec
    if (pid !== undefined && pid !== process.pid) return
    const event = nameOf(message)
    if (!this.#wants(kind, process, event)) return
    const { from, value, reason } = partsOf(message)
    const text = reason === undefined ? this.#text(value) : this.#reason(reason)
    this.#note(kind, process, from, event, text)
  }

  /** The reply to a call is told by the name of that. */
  #remember(process: Process, { ref, event }: CallMessage): void {
    const spec = this.#spec
    if (!this.#kinds.has('reply') || (spec.pid !== undefined && spec.pid !== process.pid)) return
    if (spec.name !== undefined && spec.name !== process.name) return
    if (spec.behaviour !== undefined && !isOf(process, spec.behaviour)) return
    if (this.#calls.size >= MAX_CALLS) this.#calls.clear()
    this.#calls.set(ref, event)
  }

  spawned(process: Process, name: string | undefined): void {
    if (!this.#wants('spawn', process, undefined, name)) return
    this.#note('spawn', process, process.parent, undefined, undefined, name)
  }

  sends(by: Pid, to: Pid, message: unknown): void {
    const event = nameOf(message)
    const process = this.#actor('send', by, event)
    if (process !== undefined) this.#note('send', process, to, event, this.#text(message))
  }

  casts(by: Pid, to: Pid, event: string, payload: unknown): void {
    const process = this.#actor('cast', by, event)
    if (process !== undefined) this.#note('cast', process, to, event, this.#text(payload))
  }

  calls(by: Pid, to: Pid, _ref: Ref, event: string, payload: unknown): void {
    const process = this.#actor('call', by, event)
    if (process !== undefined) this.#note('call', process, to, event, this.#text(payload))
  }

  replies(by: Pid, to: Pid, ref: Ref, value: unknown): void {
    const event = this.#calls.get(ref)
    if (event !== undefined) this.#calls.delete(ref)
    const process = this.#actor('reply', by, event)
    if (process !== undefined) this.#note('reply', process, to, event, this.#text(value))
  }

  receives(): void {}

  delivered(process: Process, message: unknown): void {
    this.#message('receive', process, message)
  }

  drops(process: Process, message: unknown): void {
    this.#message('drop', process, message)
  }

  handles(process: Process, message: unknown): void {
    if (message instanceof CallMessage) this.#remember(process, message)
    this.#message('handle', process, message)
  }

  links(by: Pid, to: Pid): void {
    const process = this.#actor('link', by)
    if (process !== undefined) this.#note('link', process, to)
  }

  unlinks(by: Pid, to: Pid): void {
    const process = this.#actor('unlink', by)
    if (process !== undefined) this.#note('unlink', process, to)
  }

  monitors(by: Pid, to: Pid): void {
    const process = this.#actor('monitor', by)
    if (process !== undefined) this.#note('monitor', process, to)
  }

  signalled(
    to: Process,
    from: Pid,
    reason: ExitReason,
    _kind: SignalKind,
    effect: SignalEffect,
  ): void {
    if (!this.#wants('signal', to, undefined)) return
    const text = (): string => `${effect.do}: ${this.#reason(reason)()}`
    this.#note('signal', to, from, undefined, text)
  }

  terminates(process: Process, reason: ExitReason): void {
    if (!this.#wants('terminate', process, undefined)) return
    this.#note('terminate', process, undefined, undefined, this.#reason(reason))
  }

  exited(process: Process, reason: ExitReason): void {
    if (!this.#wants('exit', process, undefined)) return
    this.#note('exit', process, undefined, undefined, this.#reason(reason))
  }
}

/** By its own name, or by what it calls the process: `task fetchPage`. */
const isOf = (process: Process, behaviour: string): boolean =>
  process.behaviour.name === behaviour || process.behaviour.describe?.(process) === behaviour

interface Parts {
  /** Who has sent it, as far as it says; the topic of a broadcast. */
  readonly from?: Pid | string
  readonly value?: unknown
  readonly reason?: ExitReason
}

function partsOf(message: unknown): Parts {
  if (message instanceof CallMessage) return { from: message.pid, value: message.payload }
  if (message instanceof CastMessage) return { value: message.payload }
  if (message instanceof BroadcastMessage) return { from: message.topic, value: message.payload }
  if (message instanceof ExitMessage) return { from: message.from, reason: message.reason }
  if (message instanceof DownMessage) return { from: message.object, reason: message.reason }
  if (message instanceof StopMessage) return { from: message.from.pid, reason: message.reason }
  if (message instanceof SystemMessage) return { from: message.from.pid, value: message.argument }
  return { value: message }
}

/** The name of a message, without running an accessor of it. Text is data, but for what the kernel sends itself. */
function nameOf(message: unknown): string {
  if (typeof message === 'string') return message === 'timeout' ? message : 'string'
  if (typeof message !== 'object' || message === null) return typeof message
  if (message instanceof CastMessage || message instanceof CallMessage) return message.event
  if (message instanceof BroadcastMessage) return message.event
  if (message instanceof SystemMessage) return `sys.${message.request}`
  if (types.isProxy(message)) return 'message'
  const type: unknown = Object.getOwnPropertyDescriptor(message, 'type')?.value
  return typeof type === 'string' ? type : 'message'
}
