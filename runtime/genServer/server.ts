/** The kernel side of a GenServer: which callback runs for which message, and what its answer means. */
import { BeamishError } from '../errors.ts'
import { publish } from '../events.ts'
import { type ExitReason, formatReason, plain, reasonOf, safeText } from '../exit/reason.ts'
import type { Behaviour, CodeChange, StateAccess, StatusReport } from '../process/behaviour.ts'
import { type Flags, flagsOf } from '../process/flags.ts'
import {
  BroadcastMessage,
  CallMessage,
  CastMessage,
  ExitMessage,
  type From,
  messageName,
  StopMessage,
} from '../process/messages.ts'
import { formatPid } from '../process/pid.ts'
import { type Process, Status } from '../process/process.ts'
import type { Self } from '../process/self.ts'
import { messageCame } from '../process/waiting.ts'
import { answer } from '../scheduler/calls.ts'
import { endWithTerminate } from './ending.ts'
import { badReturn, idle } from './idle.ts'
import { Continue, Ignore, KEEP, type NextOptions, NoReply, Reply, Stop } from './results.ts'

type Callback = (...args: readonly unknown[]) => unknown

interface Callbacks extends Flags {
  readonly init: (argument: unknown, self: Self) => unknown
  readonly handleCall?: Readonly<Record<string, Callback>>
  readonly handleCast?: Readonly<Record<string, Callback>>
  readonly handleInfo?: Readonly<Record<string, Callback>> | Callback
  readonly handleContinue?: Callback
  readonly terminate?: Callback
  readonly codeChange?: (state: unknown, change: CodeChange) => unknown
  readonly formatStatus?: (status: StatusReport) => Partial<StatusReport>
  readonly hibernateAfterMs?: number
  readonly trapExit?: boolean
  readonly containStrays?: boolean
}

/** The state before init is through: terminate does not run then (otp 67). */
const UNBORN: unique symbol = Symbol('no state yet')

const own = (handlers: Readonly<Record<string, Callback>> | undefined, name: string) =>
  handlers !== undefined && Object.hasOwn(handlers, name) ? handlers[name] : undefined

export class ServerBehaviour implements Behaviour {
  readonly delivery = 'handle'
  readonly name: string
  readonly trapExit: boolean
  readonly containStrays: boolean
  readonly flags: Flags | undefined
  readonly data: StateAccess = {
    get: (process) => process.state,
    set: (process, state) => {
      process.state = state
    },
  }
  readonly #callbacks: Callbacks
  readonly #hibernateAfterMs: number

  constructor(name: string, callbacks: Callbacks) {
    this.name = name
    this.#hibernateAfterMs = callbacks.hibernateAfterMs ?? Number.POSITIVE_INFINITY
    this.#callbacks = callbacks
    this.trapExit = callbacks.trapExit ?? false
    this.containStrays = callbacks.containStrays ?? false
    this.flags = flagsOf(callbacks)
  }

  inspectState(process: Process): unknown {
    return process.state === UNBORN ? undefined : process.state
  }

  formatStatus(status: StatusReport): StatusReport {
    const { formatStatus } = this.#callbacks
    if (formatStatus === undefined) return status
    try {
      return { ...status, ...formatStatus(status) }
    } catch (thrown) {
      // What it was to hide must not show because it failed.
      const state = `formatStatus failed: ${formatReason(reasonOf(thrown))}`
      return { state, ...(status.reason === undefined ? {} : { reason: status.reason }) }
    }
  }

  codeChange(state: unknown, change: CodeChange): unknown {
    const { codeChange } = this.#callbacks
    return codeChange === undefined ? state : codeChange(state, change)
  }

