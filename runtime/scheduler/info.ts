import { safeText } from '../exit/reason.ts'
import { type Priority, priorityOf } from '../process/flags.ts'
import { messageName } from '../process/messages.ts'
import type { Pid } from '../process/pid.ts'
import { type MonitorTarget, type Process, Status } from '../process/process.ts'

const MAX_TEXT = 200

/** What is known of a process from outside, as plain data (process_info in OTP). */
export interface ProcessInfo {
  readonly pid: Pid
  readonly name: string | undefined
  readonly behaviour: string
  readonly scheduler: number
  /**
   * waiting: for a message. hibernated: the same, asleep. suspended: by sys. awaiting: a promise of its handler is pending.
   */
  readonly status:
    | 'starting'
    | 'runnable'
    | 'running'
    | 'waiting'
    | 'hibernated'
    | 'suspended'
    | 'awaiting'
  readonly mailboxLength: number
  /** Messages its mailbox was too full for. */
  readonly dropped: number
  readonly trapExit: boolean
  readonly priority: Priority
  readonly links: readonly Pid[]
  /** What it monitors: pids, or names for monitors by name. */
  readonly monitors: readonly (Pid | string)[]
  readonly watchers: readonly Pid[]
  readonly parent: Pid
  readonly groupLeader: Pid | undefined
  /** Its dictionary as text, each value cut to 200 characters. */
  readonly dictionary: Readonly<Record<string, string>>
  readonly lastMessage: string | undefined
}

export function processInfo(process: Process): ProcessInfo {
  return {
    pid: process.pid,
    name: process.name,
    behaviour: process.behaviour.name,
    scheduler: process.scheduler.id,
    status: statusOf(process),
    mailboxLength: process.mailbox.length,
    dropped: process.dropped,
    trapExit: process.trapExit,
    priority: priorityOf(process.rank),
    links: [...(process.links?.keys() ?? [])],
    monitors: [...(process.monitors?.values() ?? [])].map((target: MonitorTarget) =>
      typeof target === 'number' ? target : (target.name ?? target.pid),
    ),
    watchers: [...(process.watchers?.values() ?? [])],
    parent: process.parent,
    groupLeader: process.groupLeader,
    dictionary: Object.fromEntries(
      [...(process.dictionary ?? [])].map(([key, value]) => [
        safeText(key, MAX_TEXT),
        safeText(value, MAX_TEXT),
      ]),
    ),
    lastMessage: process.lastMessage === undefined ? undefined : messageName(process.lastMessage),
  }
}

export function statusOf(process: Process): ProcessInfo['status'] {
  if (process.status === Status.Starting) return 'starting'
  if (process.status === Status.Running) return 'running'
  if (process.receiver !== undefined) return process.queued ? 'runnable' : 'waiting'
  if (process.status === Status.Suspended) return 'awaiting'
  if (process.attendant?.suspended === true) return 'suspended'
  if (process.queued) return 'runnable'
  return process.attendant?.hibernated === true ? 'hibernated' : 'waiting'
}
