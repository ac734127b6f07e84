/**
 * What the kernel puts into mailboxes. Calls, casts, EXITs and DOWNs are instances of these classes, so that a plain
 * message that merely looks like one cannot pass for it; user code sees `type` and reads them like any other message.
 */
import type { ExitReason } from '../exit/reason.ts'
import { formatPid, type Pid, type Ref } from './pid.ts'

/** What no limit of a mailbox drops: ends of others, orders of supervisors. */
export abstract class KernelMessage {}

/** A link partner ended, or exit(pid, reason) was called, while this process traps exits. */
export class ExitMessage extends KernelMessage {
  readonly type = 'EXIT'
  readonly from: Pid
  readonly reason: ExitReason
  constructor(from: Pid, reason: ExitReason) {
    super()
    this.from = from
    this.reason = reason
  }
}

/** A monitored process ended. `object` is what was monitored: its pid, or the name given to `monitor`. `T` is the monitor's tag. */
export class DownMessage<T extends string = 'DOWN'> extends KernelMessage {
  readonly type: T
  readonly ref: Ref
  readonly object: Pid | string
  readonly reason: ExitReason
  constructor(ref: Ref, object: Pid | string, reason: ExitReason, type: T = 'DOWN' as T) {
    super()
    this.type = type
    this.ref = ref
    this.object = object
    this.reason = reason
  }
}

/** Whom a reply goes to. Plain data: it may be kept, sent on, and answered from any process on any thread. */
export interface From {
  readonly pid: Pid
  readonly ref: Ref
}

/** A request that waits for a reply. */
export class CallMessage implements From {
  readonly type = 'call'
  readonly pid: Pid
  readonly ref: Ref
  readonly event: string
  readonly payload: unknown
  constructor(pid: Pid, ref: Ref, event: string, payload: unknown) {
    this.pid = pid
    this.ref = ref
    this.event = event
    this.payload = payload
  }
}

/** A request without a reply. */
export class CastMessage {
  readonly type = 'cast'
  readonly event: string
  readonly payload: unknown
  constructor(event: string, payload: unknown) {
    this.event = event
    this.payload = payload
  }
}

/** A PubSub broadcast, as its subscribers get it. */
export class BroadcastMessage<E extends string = string, T = unknown> {
  readonly type = 'broadcast'
  readonly topic: string
  readonly event: E
  readonly payload: T
  #memo: unknown
  constructor(topic: string, event: E, payload: T, memo?: unknown) {
    this.topic = topic
    this.event = event
    this.payload = payload
    this.#memo = memo
  }

  /** Kernel side: what those on the fast lane have made of it, once for all on this thread. It is no part of the message. */
  get memo(): unknown {
    return this.#memo
  }

  set memo(memo: unknown) {
    this.#memo = memo
  }
}

/** Asks a behaviour to stop as `self.stop(pid, reason)` does; a kernel message, not for user code. */
export class StopMessage extends KernelMessage {
  readonly type = 'stop'
  readonly from: From
  readonly reason: ExitReason
  constructor(from: From, reason: ExitReason) {
    super()
    this.from = from
    this.reason = reason
  }
}

/** What may be asked of any behaviour, whatever it is; see sys. */
export type SystemRequest =
  | 'getState'
  | 'replaceState'
  | 'getStatus'
  | 'statistics'
  | 'trace'
  | 'suspend'
  | 'resume'
  | 'terminate'
  | 'changeCode'

/** A request of `sys` to a process; a kernel message, served ahead of what its behaviour does with messages. */
export class SystemMessage extends KernelMessage {
  readonly type = 'system'
  readonly from: From
  readonly request: SystemRequest
  readonly argument: unknown
  constructor(from: From, request: SystemRequest, argument: unknown) {
    super()
    this.from = from
    this.request = request
    this.argument = argument
  }
}

/** The name of a message for logs and dispatch: its event, its `type`, or itself when it is a string. */
export function messageName(message: unknown): string {
  if (typeof message === 'string') return message
  if (typeof message !== 'object' || message === null) return typeof message
  if (message instanceof CallMessage || message instanceof CastMessage) return message.event
  if (message instanceof BroadcastMessage) return message.event
  if (message instanceof SystemMessage) return `sys.${message.request}`
  const { type } = message as { type?: unknown }
  return typeof type === 'string' ? type : 'message'
}

/** A message for a crash report: what it was, who sent it, with what. */
export function describeMessage(message: unknown): unknown {
  if (message instanceof CallMessage) {
    return { call: message.event, payload: message.payload, from: formatPid(message.pid) }
  }
  if (message instanceof CastMessage) return { cast: message.event, payload: message.payload }
  return message
}
