/**
 * What the owner of a task holds of it: an answer it awaits, as a call's, so that a reply or a DOWN that comes too late finds
 * nothing and vanishes (otp 171). The outcome stays here until the owner takes it.
 */
import { BeamishError } from '../errors.ts'
import { Exit, type ExitReason } from '../exit/reason.ts'
import { formatPid, NO_PID, type Pid, type Ref, schedulerOf } from '../process/pid.ts'
import type { Pending, Process } from '../process/process.ts'
import { Op } from '../scheduler/ops.ts'
import { sendExit, unlink } from '../scheduler/signals.ts'

/** How a task ended: with a value, or for a reason. */
export type TaskResult<R = unknown> = { readonly ok: R } | { readonly exit: ExitReason }

/** What `task.deliver` makes of the outcome of a task. */
export interface TaskMessage<R = unknown> {
  readonly type: 'task'
  readonly ref: Ref
  readonly result: TaskResult<R>
}

export class TaskEntry implements Pending {
  readonly owner: Process
  readonly ref: Ref
  readonly name: string
  /** Where it runs, or is being started. */
  scheduler: number
  pid: Pid = NO_PID
  outcome: TaskResult | undefined
  /** Resolves when `pid` is known, or will never be. */
  spawned: Promise<unknown> | undefined = undefined
  /** It is killed when its owner ends, however that ends. */
  endsWithOwner = false
  #taken = false
  #delivers = false
  readonly #listeners = new Set<() => void>()

  constructor(owner: Process, ref: Ref, name: string) {
    this.owner = owner
    this.ref = ref
    this.name = name
    this.scheduler = owner.scheduler.id
  }

  reply(value: unknown, watched: boolean): void {
    if (watched) this.#unwatch()
    this.#settle({ ok: value })
  }

  down(reason: ExitReason): void {
    this.#settle({ exit: reason })
  }

  abandon(): void {
    this.#unwatch()
    if (this.endsWithOwner && this.pid !== NO_PID) {
      sendExit(this.owner.scheduler, this.owner.pid, this.pid, 'kill')
    }
  }

  #settle(outcome: TaskResult): void {
    if (this.outcome !== undefined) return
    this.outcome = outcome
    this.owner.pending?.delete(this.ref)
    this.owner.monitors?.delete(this.ref)
    if (this.#delivers) this.#deliver(outcome)
    for (const listener of this.#listeners) listener()
    this.#listeners.clear()
  }

  /** Calls `listener` once when the outcome is known. */
  onOutcome(listener: () => void): void {
    if (this.outcome !== undefined) listener()
    else this.#listeners.add(listener)
  }

  /** Resolves with whether the outcome is known within that time. */
  settled(timeoutMs: number): Promise<boolean> {
    if (this.outcome !== undefined) return Promise.resolve(true)
    if (timeoutMs === 0) return Promise.resolve(false)
    const { clock } = this.owner.scheduler
    return new Promise((resolve) => {
      const timer =
        timeoutMs === Number.POSITIVE_INFINITY
          ? undefined
          : clock.after(this.owner, timeoutMs, () => {
              this.#listeners.delete(done)
              resolve(false)
            })
      const done = (): void => {
        if (timer !== undefined) clock.cancelRef(timer)
        resolve(true)
      }
      this.#listeners.add(done)
    })
  }

  /** Ends the owner's interest and returns the outcome, if it is known. */
  take(): TaskResult | undefined {
    this.#taken = true
    if (this.outcome === undefined) this.#forget()
    return this.outcome
  }

  /** A start under way stands under the same reference, and is not to be taken for one that timed out. */
  #forget(): void {
    const { pending, monitors } = this.owner
    if (pending?.get(this.ref) === this) pending.delete(this.ref)
    monitors?.delete(this.ref)
    this.#unwatch()
  }

  /** Its start is through. */
  started(pid: Pid): void {
    this.pid = pid
    if (this.#taken && !this.#delivers && this.outcome === undefined) this.#forget()
  }

  /** The outcome comes as a message. */
  deliver(): void {
    this.#taken = true
    this.#delivers = true
    if (this.outcome !== undefined) this.#deliver(this.outcome)
  }

  #deliver(result: TaskResult): void {
    const message: TaskMessage = { type: 'task', ref: this.ref, result }
    this.owner.scheduler.deliver(this.owner, message)
  }

  /** Ends the task: without a link, so that its end cannot take the owner along. */
  async end(reason: 'shutdown' | 'kill'): Promise<void> {
    if (this.pid === NO_PID) await this.spawned
    if (this.pid === NO_PID) return
    const { scheduler } = this.owner
    unlink(scheduler, this.owner, this.pid)
    sendExit(scheduler, this.owner.pid, this.pid, reason)
  }

  #unwatch(): void {
    const { pid, ref, owner } = this
    if (pid === NO_PID) return
    const { scheduler } = owner
    if (schedulerOf(pid) === scheduler.id) scheduler.find(pid)?.watchers?.delete(ref)
    else scheduler.peers.push4(schedulerOf(pid), Op.Demonitor, owner.pid, pid, ref)
  }

  /** Throws unless `process` is the owner and has not taken the outcome. */
  check(process: Process, call: string): void {
    const task = this.text
    if (process !== this.owner) {
      const fields = { task, owner: formatPid(this.owner.pid), pid: formatPid(process.pid), call }
      throw new BeamishError('BEAMISH_TASK_OWNER', fields)
    }
    if (this.#taken) throw new BeamishError('BEAMISH_TASK_SPENT', { task })
  }

  get text(): string {
    return `${this.name} ${this.pid === NO_PID ? '(starting)' : formatPid(this.pid)}`
  }

  /** The exit of an owner that awaited it in vain, as of a failed call. */
  failed(event: string, reason: ExitReason): Exit {
    return new Exit({ call: { to: this.text, event }, reason })
  }
}
