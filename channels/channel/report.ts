/** What channels tell of themselves: a log line where somebody reads that level, an event where somebody listens. */
import { eventChannel, publish } from '../../runtime/events.ts'
import { formatReason, reasonOf, safeText } from '../../runtime/exit/reason.ts'
import { formatPid, type Pid } from '../../runtime/index.ts'
import { logLine, logs } from '../../runtime/log.ts'
import type { BroadcastMessage } from '../../runtime/process/messages.ts'
import type { Process } from '../../runtime/process/process.ts'
import type { Join } from '../wire/link.ts'
import type { ChannelDefinition } from './channel.ts'
import { cut, filtered } from './filter.ts'

/** A join that was answered (Phoenix telemetry `channel_joined`). */
export interface ChannelJoined {
  readonly channel: string
  readonly topic: string
  readonly pid: Pid
  readonly joined: boolean
  /** Milliseconds from its start to its answer. */
  readonly tookMs: number
}

/** Why an event reached no handler. */
export type EventRefusal = 'unknown event' | 'invalid payload'

/** An event that was handled (Phoenix telemetry `channel_handled_in`), or refused. */
export interface ChannelHandledIn {
  readonly channel: string
  readonly topic: string
  readonly pid: Pid
  readonly event: string
  readonly tookMs: number
  /** What its client was answered in place of a handler; undefined: it was handled. */
  readonly refused?: EventRefusal
}

declare module '../../runtime/events.ts' {
  interface RuntimeEvents {
    channelJoined: ChannelJoined
    channelHandledIn: ChannelHandledIn
  }
}

/** Topics of the library itself are not logged (Phoenix). */
const isOwn = (topic: string): boolean => topic.startsWith('phoenix')

export function joinedTopic(
  { name, logJoin, filter }: ChannelDefinition,
  process: Process,
  { topic, payload }: Join,
  joined: boolean,
  tookMs: number,
): void {
  publish('channelJoined', () => ({ channel: name, topic, pid: process.pid, joined, tookMs }))
  if (logJoin === false || isOwn(topic) || !logs(logJoin)) return
  const what = joined ? 'JOINED' : 'REFUSED JOIN'
  logLine(logJoin, `${what} ${cut(topic)} in ${text(tookMs)}`, () => ({
    channel: name,
    process: formatPid(process.pid),
    parameters: filtered(payload, filter),
  }))
}

const handledIn = eventChannel('channelHandledIn')

/** Milliseconds of now if anybody wants to know how long an event takes; otherwise the clock is not read. */
export const handlingFrom = ({ logHandleIn }: ChannelDefinition, process: Process): number =>
  handledIn.hasSubscribers || (logHandleIn !== false && logs(logHandleIn)) ? process.self.now() : -1

export function handledEvent(
  { name, logHandleIn, filter }: ChannelDefinition,
  process: Process,
  { topic }: Join,
  event: string,
  payload: unknown,
  fromMs: number,
  refused?: EventRefusal,
): void {
  if (fromMs < 0) return
  const tookMs = process.self.now() - fromMs
  publish('channelHandledIn', () => ({
    channel: name,
    topic,
    pid: process.pid,
    event,
    tookMs,
    ...(refused === undefined ? {} : { refused }),
  }))
  if (logHandleIn === false || isOwn(topic) || !logs(logHandleIn)) return
  logLine(
    logHandleIn,
    `${refused === undefined ? 'HANDLED' : 'REFUSED'} ${cut(event)} INCOMING ON ${cut(topic)} (${name}) in ${text(tookMs)}${refused === undefined ? '' : `: ${refused}`}`,
    () => ({
      process: formatPid(process.pid),
      parameters: filtered(payload, filter),
    }),
  )
}

const text = (ms: number): string =>
  ms < 1 ? `${Math.round(ms * 1_000)}us` : `${Math.round(ms)}ms`

/** Topics whose broadcasts could not be sent, told once each, and no more than so many. */
const MAX_TOLD = 100
const told = new Set<string>()

/** A message that nobody handles. */
export function dropped({ name, filter }: ChannelDefinition, message: unknown): void {
  logLine('warn', `channel ${name} has no handleMessage: dropped a message`, () => ({
    // Not `message`: that is the line itself.
    got: safeText(filtered(message, filter), 200),
  }))
}

export function undeliverable({ topic, event }: BroadcastMessage, thrown: unknown): void {
  if (told.has(topic) || told.size === MAX_TOLD) return
  told.add(topic)
  logLine(
    'error',
    `a broadcast on ${topic} did not reach its clients; told once per topic`,
    () => ({
      event,
      reason: formatReason(reasonOf(thrown)),
    }),
  )
}
