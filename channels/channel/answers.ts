/** What callbacks answer, looked at: payloads, options, and what is none of what they may. */
import type { Exit } from '../../runtime/exit/reason.ts'
import { badReturn as badAnswer, idle as goOn } from '../../runtime/genServer/idle.ts'
import {
  Continue,
  Ignore,
  KEEP,
  type NoReply,
  Reply,
  type Stop,
} from '../../runtime/genServer/results.ts'
import { BeamishError } from '../../runtime/index.ts'
import type { Process } from '../../runtime/process/process.ts'
import { isThenable } from '../../runtime/scheduler/thenable.ts'
import { ChannelError } from '../errors.ts'
import type { Payload } from '../wire/serializer.ts'
import { filtered } from './filter.ts'
import { type AfterOptions, ChannelReply, Joined } from './results.ts'
import { ChannelSocket } from './socket.ts'

export const isPayload = (value: unknown): value is Payload =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const idle = (process: Process, options: AfterOptions | undefined): undefined =>
  options && goOn(process, options)

/** Goes on at once after a synchronous callback, later after an asynchronous one. */
export function after(result: unknown, next: (value: unknown) => unknown): unknown {
  return isThenable(result) ? result.then(next) : next(result)
}

/** @throws CHN_ANSWER for the answer of a server, whose state is a value. */
export function checkState(callback: string, { state, options }: NoReply | Stop | Reply): void {
  if (state !== KEEP && state !== undefined && !(state instanceof ChannelSocket)) {
    throw wrong(
      callback,
      'a state that is not its socket',
      'use stop(reason), or noreply({ timeoutMs, hibernate }) of beamish/channels; what changes goes into socket.assign()',
    )
  }
  if (options !== undefined && 'continue' in options) {
    throw wrong(
      callback,
      'the option continue',
      'send yourself a message, socket.self.send(socket.self.pid, message), and go on in handleMessage',
    )
  }
}

const isOfStart = (value: unknown): boolean =>
  value instanceof Continue || value instanceof Ignore || value instanceof Joined

/** @throws CHN_ANSWER for what looks like an object, and is meant for somebody else. */
export function checkReply(callback: string, value: unknown): void {
  if (value instanceof Reply) {
    throw wrong(
      callback,
      'reply(), which answers calls of processes',
      'use ok(payload), error(payload) or replyWith(status, payload) of beamish/channels',
    )
  }
  if (isOfStart(value)) {
    throw wrong(callback, 'what only a start may', 'return the reply, or nothing')
  }
}

/** @throws CHN_ANSWER for a reply to a client, where a process has called. */
export function checkCallReply(value: unknown): void {
  const isSocket = value instanceof ChannelSocket
  if (!isSocket && !(value instanceof ChannelReply) && !isOfStart(value)) return
  const what = isSocket ? 'the socket' : 'what is for a client or a start'
  throw wrong('handleCall', what, 'return the value that the caller is to get')
}

const wrong = (callback: string, what: string, fix: string): ChannelError =>
  new ChannelError('CHN_ANSWER', `${callback} answered ${what}: ${fix}.`)

/** The reason goes into logs and to whoever is linked, so that it holds no secrets. */
export const badReturn = (callback: string, value: unknown): Exit =>
  badAnswer(callback, filtered(value))

export const noHandler = (callback: string, event: string): BeamishError =>
  new BeamishError('BEAMISH_NO_HANDLER', { behaviour: 'the channel', callback, event })
