/** What a timeline holds, as data. */
import type { ExitReason } from '../exit/reason.ts'
import type { SignalEffect, SignalKind } from '../exit/rules.ts'
import type { Pid, Ref } from '../process/pid.ts'

/** When something happened: its place in the order of all events, and the virtual time. */
export interface When {
  readonly seq: number
  readonly atMs: number
}

/** What became of a message. */
export type Outcome =
  /** It is on its way, or waits in a mailbox. */
  | 'waits'
  | 'handled'
  /** Nobody was there, or its receiver ended before it came to it. */
  | 'lost'
  /** A fault took it away, or a full mailbox did not take it. */
  | 'dropped'

/** A message: sent at `seq`, `atMs`, and handled, lost or dropped at `settled`. */
export interface MessageEvent extends When {
  readonly kind: 'send' | 'cast' | 'call' | 'reply' | 'down' | 'broadcast' | 'kernel'
  /** NO_PID when nobody is known to have sent it. */
  readonly from: Pid
  readonly to: Pid
  /** Its event, or the name of the message. */
  readonly name: string
  readonly payload: unknown
  readonly outcome: Outcome
  readonly settled: When | undefined
}

export interface SpawnEvent extends When {
  readonly kind: 'spawn'
  readonly pid: Pid
  readonly by: Pid
  readonly behaviour: string
  /** What it registers as. */
  readonly name: string | undefined
  readonly scheduler: number
  /** Linked with its parent from birth. */
  readonly linked: boolean
}

/** A supervisor starts a child again: a spawn that takes the place of an earlier one. */
export interface RestartEvent extends Omit<SpawnEvent, 'kind'> {
  readonly kind: 'restart'
  /** The process it takes the place of. */
  readonly was: Pid
}

export interface LinkEvent extends When {
  readonly kind: 'link' | 'unlink' | 'monitor'
  readonly from: Pid
  readonly to: Pid
  readonly ref: Ref | undefined
}

/** An exit signal arrives: at a link partner, or by exit(pid, reason). */
export interface SignalEvent extends When {
  readonly kind: 'signal'
  readonly from: Pid
  readonly to: Pid
  readonly reason: ExitReason
  readonly cause: SignalKind
  readonly effect: SignalEffect['do']
}

export interface TerminateEvent extends When {
  readonly kind: 'terminate'
  readonly pid: Pid
  readonly reason: ExitReason
}

export interface ExitEvent extends When {
  readonly kind: 'exit'
  readonly pid: Pid
  readonly reason: ExitReason
}

/** Something done to the node from outside: a fault, a thread that is lost or there again. */
export interface NoteEvent extends When {
  readonly kind: 'fault' | 'thread'
  readonly text: string
  /** Whom it concerns. */
  readonly pid: Pid
}

export type TimelineEvent =
  | MessageEvent
  | SpawnEvent
  | RestartEvent
  | LinkEvent
  | SignalEvent
  | TerminateEvent
  | ExitEvent
  | NoteEvent
