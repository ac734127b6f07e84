/**
 * A process that sys has to do with: a request waits for it, or it is suspended, counted or traced. Requests stand in the
 * mailbox like any other message; while the process is suspended, what is served all the same has a queue of its own.
 */
import { publish } from '../events.ts'
import { plain } from '../exit/reason.ts'
import type { Asleep } from '../hibernation/asleep.ts'
import type { Attendant } from '../process/attendant.ts'
import { NOTHING } from '../process/attendant.ts'
import { describeMessage, ExitMessage, StopMessage, SystemMessage } from '../process/messages.ts'
import { formatPid, type Pid } from '../process/pid.ts'
import { type Process, Status } from '../process/process.ts'
import { holdTimeout, restartTimeout } from '../process/waiting.ts'
import { answer } from '../scheduler/calls.ts'
import { failure, serve } from './requests.ts'
import type { Counting } from './statistics.ts'

interface Urgent {
  readonly message: unknown
  readonly behind: number
}

export class Attended implements Attendant {
  suspended = false
  /** Set while the process hibernates. */
  asleep: Asleep | undefined
  counting: Counting | undefined
  /** Events a trace has left; 0: there is none. */
  traceLeft = 0
  /** Requests that are not served yet. */
  pending = 0
  /** What is served while it is suspended, each with the number of messages that wait ahead of it. */
  #urgent: Urgent[] = []

  constructor(asleep: Asleep | undefined) {
    this.asleep = asleep
  }

  get hibernated(): boolean {
    return this.asleep !== undefined
  }

  get urgent(): boolean {
    return this.#urgent.length > 0
  }

  takes(process: Process, message: unknown): boolean {
    if (this.suspended) this.#urgent.push({ message, behind: process.mailbox.length })
    return this.suspended
  }

  suspend(process: Process): void {
    if (this.suspended) return
    this.suspended = true
    const { mailbox } = process
    const served = (message: unknown): boolean =>
      message instanceof SystemMessage ||
      message instanceof StopMessage ||
      (message instanceof ExitMessage && message.from === process.parent)
    for (let at = mailbox.find(served); at >= 0; at = mailbox.find(served, at)) {
      this.#urgent.push({ message: mailbox.take(at), behind: at })
    }
  }

  /** What is not served yet goes back to where it came in: nothing overtakes what was sent before it. */
  resume({ mailbox }: Process): void {
    this.suspended = false
    if (this.#urgent.length === 0) return
    const waiting = mailbox.toArray()
    mailbox.clear()
    let behind = 0
    for (const urgent of this.#urgent) {
      for (; behind < urgent.behind && behind < waiting.length; behind++) {
        mailbox.push(waiting[behind])
      }
      mailbox.push(urgent.message)
    }
    for (; behind < waiting.length; behind++) mailbox.push(waiting[behind])
    this.#urgent = []
  }

  next(process: Process): unknown {
    if (this.#urgent.length > 0) return this.#urgent.shift()?.message
    if (this.suspended) return NOTHING
    const { mailbox } = process
    if (mailbox.length === 0) return NOTHING
    const message = mailbox.shift()
    if (!(message instanceof SystemMessage)) process.lastMessage = message
    return message
  }

  handle(process: Process, message: unknown): unknown {
    if (message instanceof SystemMessage) return this.#request(process, message)
    this.wake(process)
    if (this.counting !== undefined) this.counting.messagesIn++
    if (this.traceLeft > 0) this.#trace(process, 'in', describeMessage(message))
    this.release(process)
    return process.behaviour.handle(process, message)
  }

  replied(process: Process, to: Pid, value: unknown): void {
    if (this.counting !== undefined) this.counting.messagesOut++
    if (this.traceLeft > 0) this.#trace(process, 'out', value, formatPid(to))
  }

  /** Gives a process that hibernates its state back. */
  wake(process: Process): void {
    const { asleep } = this
    this.asleep = undefined
    asleep?.wake(process)
  }

  #request(process: Process, message: SystemMessage): unknown {
    // It restarts in full once the request is served (otp 85), or the process is resumed.
    holdTimeout(process)
    let result: unknown
    try {
      result = serve(process, this, message)
    } catch (thrown) {
      result = failure(process, message.request, thrown)
    }
    if (result instanceof Promise) {
      return result.then(
        (value) => this.#served(process, message, value),
        (thrown: unknown) =>
          this.#served(process, message, failure(process, message.request, thrown)),
      )
    }
    return this.#served(process, message, result)
  }

  #served(process: Process, message: SystemMessage, value: unknown): unknown {
    const { from, request, argument } = message
    if (process.status === Status.Dead) return undefined
    this.pending--
    answer(process.scheduler, process, from, value)
    if (!this.suspended) restartTimeout(process)
    this.release(process)
    // Answered first: how it ends is no concern of whoever asked for it (OTP).
    return request === 'terminate'
      ? process.behaviour.handle(process, new StopMessage(from, plain(argument)))
      : undefined
  }

  /** Steps aside when nothing is left for it to do. */
  release(process: Process): void {
    const { suspended, counting, traceLeft, pending } = this
    if (suspended || counting !== undefined || traceLeft > 0 || pending > 0) return
    if (process.attendant === this && this.#urgent.length === 0) process.attendant = this.asleep
  }

  #trace(process: Process, event: 'in' | 'out', message: unknown, to?: string): void {
    const left = --this.traceLeft
    publish('trace', () => ({
      pid: process.pid,
      process: formatPid(process.pid),
      name: process.name,
      behaviour: process.behaviour.name,
      scheduler: process.scheduler.id,
      event,
      message,
      ...(to === undefined ? {} : { to }),
      left,
    }))
  }
}

/** A request of sys has come for a process of this thread. A raw one has nobody to serve it: it is refused at once. */
export function systemDelivered(process: Process, message: SystemMessage): void {
  if (process.behaviour.delivery === 'pull') {
    const fields = { pid: formatPid(process.pid), request: message.request }
    const refusal = { ok: false, code: 'BEAMISH_SYS_RAW', fields }
    answer(process.scheduler, process, message.from, refusal)
    return
  }
  if (!(process.attendant instanceof Attended)) {
    process.attendant = new Attended(process.attendant as Asleep | undefined)
  }
  ;(process.attendant as Attended).pending++
  process.scheduler.deliverUrgent(process, message)
}
