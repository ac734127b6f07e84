/**
 * What may stand between a process and its messages: it sleeps, is suspended, counted or traced, or a request of `sys`
 * waits for it. A process that none of this concerns has none, and pays one property read per message for that.
 */
import type { Process } from './process.ts'

/** There is a mailbox, but nothing in it that the process may see now. */
export const NOTHING: unique symbol = Symbol('no message')

export interface Attendant {
  /** Only requests of sys, stops and the end of the parent are served. */
  readonly suspended: boolean
  readonly hibernated: boolean
  /** Something waits that is served though the process is suspended. */
  readonly urgent: boolean
  /** Takes the next message that may be seen, or answers NOTHING. Keeps `lastMessage`. */
  next(process: Process): unknown
  /** In place of the behaviour's handle(). */
  handle(process: Process, message: unknown): unknown
  /** A message that is served though the process is suspended: true when it was taken, instead of by the mailbox. */
  takes(process: Process, message: unknown): boolean
  /** Gives a process that hibernates its state back. */
  wake(process: Process): void
  /** The behaviour has replied to a call. */
  replied(process: Process, to: number, value: unknown): void
}
