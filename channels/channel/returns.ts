/** What a callback returned is done: it answers, ends the channel, or says how it goes on. */
import { NoReply, Reply, Stop } from '../../runtime/genServer/results.ts'
import type { CallMessage } from '../../runtime/process/messages.ts'
import { type Process, Status } from '../../runtime/process/process.ts'
import { answer } from '../../runtime/scheduler/calls.ts'
import { badReturn, checkCallReply, checkReply, checkState, idle, isPayload } from './answers.ts'
import { ChannelReply } from './results.ts'
import type { State } from './state.ts'
import { stop } from './stop.ts'

/** What handleIn returned: the client's answer, if it has one, and how the channel goes on. */
export function answered(
  process: Process,
  state: State,
  ref: string | null,
  value: unknown,
): unknown {
  const { link, socket } = state
  if (value === undefined || value === socket) return undefined
  if (value instanceof ChannelReply) {
    link.reply(ref, value.status, value.payload)
    return idle(process, value.options)
  }
  if (value instanceof Stop && value.hasReply) {
    const { reply } = value
    checkState('handleIn', value)
    checkReply('handleIn', reply)
    if (reply instanceof ChannelReply) link.reply(ref, reply.status, reply.payload)
    else if (isPayload(reply)) link.reply(ref, 'ok', reply)
    else throw badReturn('handleIn', reply)
    return stop(process, state, value.reason)
  }
  if (value instanceof NoReply || value instanceof Stop) {
    return applied(process, state, 'handleIn', value)
  }
  checkReply('handleIn', value)
  if (!isPayload(value)) throw badReturn('handleIn', value)
  link.reply(ref, 'ok', value)
  return undefined
}

/** What a callback returned that has no reply to give. */
export function applied(process: Process, state: State, callback: string, value: unknown): unknown {
  if (value === undefined || value === state.socket || process.status === Status.Dead) {
    return undefined
  }
  if (value instanceof NoReply || (value instanceof Stop && !value.hasReply)) {
    checkState(callback, value)
    return value instanceof Stop ? stop(process, state, value.reason) : idle(process, value.options)
  }
  checkReply(callback, value)
  throw badReturn(callback, value)
}

/** What handleCall returned. */
export function called(process: Process, state: State, from: CallMessage, value: unknown): unknown {
  if (process.status === Status.Dead) return undefined
  if (value instanceof NoReply || value instanceof Stop || value instanceof Reply) {
    checkState('handleCall', value)
  }
  if (value instanceof NoReply) return idle(process, value.options)
  if (value instanceof Stop) {
    const { reply, hasReply } = value
    if (hasReply) checkCallReply(reply)
    return stop(process, state, value.reason, {
      // After terminate, as OTP does.
      beforeExit: () => hasReply && answer(process.scheduler, process, from, reply),
    })
  }
  const reply = value instanceof Reply ? value.value : value
  checkCallReply(reply)
  answer(process.scheduler, process, from, reply)
  return value instanceof Reply ? idle(process, value.options) : undefined
}