  start(process: Process, argument: unknown): unknown {
    process.state = UNBORN
    const result = this.#callbacks.init(argument, process.self)
    if (result instanceof Promise) return result.then((value) => this.#born(process, value))
    return this.#born(process, result)
  }

  #born(process: Process, result: unknown): unknown {
    if (process.status === Status.Dead) return undefined
    if (result instanceof Ignore) {
      process.ignored = true
      process.scheduler.exit(process, 'normal')
      return undefined
    }
    if (result instanceof Stop) {
      process.scheduler.exit(process, plain(result.reason))
      return undefined
    }
    if (result instanceof Reply) throw badReturn('init', result)
    if (result instanceof NoReply && result.state === KEEP) throw badReturn('init', result)
    const next = result instanceof Continue || result instanceof NoReply ? result : undefined
    process.state = next === undefined ? result : next.state
    process.ready()
    process.scheduler.sleepers.watch(process, this.#hibernateAfterMs)
    return this.#next(process, next?.options)
  }

  handle(process: Process, message: unknown): unknown {
    if (process.waiting !== undefined) messageCame(process)
    if (message instanceof CallMessage) {
      const handler = own(this.#callbacks.handleCall, message.event)
      if (handler === undefined) throw this.#noHandler('handleCall', message.event)
      const result = handler(process.state, message.payload, process.self, message)
      if (result instanceof Promise) return result.then((v) => this.#called(process, message, v))
      return this.#called(process, message, result)
    }
    if (message instanceof CastMessage) {
      const handler = own(this.#callbacks.handleCast, message.event)
      if (handler === undefined) throw this.#noHandler('handleCast', message.event)
      const result = handler(process.state, message.payload, process.self)
      return this.#settled(process, `handleCast.${message.event}`, result)
    }
    if (message instanceof StopMessage) return this.#stop(process, message.reason, message)
    if (message instanceof ExitMessage && message.from === process.parent) {
      return this.#stop(process, message.reason, message)
    }
    return this.#info(process, message)
  }

  #info(process: Process, message: unknown): unknown {
    const { handleInfo } = this.#callbacks
    if (typeof handleInfo === 'function') {
      const result = handleInfo(process.state, message, process.self)
      return this.#settled(process, 'handleInfo', result)
    }
    const name = message instanceof BroadcastMessage ? 'broadcast' : messageName(message)
    const handler = own(handleInfo, name)
    if (handler === undefined) {
      publish('notice', () => ({
        level: 'warn',
        code: 'unhandled_info',
        message: `${this.name} ${formatPid(process.pid)} has no handleInfo.${name}: message dropped`,
        payload: safeText(message, 200),
      }))
      return undefined
    }
    return this.#settled(
      process,
      `handleInfo.${name}`,
      handler(process.state, message, process.self),
    )
  }

  #settled(process: Process, callback: string, result: unknown): unknown {
    if (result === undefined) return undefined
    if (result instanceof Promise) return result.then((v) => this.#applied(process, callback, v))
    return this.#applied(process, callback, result)
  }

  /** An answer that may not be a reply. */
  #applied(process: Process, callback: string, result: unknown): unknown {
    if (result === undefined || process.status === Status.Dead) return undefined
    if (result instanceof NoReply) {
      if (result.state !== KEEP) process.state = result.state
      return this.#next(process, result.options)
    }
    if (result instanceof Stop && !result.hasReply) {
      if (result.state !== KEEP) process.state = result.state
      return this.#stop(process, result.reason, process.lastMessage)
    }
    throw badReturn(callback, result)
  }

  #called(process: Process, from: From, result: unknown): unknown {
    if (process.status === Status.Dead) return undefined
    if (result instanceof Reply) {
      if (result.state !== KEEP) process.state = result.state
      this.#reply(process, from, result.value)
      return this.#next(process, result.options)
    }
    if (result instanceof Stop && result.hasReply) {
      if (result.state !== KEEP) process.state = result.state
      return this.#stop(process, result.reason, process.lastMessage, () =>
        this.#reply(process, from, result.reply),
      )
    }
    if (result instanceof NoReply || result instanceof Stop) {
      return this.#applied(process, 'handleCall', result)
    }
    if (result instanceof Continue || result instanceof Ignore)
      throw badReturn('handleCall', result)
    this.#reply(process, from, result)
    return undefined
  }

  #reply(process: Process, from: From, value: unknown): void {
    process.attendant?.replied(process, from.pid, value)
    answer(process.scheduler, process, from, value)
  }

  /** What an answer asks for next: a continue step now, then a timeout once idle, or sleep. */
  #next(process: Process, options: NextOptions | undefined): unknown {
    if (options === undefined) return undefined
    if (!('continue' in options)) return idle(process, options)
    const { handleContinue } = this.#callbacks
    if (handleContinue === undefined) throw this.#noHandler('handleContinue', 'continue')
    const result = handleContinue(process.state, options.continue, process.self)
    if (result instanceof Promise) {
      return result.then((value) => this.#continued(process, options, value))
    }
    return this.#continued(process, options, result)
  }

  #continued(process: Process, options: NextOptions, result: unknown): unknown {
    return result === undefined
      ? idle(process, options)
      : this.#applied(process, 'handleContinue', result)
  }

  /** A callback threw. Throwing an answer is returning it (otp 79). */
  crashed(process: Process, thrown: unknown, message: unknown): unknown {
    if (process.state === UNBORN) {
      const reason = plain(reasonOf(thrown))
      process.scheduler.report(process, reason, undefined)
      process.scheduler.exit(process, reason)
      return undefined
    }
    if (thrown instanceof Reply || thrown instanceof NoReply || thrown instanceof Stop) {
      process.crashing = false
      return message instanceof CallMessage
        ? this.#called(process, message, thrown)
        : this.#applied(process, 'callback', thrown)
    }
    return this.#stop(process, plain(reasonOf(thrown)), message)
  }

  #stop(process: Process, reason: ExitReason, message: unknown, beforeExit?: () => void): unknown {
    const { terminate } = this.#callbacks
    return endWithTerminate(process, reason, {
      terminate: terminate && (() => terminate(reason, process.state, process.self)),
      message,
      beforeExit,
    })
  }

  #noHandler(callback: string, event: string): BeamishError {
    return new BeamishError('BEAMISH_NO_HANDLER', { behaviour: `"${this.name}"`, callback, event })
  }
}
