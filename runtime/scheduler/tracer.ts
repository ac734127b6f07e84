/**
 * What a scheduler tells of each step it takes, to whoever set `scheduler.tracer`: the test kit's timeline, and whatever looks
 * at a living node. Unset, each of these costs one property read. A tracer only looks on: it must not call into the scheduler,
 * and where it throws it is as if the code of the process had thrown there.
 */

import type { ExitReason } from '../exit/reason.ts'
import type { SignalEffect, SignalKind } from '../exit/rules.ts'
import type { Pid, Ref } from '../process/pid.ts'
import type { Process } from '../process/process.ts'

export interface Tracer {
  /** A process is there, with the links and watchers of its birth; its code has not run. `name`: what it will register as. */
  spawned(process: Process, name: string | undefined): void
  /** A message leaves a process: to whom is known, whether that lives is not. */
  sends(by: Pid, to: Pid, message: unknown): void
  casts(by: Pid, to: Pid, event: string, payload: unknown): void
  calls(by: Pid, to: Pid, ref: Ref, event: string, payload: unknown): void
  replies(by: Pid, to: Pid, ref: Ref, value: unknown): void
  /** A signal of another scheduler, at `at` in its batch (see ops.ts), is about to take effect here. */
  receives(batch: readonly unknown[], at: number): void
  /** A message lies in a mailbox. */
  delivered(process: Process, message: unknown): void
  /** A full mailbox did not take a message, or let go of it. */
  drops(process: Process, message: unknown): void
  /** A process is given a message: its handler, or its receive(), has it next. */
  handles(process: Process, message: unknown): void
  links(by: Pid, to: Pid): void
  unlinks(by: Pid, to: Pid): void
  monitors(by: Pid, to: Pid, ref: Ref): void
  /** An exit signal has come, and this is what it does. */
  signalled(
    to: Process,
    from: Pid,
    reason: ExitReason,
    kind: SignalKind,
    effect: SignalEffect,
  ): void
  /** The terminate callback of a process is about to run. */
  terminates(process: Process, reason: ExitReason): void
  /** A process is dead; nobody has been told yet. */
  exited(process: Process, reason: ExitReason): void
}
