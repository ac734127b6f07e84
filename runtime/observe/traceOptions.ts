/** What node.trace() is asked for and what it tells, and the limits of both. */
import type { Pid } from '../process/pid.ts'
import { bad, checkNames, within } from './options.ts'

/**
 * What a process does: spawn (is born), send, cast, call, reply, link, unlink, monitor, terminate (its callback is about to
 * run), exit. What happens to it: receive (a message lies in its mailbox), handle (it is given one), drop (its mailbox was too
 * full for one), signal (an exit signal has come).
 */
export type TraceKind =
  | 'spawn'
  | 'send'
  | 'cast'
  | 'call'
  | 'reply'
  | 'receive'
  | 'handle'
  | 'drop'
  | 'link'
  | 'unlink'
  | 'monitor'
  | 'signal'
  | 'terminate'
  | 'exit'

const KINDS: readonly TraceKind[] = [
  'spawn',
  'send',
  'cast',
  'call',
  'reply',
  'receive',
  'handle',
  'drop',
  'link',
  'unlink',
  'monitor',
  'signal',
  'terminate',
  'exit',
]

/** What is traced: all that are given must hold, and at least one of the first four must be. */
export interface NodeTraceOptions {
  /** One process. */
  readonly pid?: Pid
  /** Whoever is registered under this name, its restarts too. */
  readonly name?: string
  /** All processes of a behaviour, those born later too; by its name, or as observe() shows it: `task fetchPage`. */
  readonly behaviour?: string
  /** Messages of this name: the event of a call, cast or broadcast, the `type` of others. */
  readonly event?: string
  /** Default: all but `receive`. */
  readonly kinds?: readonly TraceKind[]
  /** Events told before the trace ends by itself. 1 to 10,000. Default 100. */
  readonly limit?: number
  /** The part of the events that is told, drawn at random: above 0, at most 1. Default 1. */
  readonly sample?: number
  /** Milliseconds until the trace ends by itself. 1 to 3,600,000. Default 60,000. */
  readonly timeoutMs?: number
  /** Characters of a message that are told; 0: none of it, only its name. At most 10,000. Default 200. */
  readonly maxText?: number
  /** Called with each event on main; without it they wait to be iterated over. One that throws ends the trace. */
  readonly onEvent?: (event: NodeTraceEvent) => void
}

/** One thing a traced process did, or that happened to it. Plain data. */
export interface NodeTraceEvent {
  /** Milliseconds since the epoch, comparable between threads. */
  readonly at: number
  readonly scheduler: number
  readonly kind: TraceKind
  readonly pid: Pid
  /** The pid as text. */
  readonly process: string
  readonly name: string | undefined
  readonly behaviour: string
  /** The other one, as text: whom it was sent to, or, where that is known, who sent it. */
  readonly peer: string | undefined
  /** Name of the message. */
  readonly event: string | undefined
  /** The message, the reply or the reason as text, cut to `maxText` characters. */
  readonly text: string | undefined
}

/** What each thread is told. */
export interface TraceSpec {
  readonly pid: Pid | undefined
  readonly name: string | undefined
  readonly behaviour: string | undefined
  readonly event: string | undefined
  readonly kinds: readonly TraceKind[]
  readonly limit: number
  readonly sample: number
  readonly maxText: number
}

export interface TraceSettings {
  readonly spec: TraceSpec
  readonly timeoutMs: number
  readonly onEvent: ((event: NodeTraceEvent) => void) | undefined
}

const KNOWN: readonly string[] = [
  'pid',
  'name',
  'behaviour',
  'event',
  'kinds',
  'limit',
  'sample',
  'timeoutMs',
  'maxText',
  'onEvent',
] satisfies (keyof NodeTraceOptions)[]

/** @throws BEAMISH_BAD_OPTION */
export function checkTrace(options: NodeTraceOptions): TraceSettings {
  checkNames(options, KNOWN)
  const { pid, kinds = KINDS.filter((kind) => kind !== 'receive'), sample = 1, onEvent } = options
  if (pid !== undefined && !Number.isSafeInteger(pid)) {
    throw bad('pid', pid, 'give the pid of a process, as self.whereis() answers it')
  }
  for (const option of ['name', 'behaviour', 'event'] as const) {
    const value: unknown = options[option]
    if (value !== undefined && (typeof value !== 'string' || value === '')) {
      throw bad(option, value, 'give text')
    }
  }
  const { name, behaviour, event } = options
  if ([pid, name, behaviour, event].every((one) => one === undefined)) {
    throw bad('trace', 'of everything', 'name a pid, a name, a behaviour or an event')
  }
  if (!Array.isArray(kinds) || kinds.length === 0 || !kinds.every((kind) => KINDS.includes(kind))) {
    throw bad('kinds', kinds, `give some of ${KINDS.join(', ')}`)
  }
  if (!(typeof sample === 'number' && sample > 0 && sample <= 1)) {
    throw bad('sample', sample, 'give a number above 0, at most 1')
  }
  if (onEvent !== undefined && typeof onEvent !== 'function') {
    throw bad('onEvent', onEvent, 'give a function')
  }
  return {
    onEvent,
    timeoutMs: within('timeoutMs', options.timeoutMs ?? 60_000, 1, 3_600_000),
    spec: {
      pid,
      name,
      behaviour,
      event,
      kinds: [...kinds],
      sample,
      limit: within('limit', options.limit ?? 100, 1, 10_000),
      maxText: within('maxText', options.maxText ?? 200, 0, 10_000),
    },
  }
}
